"""The text part: made to be read, in columns of a terminal, where a Chinese character takes two.

Paragraphs are wrapped at 76 columns (38 Chinese characters) rather than left flowing: a line of the decoded text
stays far below the 998 bytes that some gateways re-encode it into, and the readers of text parts (terminals, braille
lines, intranet gateways) do not all wrap. Chinese line-breaking rules are kept: no line begins with a closing mark
or ends with an opening one.
"""

import re
import unicodedata
from functools import lru_cache

from mailer.press.slots import TOKEN

COLUMNS = 76
SLOT_COLUMNS = 8

# JIS X 4051 and GB/T 15834: what may not begin a line, and what may not end one.
_CLOSING = frozenset("，。、；：？！）》〉」』】〕｝”’…—～·％‰℃,.;:?!)]}%")
_OPENING = frozenset("（《〈「『【〔｛“‘([{")
# A run of anything narrow is a word; a wide character is a word of its own.
_SPACES = re.compile(r"[ \t\r\n\xa0]+")


@lru_cache(maxsize=1 << 16)
def char_width(character: str) -> int:
    """Columns of one character (UAX #11); ambiguous ones, such as Chinese quotation marks, count as wide."""
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def width(text: str) -> int:
    """Columns of `text`; a slot counts as a short name, for nobody knows yet what it will hold."""
    return sum(map(char_width, TOKEN.sub("x" * SLOT_COLUMNS, text)))


def _units(word: str) -> list[str]:
    """`word` (without blanks) cut where a line may end."""
    units: list[str] = []
    may_break = False
    for character in word:
        is_wide = char_width(character) == 2
        if not units:
            units.append(character)
        elif character in _CLOSING or units[-1][-1] in _OPENING or not (is_wide or may_break):
            units[-1] += character
        else:
            units.append(character)
        may_break = is_wide
    return units


def wrap(text: str, *, first: str = "", rest: str = "", columns: int = COLUMNS) -> str:
    """`text` as lines of at most `columns`, the first after `first`, the others after `rest`.

    A word longer than a line, such as an address, is never broken. A line break in `text` is only a blank.
    """
    lines: list[str] = []
    line, used, is_empty = first, width(first), True
    for word in _SPACES.split(text.strip()):
        for number, unit in enumerate(_units(word)):
            blank = "" if number or is_empty else " "
            size = width(unit)
            if not is_empty and used + len(blank) + size > columns:
                lines.append(line.rstrip())
                line, used, blank = rest, width(rest), ""
            line += blank + unit
            used += len(blank) + size
            is_empty = False
    return "\n".join([*lines, line.rstrip()])


def centre(text: str, columns: int = COLUMNS) -> str:
    """`text` in the middle of a line."""
    return " " * max(0, (columns - width(text)) // 2) + text


def justify(left: str, right: str, columns: int = COLUMNS, *, leader: str = " ", rest: str = "") -> str:
    """`left` and `right` at the two ends of a line, or `left` wrapped first where they do not fit, its further lines
    after `rest`.
    """
    *lines, last = wrap(left, rest=rest, columns=columns - width(right) - 2).split("\n")
    gap = max(1, columns - width(last) - width(right) - (2 if leader != " " else 0))
    filling = leader * gap if leader == " " else f" {leader * gap} "
    return "\n".join([*lines, f"{last}{filling}{right}" if right else last])


def tidy(text: str) -> str:
    """No blank at a line's end, never more than one empty line, one line end at the end."""
    lines = [line.rstrip(" \t") for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
