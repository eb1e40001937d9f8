"""Chinese, Arabic and Roman numerals, and the dates written with them. Input is folded text (see `typography.fold`)."""

import datetime as dt
import re

DIGIT = r"[0-9〇一二三四五六七八九十百千廿卅]"
# Letter-spaced mastheads put spaces between the digits as well.
NUMBER = rf"{DIGIT}(?: ?{DIGIT}){{0,6}}"

# Arabic digits too: "二0二四年" is typed often.
_VALUES = {
    character: value for digits in ("〇一二三四五六七八九", "0123456789") for value, character in enumerate(digits)
}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_YEAR = rf"(?P<year>{DIGIT}(?: ?{DIGIT}){{3}})"
DATES = (
    re.compile(rf"(?:中华)?民国 ?(?P<republic>{NUMBER}) ?年 ?(?P<month>{NUMBER}) ?月 ?(?P<day>{NUMBER}) ?[日号]"),
    re.compile(rf"{_YEAR} ?年 ?(?P<month>{NUMBER}) ?月 ?(?P<day>{NUMBER}) ?[日号]"),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d) ?[-—./] ?(?P<month>\d{1,2}) ?[-—./] ?(?P<day>\d{1,2})(?![\d])"),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)? +(?:of +)?{_MONTH},? +(?P<year>\d{{4}})", re.IGNORECASE),
    re.compile(rf"\b{_MONTH} +(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? +(?P<year>\d{{4}})", re.IGNORECASE),
)
YEARS = (
    re.compile(rf"(?:中华)?民国 ?(?P<republic>{NUMBER}) ?年(?: ?{NUMBER} ?月)?"),
    re.compile(rf"{_YEAR} ?年(?: ?{NUMBER} ?月(?:号|刊)?)?"),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d) ?[-—./] ?\d{1,2}(?!\d)"),
    re.compile(rf"\b{_MONTH},? +(?P<year>\d{{4}})\b", re.IGNORECASE),
    re.compile(
        r"(?:\b(?:spring|summer|autumn|fall|winter),? +)?(?<!\d)(?P<year>(?:19|20)\d\d)(?![\d级届后亿万余])",
        re.IGNORECASE,
    ),
)
# From when to when an issue reports: no date of its own.
SPANS = (
    re.compile(
        rf"\(? ?(?:{_YEAR} ?年 ?)?{NUMBER} ?月 ?{NUMBER} ?日? ?[-—~至到] ?"
        rf"(?:{DIGIT}{{4}} ?年 ?)?(?:{NUMBER} ?月 ?)?{NUMBER} ?日 ?\)?"
    ),
    re.compile(
        r"\(? ?(?<!\d)(?:(?P<year>(?:19|20)\d\d)[./])?\d{1,2}[./]\d{1,2} ?[-—~至到] ?"
        r"(?:(?:19|20)\d\d[./])?\d{1,2}[./]\d{1,2}(?!\d) ?\)?"
    ),
)


def numeral(text: str) -> int | None:
    """The value of a folded numeral: "09", "二十一", "二〇二四", "廿三", "VII". `None` when it is none."""
    text = text.replace(" ", "")
    if text.isascii() and text.isdigit():
        return int(text)
    if text and all(character in _ROMAN for character in text.upper()):
        return _roman(text.upper())
    text = text.replace("廿", "二十").replace("卅", "三十")
    if not text or any(character not in _VALUES and character not in _UNITS for character in text):
        return None
    if not any(character in _UNITS for character in text):
        return int("".join(str(_VALUES[character]) for character in text))
    total, digit = 0, 0
    for character in text:
        if character in _UNITS:
            total, digit = total + (digit or 1) * _UNITS[character], 0
        else:
            digit = _VALUES[character]
    return total + digit


def _roman(text: str) -> int:
    values = [_ROMAN[character] for character in text]
    return sum(-value if value < max(values[at:]) else value for at, value in enumerate(values))


def date_of(match: re.Match[str]) -> dt.date | None:
    """The date a match of one of `DATES` means; `None` when the calendar has no such day."""
    return date_in(year_of(match), match)


def date_in(year: int | None, match: re.Match[str]) -> dt.date | None:
    """The date of a match that says month and day, in a year."""
    try:
        return dt.date(year or 0, _month(match["month"]) or 0, numeral(match["day"]) or 0)
    except ValueError:
        return None


def year_of(match: re.Match[str]) -> int | None:
    """The year of a match of `DATES` or `YEARS`; years of the Republic (民國) are turned into the common era."""
    groups = match.groupdict()
    if groups.get("republic"):
        count = numeral(groups["republic"])
        return None if count is None else 1911 + count
    year = numeral(groups["year"])
    return year if year is not None and 1900 <= year <= 2199 else None


def _month(text: str) -> int | None:
    name = text[:3].lower()
    return _MONTHS.index(name) + 1 if name in _MONTHS else numeral(text)
