from dataclasses import replace
from datetime import date, datetime, timedelta

from triage.hotspots.themes import find_themes
from triage.hotspots.topics import DatedText
from triage.types import BEIJING, Hotspot

NOW = datetime(2026, 6, 30, 9, tzinfo=BEIJING)
YESTERDAY = datetime(2026, 6, 29, 15, tzinfo=BEIJING)
SMS = [
    "收到积分清零的短信，点了链接输了验证码卡里就少了钱",
    "积分清零短信里的链接点进去要验证码，钱被转走了",
    "你们发的积分清零短信是真的吗，我妈点链接填了验证码",
    "积分清零短信骗人，输完验证码账户少了八百",
    "好几个亲戚收到积分清零短信，点链接要验证码，有人被骗了",
    "冒充银行的积分清零短信，填验证码以后钱没了",
]
SUBJECTS = [
    "空调",
    "门口台阶",
    "叫号屏",
    "停车位",
    "饮水机",
    "雨伞",
    "保安",
    "宣传册",
    "纪念币",
    "对账单",
    "回单机",
    "零钱",
    "开户赠品",
    "大厅座椅",
]
COMPLAINTS = ["太旧了", "坏了一直没修", "说明看不懂", "找不到人管", "和以前不一样了", "数量不够用"]


def usual(days: int = 98, category: str = "other.complaint") -> list[DatedText]:
    """One small matter or another a day, for as long as there is history."""
    return [
        DatedText(
            f"u{i}",
            f"{SUBJECTS[i % len(SUBJECTS)]}{COMPLAINTS[i % len(COMPLAINTS)]}，第{i}次来反映",
            YESTERDAY - timedelta(days=days - 1 - i),
        )
        for i in range(days)
    ]


def written(texts: list[str], back: int = 5, region: str = "440000", person: str = "") -> list[DatedText]:
    return [
        DatedText(f"{region}{back}-{i}", text, YESTERDAY - timedelta(days=back - i % (back + 1)), person, region=region)
        for i, text in enumerate(texts)
    ]


class Pile:
    """Texts of one category."""

    def __init__(self, texts: list[DatedText], category: str = "other.complaint"):
        self.texts, self.category = texts, category

    def dated(self, category, window, limit):
        if category != self.category:
            return []
        inside = [text for text in self.texts if window["from"] <= text.time.date() <= window["to"]]
        return sorted(inside, key=lambda text: text.time, reverse=True)[:limit]


def themes(texts: list[DatedText], surges: tuple[Hotspot, ...] = ()) -> list[Hotspot]:
    return find_themes(Pile(texts), ["other.complaint", "card.rewards"], NOW, surges)


def test_what_several_people_began_to_write_about_is_told_with_a_chinese_title_place_and_texts():
    [theme] = themes(usual() + written(SMS))
    assert (theme.kind, theme.category, theme.regions, theme.observed) == ("theme", "other.complaint", ("440000",), 6)
    assert theme.title.startswith("广东 其他投诉出现新问题“") and theme.title.endswith("：近7天 6 件，常态不到 1 件")
    assert {"积分清零", "验证码"} & set(theme.terms) or "积分" in "".join(theme.terms)
    assert set(theme.evidence) == {f"4400005-{i}" for i in range(6)} and theme.window["to"] == date(2026, 6, 29)
    assert theme.parts[0].key == "440000" and theme.parts[0].observed == 6 and theme.p_value < 1e-4


def test_a_quiet_category_has_no_theme():
    assert themes(usual()) == []


def test_a_theme_from_all_over_the_country_has_no_place():
    codes = ["440000", "110000", "510000", "320000", "650000", "350000"]
    texts = [text for i, code in enumerate(codes) for text in written(SMS[i : i + 1], region=code)]
    [theme] = themes(usual() + texts)
    assert theme.regions == () and theme.title.startswith("全国 ")


def test_a_letter_copied_by_many_counts_once():
    assert themes(usual() + written([SMS[0]] * 12)) == []


def test_one_customer_counts_once():
    assert themes(usual() + written(SMS, person="the same")) == []


def test_what_was_always_written_about_is_no_new_theme():
    always = [text for back in range(12, 97, 3) for text in written([SMS[back % 6] + f"，{back}元"], back, "110000")]
    assert themes(usual() + always + written(SMS)) == []


def test_the_day_that_is_not_over_is_not_judged():
    today = [DatedText(f"t{i}", text, NOW) for i, text in enumerate(SMS)]
    assert themes(usual() + today) == []


def test_a_theme_that_makes_up_a_surge_is_not_told_beside_it():
    [theme] = themes(usual() + written(SMS))
    surge = Hotspot(
        id="s", category="other.complaint", regions=("440000",), channels=(), window=theme.window, observed=9, expected=2.0, ratio=4.5,
        change=None, p_value=1e-6, recurrence_interval_days=400.0, level="warning", title="广东 其他投诉",
    )  # fmt: skip
    assert themes(usual() + written(SMS), (surge,)) == []
    assert len(themes(usual() + written(SMS), (replace(surge, observed=60),))) == 1


def test_what_is_no_complaint_has_no_themes():
    pile = Pile(usual() + written(SMS), "other.not_complaint")
    assert find_themes(pile, ["other.not_complaint"], NOW) == []


def test_too_few_texts_give_no_theme():
    assert themes([]) == [] and themes(written(SMS[:3])) == [] and themes(written(SMS)) == []
