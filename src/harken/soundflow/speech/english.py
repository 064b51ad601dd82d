"""How numbers, dates, amounts, units and addresses are said in English (American dates).

Numerals in words are num2words' ones.
"""

# The signs that look like others are the point here.
# ruff: noqa: RUF001

from __future__ import annotations

import re

from harken.soundflow.speech.rule import Rule, rule

_INT = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
_NUM = rf"{_INT}(?:\.[0-9]+)?"
_DAY = r"(?:3[01]|[12][0-9]|0?[1-9])(?![0-9])"
_YEAR = r"[12][0-9]{3}(?![0-9])"
_LONGEST_INT = 12  # more digits, or a leading zero, are read one by one: serial and phone numbers
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_SHORT_MONTH = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
_MONTH = f"(?:{'|'.join([*_MONTHS, _SHORT_MONTH])})"
_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "", ""),
    "￥": ("yuan", "yuan", "fen", "fen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "￥", "RMB": "￥", "INR": "₹"}
_UNITS = {
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "mph": ("mile per hour", "miles per hour"),
    "m/s": ("meter per second", "meters per second"),
    "km²": ("square kilometer", "square kilometers"),
    "m²": ("square meter", "square meters"),
    "m³": ("cubic meter", "cubic meters"),
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "m": ("meter", "meters"),
    "ft": ("foot", "feet"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "g": ("gram", "grams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "mL": ("milliliter", "milliliters"),
    "L": ("liter", "liters"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "°": ("degree", "degrees"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "Hz": ("hertz", "hertz"),
    "kB": ("kilobyte", "kilobytes"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "kW": ("kilowatt", "kilowatts"),
    "W": ("watt", "watts"),
    "V": ("volt", "volts"),
    "dB": ("decibel", "decibels"),
    "ms": ("millisecond", "milliseconds"),
    "s": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
}
_ABBREVIATIONS = {
    "Mr.": "Mister",
    "Mrs.": "Missus",
    "Dr.": "Doctor",
    "Prof.": "Professor",
    "vs.": "versus",
    "e.g.": "for example",
    "i.e.": "that is",
    "a.k.a.": "also known as",
    "approx.": "approximately",
    "Fig.": "Figure",
    "Inc.": "Incorporated",
    "Ltd.": "Limited",
    "dept.": "department",
    "w/o": "without",
    "w/": "with",
}
_SYMBOLS = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "#": "number",
    "%": "percent",
    "°": "degrees",
    "²": "squared",
    "³": "cubed",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "≈": "approximately",
    "≤": "at most",
    "≥": "at least",
    "<": "less than",
    ">": "greater than",
    "−": "minus",
    "/": "slash",
    **{symbol: names[1] for symbol, names in _MONEY.items()},
}


def english_rules() -> tuple[Rule, ...]:
    """The rules in the order in which they apply: what is longer and surer comes first."""
    units = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
    short = "|".join(re.escape(each) for each in sorted(_ABBREVIATIONS, key=len, reverse=True))
    symbols = "".join(re.escape(symbol) for symbol in _SYMBOLS)
    return (
        rule("address", r"(?:https?://|www\.)[^\s<>()\"]*[^\s<>()\".,;:!?]", _url),
        rule("address", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", lambda m: _address(m[0])),
        rule("abbreviation", rf"(?<![\w.])(?:{short})(?=\W|$)", lambda m: _ABBREVIATIONS[m[0]]),
        rule("abbreviation", r"(?<![\w.])etc\.(?=\s*(?:$|[A-Z]))", "et cetera."),
        rule("abbreviation", r"(?<![\w.])etc\.", "et cetera"),
        rule("abbreviation", r"(?:\bNos?\.|#) ?(?=[0-9])", "number "),
        rule("date", rf"\b({_YEAR})-(1[0-2]|0?[1-9])-({_DAY})", lambda m: _date(m[2], m[3], m[1])),
        rule("date", rf"\b(1[0-2]|0?[1-9])/({_DAY})/({_YEAR})", lambda m: _date(m[1], m[2], m[3])),
        rule(
            "date",
            rf"\b({_MONTH}) ({_DAY})(?:st|nd|rd|th)?(?![.:][0-9]|[0-9%])(?:,? ({_YEAR}))?",
            lambda m: _date(m[1], m[2], m[3]),
        ),
        rule("date", rf"\b({_MONTH}),? ({_YEAR})", lambda m: f"{_month(m[1])} {year(m[2])}"),
        rule(
            "date",
            rf"(?<![0-9.,])({_DAY})(?:st|nd|rd|th)? (?:of )?({_MONTH})\b(?:,? ({_YEAR}))?",
            lambda m: _date(m[2], m[1], m[3], day_first=True),
        ),
        rule(
            "phone",
            r"(?<![\w-])\+?(?:[0-9]{1,3}[ -])?\(?[0-9]{3}\)?[ -][0-9]{3}-[0-9]{4}\b",
            _phone,
        ),
        rule("phone", r"(?<![\w-])[0-9]{3}-[0-9]{4}\b(?!-)", _phone),
        rule("range", r"(?<=[0-9]) ?[–—] ?(?=[$€£¥]?[0-9])", " to "),
        rule("range", r"(?<=[0-9])(?<![-/][0-9]) ?- ?(?=[$€£¥]?[0-9])(?![0-9]+[-/])", " to "),
        rule(
            "time",
            r"\b(2[0-3]|[01]?[0-9]):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9])"
            r"(?: ?([ap])(?:m\b|\.m\.))?",
            _time,
            re.IGNORECASE,
        ),
        # So Whisper writes it: 3.45 pm.
        rule(
            "time",
            r"\b(1[0-2]|0?[1-9])\.([0-5][0-9])() ?([ap])(?:m\b|\.m\.)",
            _time,
            re.IGNORECASE,
        ),
        rule(
            "time",
            r"\b(1[0-2]|0?[1-9])() ?()([ap])(?:m\b|\.m\.)",
            _time,
            re.IGNORECASE,
        ),
        rule("number", rf"(?<![\w)])[-−](?=[$€£¥]?{_NUM})", "minus "),
        rule("money", rf"([$€£¥￥₹]) ?({_NUM})(?: (thousand|million|billion|trillion)\b)?", _money),
        rule(
            "money",
            rf"\b({_NUM})(?: (thousand|million|billion|trillion))? ({'|'.join(_CODES)})\b",
            lambda m: _amount(_CODES[m[3]], m[1], m[2]),
        ),
        rule("percent", rf"({_NUM}) ?%", lambda m: f"{number(m[1])} percent"),
        rule("decade", r"(?<![0-9])'?((?:[12][0-9])?[1-9]0)s\b", _decade),
        rule("unit", rf"(?<![\w.])({_NUM})[ -]?({units})(?![A-Za-z0-9²³])", _unit),
        rule("ordinal", rf"(?<![\w.])({_INT})(?:st|nd|rd|th)\b", lambda m: ordinal(m[1])),
        rule("fraction", r"(?<![\w./])([0-9]+) +([1-9])/([2-9]|10)(?![\w/])", _mixed),
        rule("fraction", r"(?<![\w./])([1-9])/([2-9]|10)(?![\w/])", _fraction),
        rule("version", r"(?P<before>[^\W0-9_]?)(?<![0-9])([0-9]+(?:\.[0-9]+){2,})", _dotted),
        rule(
            "year",
            r"\b([Ii]n|[Ss]ince|of|by|until|[Ff]rom|[Bb]efore|[Aa]fter|year) "
            r"(1[1-9][0-9]{2}|20[0-9]{2})(?![0-9]|[.,][0-9])\b",
            lambda m: f"{m[1]} {year(m[2])}",
        ),
        rule("ratio", r"(?<=[0-9]):(?=[0-9])", " to "),
        rule("number", _NUM, _number),
        rule("symbol", rf"[{symbols}]", lambda m: f" {_SYMBOLS[m[0]]} "),
    )


def number(written: str) -> str:
    """`1,234.5` in words: one thousand two hundred and thirty-four point five."""
    whole, _, part = written.replace(",", "").partition(".")
    is_code = len(whole) > _LONGEST_INT or (len(whole) > 1 and whole[0] == "0")
    said = digits(whole) if is_code else _words(int(whole), "cardinal")
    return f"{said} point {digits(part)}" if part else said


def digits(written: str) -> str:
    """Digit by digit: `042` as zero four two; everything else is left out."""
    return " ".join(_words(int(digit), "cardinal") for digit in written if digit.isdigit())


def ordinal(written: str) -> str:
    """`21` as twenty-first."""
    plain = written.replace(",", "")
    return digits(plain) if len(plain) > _LONGEST_INT else _words(int(plain), "ordinal")


def year(written: str) -> str:
    """`1999` as nineteen ninety-nine."""
    return _words(int(written), "year")


def _words(value: int, to: str) -> str:
    from num2words import num2words  # type: ignore[import-untyped, unused-ignore]

    return str(num2words(value, to=to)).replace(",", "").replace("oh-", "oh ")


def _address(written: str) -> str:
    named = re.sub(r"[./@_+-]", lambda m: f" {_ADDRESS_SIGNS[m[0]]} ", written)
    return " " + " ".join(named.split()) + " "


_ADDRESS_SIGNS = {".": "dot", "/": "slash", "@": "at", "_": "underscore", "+": "plus", "-": "dash"}


def _url(match: re.Match[str]) -> str:
    """Host and path; what follows a question mark or a hash is for machines."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0])
    return _address(re.split(r"[?#]", bare)[0].rstrip("/"))


def _month(written: str) -> str:
    if written.isdigit():
        return _MONTHS[int(written) - 1]
    return next(month for month in _MONTHS if month.startswith(written[:3]))


def _date(month: str, day: str, in_year: str | None, *, day_first: bool = False) -> str:
    named, counted = _month(month), ordinal(str(int(day)))
    said = f"the {counted} of {named}" if day_first else f"{named} {counted}"
    return f"{said}, {year(in_year)}" if in_year else said


def _time(match: re.Match[str]) -> str:
    hour, minute, second, half = match[1], match[2], match[3], match[4]
    said = number(str(int(hour)))
    if minute and int(minute):
        said += f" oh {number(minute[1])}" if minute[0] == "0" else f" {number(minute)}"
    elif not half and not second:
        said += " o'clock" if 1 <= int(hour) <= 12 else " hundred"
    if second:
        said += f" and {number(str(int(second)))} second{'' if int(second) == 1 else 's'}"
    return f"{said} {half.upper()}M" if half else said


def _phone(match: re.Match[str]) -> str:
    return ", ".join(digits(group) for group in re.findall(r"[0-9]+", match[0]))


def _money(match: re.Match[str]) -> str:
    return _amount(match[1], match[2], match[3])


def _amount(symbol: str, amount: str, scale: str | None) -> str:
    one, many, cent, cents = _MONEY[symbol]
    whole, _, part = amount.replace(",", "").partition(".")
    if scale:
        return f"{number(amount)} {scale} {many}"
    if len(part) != 2 or not cent or len(whole) > _LONGEST_INT:
        return f"{number(amount)} {one if amount == '1' else many}"
    small = f"{number(str(int(part)))} {cent if int(part) == 1 else cents}"
    large = f"{number(whole)} {one if whole == '1' else many}"
    if not int(part):
        return large
    return f"{large} and {small}" if int(whole) else small


def _decade(match: re.Match[str]) -> str:
    said = year(match[1]) if len(match[1]) == 4 else number(match[1])
    return said[:-1] + "ies" if said.endswith("y") else said + "s"


def _unit(match: re.Match[str]) -> str:
    one, many = _UNITS[match[2]]
    return f"{number(match[1])} {one if match[1] == '1' else many}"


def _parts(count: str, of: str) -> str:
    part = {"2": "half", "4": "quarter"}.get(of) or ordinal(of)
    if count != "1":
        part = "halves" if of == "2" else part + "s"
    return f"{number(count)} {part}"


def _fraction(match: re.Match[str]) -> str:
    if int(match[1]) >= int(match[2]):
        return f"{number(match[1])} slash {number(match[2])}"
    return _parts(match[1], match[2])


def _mixed(match: re.Match[str]) -> str:
    return f"{number(match[1])} and {_parts(match[2], match[3])}"


def _dotted(match: re.Match[str]) -> str:
    said = " point ".join(number(each) for each in match[2].split("."))
    return f"{match['before']} {said}" if match["before"] else said


def _number(match: re.Match[str]) -> str:
    """The number with a space to a letter on either side: MP3, 3D."""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    left, right = (" " if each.isalpha() else "" for each in (before, after))
    return f"{left}{number(match[0])}{right}"
