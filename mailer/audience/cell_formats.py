"""A number of a workbook as its cell shows it: 00001, 010-8888, 12.5 %, by the cell's number format (ECMA-376 18.8.31).

What people see is what they mean: a staff number is a text of five signs to them, whatever a spreadsheet keeps. Two
things of a format are not followed, because they make another number of it for whoever reads it next: separators of
thousands and exponents. Nor are fractions and formats that hide the number.
"""

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache

# Of Excel; a longer one was not made by a spreadsheet.
LONGEST = 255
# A number has 15 significant digits to a spreadsheet; 0.1 + 0.2 is 0.3 there.
_EXACT = 15
_ROUND = Context(prec=400, rounding=ROUND_HALF_UP)
_PART = re.compile(
    r"""
    "(?P<quoted>[^"]*)" | \\(?P<escaped>.) | [_*](?P<room>.)
    | \[(?P<bracket>[^\]]*)\] | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_HOLDS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
}


@dataclass(frozen=True, slots=True)
class Places:
    """One section of a format: literal texts and the signs 0, # and ? in their order, before and behind the point."""

    whole: tuple[str, ...]
    decimals: tuple[str, ...]
    # Beside those of `whole` and `decimals`: whether it is a place for a digit.
    kinds: tuple[bool, ...]
    percents: int
    condition: tuple[str, Decimal] | None


def show(value: float, number_format: str) -> str:
    """`value` as text; digit by digit where the format says nothing that can be followed."""
    exact = _exact(value)
    if exact is None:
        return str(value)
    sections = _read(number_format) if len(number_format) <= LONGEST else ()
    found = _choose(sections, exact)
    if found is None:
        return _plain(exact)
    places, has_sign = found
    return ("-" if exact < 0 and has_sign else "") + _fill(places, abs(exact))


def _exact(value: float) -> Decimal | None:
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(f"{value:.{_EXACT}g}") if math.isfinite(value) else None


def _plain(exact: Decimal) -> str:
    text = format(exact, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _choose(sections: tuple[Places | None, ...], exact: Decimal) -> tuple[Places, bool] | None:
    """The section that is for this number, and whether a minus stands before it."""
    numbers = sections[:3]
    conditions = [each.condition for each in numbers if each is not None and each.condition is not None]
    if conditions:
        for each in numbers:
            if each is None or each.condition is None or _HOLDS[each.condition[0]](exact, each.condition[1]):
                return (each, True) if each is not None else None
        return None
    at = 0
    if exact < 0 and len(numbers) > 1:
        at = 1
    elif exact == 0 and len(numbers) > 2:
        at = 2
    chosen = numbers[at] if numbers else None
    return (chosen, at == 0) if chosen is not None else None


def _fill(places: Places, exact: Decimal) -> str:
    split = len(places.whole)
    count = sum(places.kinds[split:])
    scaled = exact.scaleb(2 * places.percents, _ROUND)
    rounded = format(scaled.quantize(Decimal(1).scaleb(-count), context=_ROUND), "f")
    whole, _, decimals = rounded.partition(".")
    return _fill_whole(places.whole, places.kinds[:split], whole) + _fill_decimals(
        places.decimals, places.kinds[split:], decimals
    )


def _fill_whole(signs: tuple[str, ...], kinds: tuple[bool, ...], digits: str) -> str:
    """From the right; what is left over stands at the leftmost place."""
    rest = list(digits.lstrip("0"))
    first = kinds.index(True) if True in kinds else None
    out = []
    for at in range(len(signs) - 1, -1, -1):
        if not kinds[at]:
            out.append(signs[at])
            continue
        out.append(rest.pop() if rest else "0" if signs[at] == "0" else "")
        if at == first:
            out.append("".join(rest))
    return "".join(reversed(out))


def _fill_decimals(signs: tuple[str, ...], kinds: tuple[bool, ...], digits: str) -> str:
    """From the left; zeros at the end are shown where the format has a 0."""
    needed = len(digits.rstrip("0"))
    out, at = [], 0
    for sign, is_place in zip(signs, kinds, strict=True):
        if not is_place:
            out.append(sign)
            continue
        if at < needed or sign == "0":
            out.append(digits[at])
        at += 1
    text = "".join(out)
    # Without a decimal to it, the point says nothing.
    return "" if text == "." else text


@lru_cache(maxsize=256)
def _read(number_format: str) -> tuple[Places | None, ...]:
    """The sections of a format; `None` for one that is not followed, and nothing for General."""
    sections: list[list[re.Match[str]]] = [[]]
    for part in _PART.finditer(number_format):
        if part["sign"] == ";":
            sections.append([])
        else:
            sections[-1].append(part)
    return tuple(_read_section(parts) for parts in sections)


def _read_section(parts: list[re.Match[str]]) -> Places | None:
    signs: list[str] = []
    kinds: list[bool] = []
    point: int | None = None
    for part in parts:
        sign = part["sign"]
        if sign is None:
            # What a star or an underline keeps room for is no text, nor is a colour or a currency in brackets.
            _add(signs, kinds, part["quoted"] or part["escaped"] or "")
        elif sign == "," and True in kinds and point is None:
            continue
        elif (sign.isascii() and sign.isalpha()) or sign in "@/,":
            return None  # General, a date, an exponent, a fraction, a text, a scale.
        else:
            point = len(signs) if sign == "." and point is None else point
            _add(signs, kinds, sign, is_place=sign in "0#?")
    if True not in kinds or parts[-1]["sign"] == ",":
        return None
    split = len(signs) if point is None else point
    percents = sum(part["sign"] == "%" for part in parts)
    return Places(tuple(signs[:split]), tuple(signs[split:]), tuple(kinds), percents, _find_condition(parts))


def _find_condition(parts: list[re.Match[str]]) -> tuple[str, Decimal] | None:
    for part in parts:
        said = _CONDITION.fullmatch(part["bracket"] or "")
        if said:
            return said[1], Decimal(said[2])
    return None


def _add(signs: list[str], kinds: list[bool], sign: str, *, is_place: bool = False) -> None:
    signs.append(sign)
    kinds.append(is_place)
