"""Sums of money in every notation customers use: 3万5, 三万五千元, 35,000.00, 3.5w, 叁万伍仟, 两千多, 九毛九."""

import re
from dataclasses import dataclass

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {c: i for i, c in enumerate("〇壹贰叁肆伍陆柒捌玖")} | {"两": 2}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000, "k": 1000, "万": 10_000, "w": 10_000, "亿": 100_000_000}
_SECTION = 10_000  # from here on a unit multiplies all that stands before it

_ARABIC = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_HAN = "零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖"
_SCALE = "十百千万亿拾佰仟"
_NUMBER = rf"(?:{_ARABIC}|[{_HAN}十拾])(?:[{_HAN}{_SCALE}]|(?<=[{_SCALE}wWkK零])\d+(?:\.\d+)?|[wWkK](?![A-Za-z])|[多来余几](?=[{_SCALE}wWkK]))*[多来余几]?"
_FOREIGN = {
    "美元": "USD", "美金": "USD", "美刀": "USD", "刀": "USD", "usd": "USD", "港币": "HKD", "港元": "HKD", "hkd": "HKD", "欧元": "EUR",
    "日元": "JPY", "英镑": "GBP", "澳元": "AUD", "澳币": "AUD", "加元": "CAD", "加币": "CAD", "韩元": "KRW", "泰铢": "THB", "卢布": "RUB",
}  # fmt: skip
_AMOUNT = re.compile(
    rf"""(?<![\d*.A-Za-z])(?P<sign>[¥￥$]|rmb|人民币)?[ ]?(?P<number>{_NUMBER})[ ]?
    (?:(?P<foreign>{"|".join(_FOREIGN)})|(?P<yuan>元(?![旦宵月素])|块(?:钱)?|圆|rmb|人民币)(?P<cents>[\d{_HAN}](?![\d{_HAN}{_SCALE}年月日号点])[毛角]?(?:[\d{_HAN}]分?)?)?
      |(?P<jiao>[毛角](?:钱|(?P<fen>[\d{_HAN}])分?)?))?""",
    re.VERBOSE | re.IGNORECASE,
)
# Most texts name no sum (一个, 一直): one cheap look spares them the pattern. It begins with one class of characters, which the scanner
# looks for much faster than for alternatives.
_TRIGGER = re.compile(
    rf"""[¥￥$人rR\d{_HAN}十拾](?:(?<=[¥￥$])|(?<=人)民币|(?<=[rR])(?i:mb)
    |(?<=[\d{_HAN}十拾])(?:[\d{_HAN}{_SCALE}wWkK多来余几,.]|[ ]?(?i:[元块圆毛角]|rmb|人民币|{"|".join(_FOREIGN)})))""",
    re.VERBOSE,
)
# What stands before a bare number that is money ("扣了300", "额度五千") ...
_MONEY_BEFORE = re.compile(
    r"(?:扣|收|转|汇|亏|损失|骗|存|取|还|贷|借|欠|退|充|付|交|花|缴|赔|刷|少|短|罚|吞|吐|买|投|提现|消费|金额|余额|额度|本金|利息|年费|手续费|违约金|罚息|滞纳金|押金|货款|工资|合计|共计|一共|总共|总计|大概|差不多|只有|到账|入账|价值|里有|剩|拿|打(?=[了来过])|赚|多出|少给)"
    r"(?:了|掉|过|走|我|你|他|她|给|出|进|入|去|来|是|为|有|要|的|到|也|就|才|又|都|约|近|达|将近|共|一共|大概|差不多|各|:|：|\s){0,4}$"
)
# ... and what stands behind a number that is not.
_NOT_MONEY_AFTER = re.compile(
    r"[ ]?(?:[年月日号点时分秒天个次遍人位张家岁%倍折楼层期周笔条户名台部步米里字章页级星度斤克吨亩栋室度版代g寸口袋盒把辆届种项批份轮趟条只头年%‰/:：xX~—-]|小时|分钟|多[人个次天年户位家]|来[人个次天年]|几[人个次天年]|积分|公里|工作日|开头|打头|结尾|尾号|[A-Za-z\d.])"
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money. `yuan` is None for a foreign currency, which `currency` (ISO 4217) then names. Offsets in code points."""

    value: float
    currency: str
    start: int
    end: int

    @property
    def yuan(self) -> float | None:
        return self.value if self.currency == "CNY" else None


def find_amounts(text: str) -> list[Amount]:
    """The sums of money in a normalised text, in order. Vague ones count their lower bound (两千多: 2000, 十几万: 100000).

    >>> [a.value for a in find_amounts("转了3万5，手续费九毛九，还有叁仟伍佰元")]
    [35000.0, 0.99, 3500.0]
    """
    if not _TRIGGER.search(text):
        return []
    found = []
    for match in _AMOUNT.finditer(text):
        if not _is_money(match, text):
            continue
        value = parse_number(match["number"])
        if value is None:
            continue
        currency = "CNY"
        if match["foreign"]:
            currency = _FOREIGN[match["foreign"].lower()]
        elif match["sign"] == "$":
            currency = "USD"
        elif match["jiao"]:
            value = value / 10 + (_digit(match["fen"]) / 100 if match["fen"] else 0)
        elif match["cents"]:
            tenths, *hundredths = [_digit(c) for c in match["cents"] if c.isdecimal() or c in _DIGITS]
            value += tenths / 10 + (hundredths[0] / 100 if hundredths else 0)
        start = match.start("sign") if match["sign"] else match.start("number")
        end = match.end() if match.end() > match.end("number") + 1 or text[match.end() - 1] != " " else match.end("number")
        found.append(Amount(round(value, 2), currency, start, end))
    return found


def parse_number(text: str) -> float | None:
    """The value of an Arabic, Chinese or mixed number, None when it names none (几万, 千万别).

    A last single digit behind 百 or more counts tenths of it: 三万五 is 35,000, 两百五 is 250; 三万零五 is 30,005.

    >>> parse_number("三万五"), parse_number("3.5w"), parse_number("1万零500"), parse_number("十几万")
    (35000.0, 35000.0, 10500.0, 100000.0)
    """
    total = section = 0.0
    current: float | None = None
    last_unit, single = 0, False
    for token in re.findall(rf"{_ARABIC}|.", text.lower().replace("萬", "万")):
        if token[0].isdecimal():
            current, single = float(token.replace(",", "")), len(token) == 1
        elif token in _DIGITS:
            if token in "零〇" and current is None:
                last_unit = 0
                continue
            spelled_out = current is not None  # 二零二六: digits one by one
            current = (current * 10 if spelled_out else 0) + _DIGITS[token]
            single = not spelled_out
        elif token in _UNITS:
            unit = _UNITS[token]
            if current is None and not section and (unit > 10 or total) and unit < _SECTION:
                return None
            if unit >= _SECTION:
                if current is None and not section and not total:
                    return None
                total = (total + section + (current or 0)) * unit if unit > _SECTION else total + (section + (current or 0)) * unit
                section = 0.0
            else:
                section += (1 if current is None else current) * unit
            current, last_unit = None, unit
        # 多, 来, 余, 几 leave the lower bound as it is
    if current is not None:
        section += current * last_unit / 10 if single and last_unit >= 100 else current
    value = total + section
    return value or None


def _is_money(match: re.Match[str], text: str) -> bool:
    number = match["number"]
    if match["sign"] or match["foreign"]:
        return True
    before = text[max(0, match.start() - 10) : match.start("number")]
    if match["yuan"] or match["jiao"]:
        # 一块 is also "together", 两毛 is only money.
        return not (number == "一" and match["yuan"] == "块" and not match["cents"] and not _MONEY_BEFORE.search(before))
    if _NOT_MONEY_AFTER.match(text, match.end("number")):
        return False
    if any(c in number for c in "万亿wW"):
        return True
    if any(c in number for c in "kK百千佰仟"):
        return bool(_MONEY_BEFORE.search(before)) or text.startswith(("的", "额度", "以上", "左右"), match.end("number"))
    return len(number) > 1 and bool(_MONEY_BEFORE.search(before))


def _digit(character: str) -> int:
    return int(character) if character.isdecimal() else _DIGITS[character]
