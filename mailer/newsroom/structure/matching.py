"""Whether two titles are the same title: quotes, spaces, widths, dashes, abbreviation and extras do not matter."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

from mailer.newsroom.structure.typography import fold

# What is longer is running text, and too many to keep.
_SHORT = 200
_NO_LETTER = re.compile(r"[\W_]+")
# From here on two titles count as the same without further evidence.
SAME = 0.75
# Between two titles that stand at the same place in both lists, this much will do.
SAME_PLACE = 0.4


def normal_form(text: str) -> str:
    """Letters and digits only, folded and case-folded: what two spellings of one title share."""
    return _short_form(text) if len(text) <= _SHORT else _short_form.__wrapped__(text)


@lru_cache(maxsize=8192)
def _short_form(text: str) -> str:
    return _NO_LETTER.sub("", fold(unicodedata.normalize("NFKC", fold(text))).casefold())


def similarity(first: str, second: str) -> float:
    """From 0 to 1 for two normal forms. An abbreviation or an extra at either end scores 0.85 or more."""
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    short, long = sorted((first, second), key=len)
    share = len(short) / len(long)
    if len(short) >= 4 and share >= 0.5 and short in long:
        return 0.9 + share / 20
    if len(short) >= 6 and share >= 0.5 and short[:2] == long[:2] and _is_abbreviation(short, long):
        return max(0.85, SequenceMatcher(None, first, second, autojunk=False).ratio())
    if share < 0.4:
        return 0.0
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _is_abbreviation(short: str, long: str) -> bool:
    rest = iter(long)
    return all(character in rest for character in short)
