"""Dates in a complaint, absolute or relative to its time: 2026年2月14日, 3月5号, 昨晚, 上周三, 去年国庆."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

_HAN = {c: i for i, c in enumerate("零一二三四五六七八九")}
_WEEKDAYS = {c: i for i, c in enumerate("一二三四五六")} | {"日": 6, "天": 6}
_DAYS_AGO = {"今": 0, "昨": 1, "前": 2}
_HOLIDAYS = {
    "元旦": (1, 1),
    "劳动节": (5, 1),
    "五一": (5, 1),
    "国庆": (10, 1),
    "十一": (10, 1),
    "双十一": (11, 11),
    "双11": (11, 11),
    "618": (6, 18),
}
_MONTH = r"(?:1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])"
_DAY = r"(?:3[01]|[12]\d|0?[1-9]|三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九])"
_PATTERN = re.compile(
    rf"""
    (?P<full>(?<!\d)(?P<fy>20\d\d)(?P<sep>[年./-])(?P<fm>{_MONTH})(?:月|(?P=sep))(?P<fd>{_DAY})[日号]?(?!\d))
  | (?P<ym>(?<!\d)(?P<yy>20\d\d)年(?P<ym_m>{_MONTH})月份?)
  | (?P<md>(?:(?P<rel_year>今年|去年|前年))?(?<!\d)(?P<mm>{_MONTH})月(?P<dd>{_DAY})[日号])
  | (?P<rel_ym>(?P<rym_year>今年|去年|前年)(?P<rym_m>{_MONTH})月份?)
  | (?P<holiday>(?P<h_year>今年|去年|前年)(?P<h_name>{"|".join(_HOLIDAYS)}))
  | (?P<month>(?P<m_rel>上个?月|本月|这个月|当月)(?:(?P<m_day>{_DAY})[日号])?)
  | (?P<week>(?P<w_rel>上上?|这|本|这个|上个)(?:周|星期|礼拜)(?P<w_day>[一二三四五六日天]))
  | (?P<day>大前天|(?P<d_rel>[今昨前])(?:天|日|早|晚|夜))
  | (?P<year>(?<!\d)(?P<y_abs>20\d\d)年(?![\d初末底])|去年|前年)
    """,
    re.VERBOSE,
)  # fmt: skip
# Most short texts name no date: one cheap look spares them the pattern. It begins with one class of characters, which the scanner looks
# for much faster than for alternatives.
_TRIGGER = re.compile(r"[年月周昨星礼前今2](?:(?<=[年月周昨])|(?<=星)期|(?<=礼)拜|(?<=前)[天日晚夜]|(?<=今)[天日早晚夜]|(?<=2)0\d\d[./-])")


@dataclass(frozen=True, slots=True)
class DateMention:
    """`value` is ISO 8601 as precise as the text: a day, a month (2026-03) or a year. Offsets in code points."""

    value: str
    start: int
    end: int


def find_dates(text: str, told: datetime) -> list[DateMention]:
    """The dates in a normalised text, in order; impossible ones (2月30日) are left out.

    Args:
        text: normalised.
        told: when it was said; a month and day without a year is the last such day, or one within the next 60 days.

    >>> [d.value for d in find_dates("昨晚转的，说3月5号到账", datetime(2026, 3, 2))]
    ['2026-03-01', '2026-03-05']
    """
    if not _TRIGGER.search(text):
        return []
    found = []
    for match in _PATTERN.finditer(text):
        try:
            value = _value(match, told.date())
        except ValueError:  # 2月30日
            continue
        found.append(DateMention(value, *match.span()))
    return found


def _value(match: re.Match[str], today: date) -> str:
    kind = match.lastgroup
    # lastgroup is the last group that closed: the alternative itself, since each wraps its parts.
    match kind:
        case "full":
            return date(int(match["fy"]), _number(match["fm"]), _number(match["fd"])).isoformat()
        case "ym":
            return f"{match['yy']}-{_number(match['ym_m']):02d}"
        case "md":
            return _month_day(match["rel_year"], _number(match["mm"]), _number(match["dd"]), today).isoformat()
        case "rel_ym":
            return f"{_year(match['rym_year'], today)}-{_number(match['rym_m']):02d}"
        case "holiday":
            return date(_year(match["h_year"], today), *_HOLIDAYS[match["h_name"]]).isoformat()
        case "month":
            first = today.replace(day=1)
            if match["m_rel"].startswith("上"):
                first = (first - timedelta(days=1)).replace(day=1)
            return first.replace(day=_number(match["m_day"])).isoformat() if match["m_day"] else first.isoformat()[:7]
        case "week":
            monday = today - timedelta(days=today.weekday())
            weeks = match["w_rel"].count("上")
            return (monday - timedelta(weeks=weeks) + timedelta(days=_WEEKDAYS[match["w_day"]])).isoformat()
        case "day":
            days = 3 if match["day"] == "大前天" else _DAYS_AGO[match["d_rel"]]
            return (today - timedelta(days=days)).isoformat()
        case _:
            return match["y_abs"] or str(_year(match["year"], today))


def _month_day(relative_year: str | None, month: int, day: int, today: date) -> date:
    if relative_year:
        return date(_year(relative_year, today), month, day)
    if (month, day) == (2, 29):
        return next(date(y, 2, 29) for y in range(today.year, today.year - 9, -1) if y % 4 == 0 and date(y, 2, 29) <= today)
    this_year = date(today.year, month, day)
    if this_year > today + timedelta(days=60):
        return this_year.replace(year=today.year - 1)
    next_year = this_year.replace(year=today.year + 1)
    return next_year if next_year <= today + timedelta(days=60) else this_year


def _year(word: str, today: date) -> int:
    return today.year - {"今年": 0, "去年": 1, "前年": 2}[word]


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    tens, has_ten, ones = text.rpartition("十")
    if not has_ten:
        return _HAN[ones]
    return (_HAN[tens] if tens else 1) * 10 + (_HAN[ones] if ones else 0)
