from datetime import datetime, timedelta

from triage.hotspots.topics import DatedText, emerging
from triage.types import BEIJING

BEGIN = datetime(2026, 1, 1, tzinfo=BEIJING)
GARAGE = [
    "星河小区地下车库漏水严重，物业没人管",
    "星河小区车库一下雨就漏水",
    "星河小区地下车库漏水问题请管管",
    "星河小区地下车库漏水把车泡了",
]
SCHOOL = ["育才小学门口占道停车太乱", "育才小学放学时占道停车没人管", "接孩子难，育才小学门口全是占道停车", "育才小学占道停车何时整治"]
NOISE = [
    "公交十路改道以后绕远了", "河边路灯坏了半个月", "想问社保卡怎么补办", "楼上装修半夜施工", "自来水有异味", "广场舞声音太大", "门诊排队系统老出错",
    "快递柜收费不合理", "菜市场污水横流", "健身房跑路退不了卡", "电动车充电桩太少", "驾校拖着不安排考试", "外卖骑手逆行差点撞人", "图书馆周一闭馆不方便",
]  # fmt: skip


def pile(*themes: tuple[list[str], int, str]) -> list[DatedText]:
    texts = [DatedText(f"n{i}", text, BEGIN + timedelta(days=6 * i), f"p{i}") for i, text in enumerate(NOISE)]
    for theme, day, name in themes:
        texts += [DatedText(f"{name}{i}", text, BEGIN + timedelta(days=day + i), f"{name}-person{i}") for i, text in enumerate(theme)]
    return texts


def test_what_several_people_write_about_becomes_one_topic_each():
    topics = emerging(pile((GARAGE, 70, "g"), (SCHOOL, 60, "s")))
    assert {frozenset(topic.ids) for topic in topics} == {frozenset(f"g{i}" for i in range(4)), frozenset(f"s{i}" for i in range(4))}
    assert all(topic.people == 4 and topic.size == 4 for topic in topics)


def test_the_latest_of_two_equal_bursts_ranks_first():
    topics = emerging(pile((GARAGE, 5, "g"), (SCHOOL, 75, "s")))
    assert topics[0].ids[0].startswith("s") and [topic.rank for topic in topics] == [1, 2]


def test_one_person_writing_ten_times_is_no_topic():
    texts = pile() + [DatedText(f"x{i}", "停车费又涨价了太不合理", BEGIN + timedelta(days=i), "the same") for i in range(10)]
    assert emerging(texts) == []


def test_a_copied_letter_counts_once_whoever_signs_it():
    texts = pile() + [DatedText(f"x{i}", "停车费又涨价了太不合理", BEGIN + timedelta(days=i), f"signer {i}") for i in range(10)]
    assert emerging(texts) == []


def test_a_topic_tells_its_words_and_time_span():
    [topic] = emerging(pile((GARAGE, 70, "g")))
    assert "车库" in "".join(topic.terms) and "漏水" in topic.title
    assert (topic.first, topic.last) == ((BEGIN + timedelta(days=70)).date(), (BEGIN + timedelta(days=73)).date())


def test_too_few_or_empty_texts_have_no_topics():
    assert emerging([]) == [] and emerging([DatedText("1", "", BEGIN), DatedText("2", " ", BEGIN)]) == []


def test_top_limits_the_list():
    assert len(emerging(pile((GARAGE, 70, "g"), (SCHOOL, 60, "s")), top=1)) == 1
