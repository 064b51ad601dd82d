"""How numbers, dates, amounts, units and addresses are said in Mandarin.

Numerals in characters are cn2an's ones, which comes with misaki.
"""

# The signs that look like others are the point here.
# ruff: noqa: RUF001

from __future__ import annotations

import re

from harken.soundflow.speech.rule import Rule, rule

_INT = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
_NUM = rf"{_INT}(?:\.[0-9]+)?"
_DIGITS = "零一二三四五六七八九"
_LONGEST_INT = 9  # more digits, or a leading zero, are read one by one: phone and serial numbers
_MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_UNITS = {
    "km/h": "公里每小时",
    "m/s": "米每秒",
    "km²": "平方公里",
    "m²": "平方米",
    "m³": "立方米",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "m": "米",
    "kg": "公斤",
    "mg": "毫克",
    "g": "克",
    "ml": "毫升",
    "mL": "毫升",
    "L": "升",
    "°C": "摄氏度",
    "℃": "摄氏度",
    "°F": "华氏度",
    "°": "度",
    "kHz": "千赫",
    "MHz": "兆赫",
    "GHz": "吉赫",
    "Hz": "赫兹",
    "KB": "千字节",
    "MB": "兆字节",
    "GB": "吉字节",
    "kWh": "千瓦时",
    "kW": "千瓦",
    "W": "瓦",
    "V": "伏",
    "dB": "分贝",
    "ms": "毫秒",
    "s": "秒",
    "min": "分钟",
    "h": "小时",
}
_MEASURES = (
    "个|只|条|本|张|位|次|年|天|周|小时|分钟|秒|台|辆|岁|件|杯|瓶|块|点|倍|种|家|封|把|声|遍"
)
_SYMBOLS = {
    "&": "和",
    "+": "加",
    "=": "等于",
    "@": "艾特",
    "%": "百分号",
    "°": "度",
    "℃": "摄氏度",
    "²": "平方",
    "³": "立方",
    "×": "乘",
    "÷": "除以",
    "±": "正负",
    "≈": "约等于",
    "≤": "小于等于",
    "≥": "大于等于",
    "<": "小于",
    ">": "大于",
    "−": "减",
    **_MONEY,
}
_ADDRESS_SIGNS = {".": "点", "/": "斜杠", "@": "艾特", "_": "下划线", "+": "加", "-": "杠"}


def chinese_rules() -> tuple[Rule, ...]:
    """The rules in the order in which they apply: what is longer and surer comes first."""
    units = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
    symbols = "".join(re.escape(symbol) for symbol in _SYMBOLS)
    return (
        rule("address", r"(?:https?://|www\.)[!-;=?-~]*[!-+\-/-9=?-~]", _url),
        rule(
            "address",
            r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
            lambda m: _address(m[0]),
        ),
        rule(
            "date",
            r"(?<![0-9])([12][0-9]{3})[-/](1[0-2]|0?[1-9])[-/](3[01]|[12][0-9]|0?[1-9])(?![0-9])",
            lambda m: f"{digits(m[1])}年{number(str(int(m[2])))}月{number(str(int(m[3])))}日",
        ),
        rule(
            "date", r"(?<![0-9])([0-9]{4})(?=(?:[-–—~～至到][0-9]{4})? ?年)", lambda m: digits(m[1])
        ),
        rule("date", r"(?<![0-9.])0?([1-9]|1[0-2])(?= ?月[^球亮])", lambda m: number(m[1])),
        rule("date", r"(?<![0-9.])0?([1-9]|[12][0-9]|3[01])(?= ?[日号])", lambda m: number(m[1])),
        rule(
            "time",
            r"(?<![0-9])(2[0-3]|[01]?[0-9])[:：]([0-5][0-9])(?:[:：]([0-5][0-9]))?(?![0-9])",
            _time,
        ),
        rule("range", r"(?<=[0-9%])[ ]?[–—~～][ ]?(?=-?[0-9])", "到"),
        rule(
            "range", r"(?<=[零一二三四五六七八九])[-–—~～](?=[零一二三四五六七八九]{4} ?年)", "到"
        ),
        rule("range", r"(?<=[0-9%])(?<![-/][0-9])[ ]?-[ ]?(?=[0-9])(?![0-9]+[-/])", "到"),
        rule("ratio", r"(?<=[0-9])[:：](?=[0-9])", "比"),
        rule("number", rf"(?<![A-Za-z0-9)])[-−](?={_NUM})", "负"),
        rule("money", rf"([¥￥$€£]) ?({_NUM})([百千万亿]*)", _money),
        rule("percent", rf"({_NUM}) ?[%％]", lambda m: f"百分之{number(m[1])}"),
        rule("fraction", r"(?<![A-Za-z0-9./])([0-9]{1,2})/([0-9]{1,3})(?![A-Za-z0-9/])", _fraction),
        rule(
            "unit",
            rf"(?<![A-Za-z0-9.])({_NUM}) ?({units})(?![A-Za-z0-9²³])",
            lambda m: number(m[1]) + _UNITS[m[2]],
        ),
        # Before a measure word two is said liǎng, but not as an ordinal.
        rule("number", rf"(?<![第A-Za-z0-9.])2(?= ?(?:{_MEASURES}))", "两"),
        rule("version", r"(?<![0-9])[0-9]+(?:\.[0-9]+){2,}", _dotted),
        rule("number", _NUM, lambda m: number(m[0])),
        rule("symbol", rf"[{symbols}]", lambda m: _SYMBOLS[m[0]]),
    )


def number(written: str) -> str:
    """`1,234.5` in characters: 一千二百三十四点五."""
    whole, _, part = written.replace(",", "").partition(".")
    is_code = len(whole) > _LONGEST_INT or (len(whole) > 1 and whole[0] == "0")
    said = digits(whole) if is_code else _characters(whole)
    return f"{said}点{digits(part)}" if part else said


def digits(written: str) -> str:
    """Digit by digit: `2024` as 二零二四; everything else is left out."""
    return "".join(_DIGITS[int(digit)] for digit in written if digit.isdigit())


def _characters(whole: str) -> str:
    import cn2an  # type: ignore[import-untyped, unused-ignore]

    return str(cn2an.an2cn(whole, "low"))


def _address(written: str) -> str:
    return re.sub(r"[./@_+-]", lambda m: f" {_ADDRESS_SIGNS[m[0]]} ", written)


def _url(match: re.Match[str]) -> str:
    """Host and path; what follows a question mark or a hash is for machines."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0])
    return _address(re.split(r"[?#]", bare)[0].rstrip("/"))


def _time(match: re.Match[str]) -> str:
    said = ("两" if int(match[1]) == 2 else number(str(int(match[1])))) + "点"
    minute, second = match[2], match[3]
    if int(minute) or second:
        said += ("零" if minute[0] == "0" and int(minute) else "") + number(str(int(minute))) + "分"
    return said + number(str(int(second))) + "秒" if second else said


def _money(match: re.Match[str]) -> str:
    return number(match[2]) + match[3] + _MONEY[match[1]]


def _fraction(match: re.Match[str]) -> str:
    return f"{number(str(int(match[2])))}分之{number(str(int(match[1])))}"


def _dotted(match: re.Match[str]) -> str:
    return "点".join(number(each) for each in match[0].split("."))
