"""Characters: folding for comparison, display width, whether a paragraph is finished, and how two halves are joined."""

import re
import unicodedata
from functools import lru_cache

from mailer.newsroom.structure.lexicon import KEPT_PREFIXES, SIMPLIFIED, TRADITIONAL

# One to one, so that positions in folded text are positions in the original.
_FOLD = {ord(a): b for a, b in zip(TRADITIONAL, SIMPLIFIED, strict=True)}
_FOLD |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_FOLD |= dict.fromkeys(map(ord, "\u3000\u00a0\u2002\u2003\t"), " ")
_FOLD |= dict.fromkeys(map(ord, "–—―─━－‒﹣⸺"), "—")
_FOLD |= dict.fromkeys(map(ord, "【〔［〖「『"), "[") | dict.fromkeys(map(ord, "】〕］〗」』"), "]")
_FOLD |= dict.fromkeys(map(ord, "～〜∼"), "~") | dict.fromkeys(map(ord, "○零"), "〇")
_FOLD |= dict.fromkeys(map(ord, "︰﹕∶"), ":")

# What is longer is running text, and too many to keep.
_SHORT = 200

CLOSERS = "”’」』）)】〕］]》〉\"'"
_ENDS = "。！？!?…．"
# A list item or an introduction to a list is finished too, though the sentence goes on.
_SOFT_ENDS = "；;：:"
_OPENERS = "“‘「『（(【〔［[《〈"
_CONTINUERS = "，。、；：！？,;:!?.)）”’」』】〕］》〉…%％"
_UNITS_AFTER_NUMBER = frozenset("万亿余多个家项名人次款元吨岁倍届")
_KEPT_PREFIXES = frozenset(KEPT_PREFIXES.split())
_HYPHENATED = re.compile(r"([A-Za-z]+)[-\u2010\u00ad]$")


def fold(text: str) -> str:
    """`text` with widths, dashes, brackets and traditional keywords made alike, character for character."""
    return _fold(text) if len(text) <= _SHORT else text.translate(_FOLD)


@lru_cache(maxsize=8192)
def _fold(text: str) -> str:
    return text.translate(_FOLD)


def squeeze(text: str) -> str:
    """Folded, without any white space: for recognising words that were letter-spaced."""
    return "".join(fold(text).split())


def is_cjk(character: str) -> bool:
    """Whether it is written without spaces around it: an ideograph or full-width punctuation."""
    return unicodedata.east_asian_width(character) in "WF"


def width(text: str) -> int:
    """Columns on paper, ideographs counting two; quotes and dashes are as wide as the text they stand in.

    Columns beyond the 400th character are not counted: no line on paper is that long, and no rule asks.
    """
    return _width(text[:400])


@lru_cache(maxsize=8192)
def _width(text: str) -> int:
    kinds = list(map(unicodedata.east_asian_width, text))
    ambiguous = kinds.count("A") if "W" in kinds or "F" in kinds else 0
    return len(kinds) + kinds.count("W") + kinds.count("F") + ambiguous


def is_latin(text: str) -> bool:
    """Whether the text is mostly written with spaces between words."""
    return _is_latin(text) if len(text) <= _SHORT else _is_latin.__wrapped__(text[:2000])


@lru_cache(maxsize=8192)
def _is_latin(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return bool(letters) and sum(is_cjk(letter) for letter in letters) * 4 < len(letters)


def is_finished(text: str, *, soft: bool = True) -> bool:
    """Whether a paragraph may end here. A closing quote alone does not say so: what stands before it does.

    A closing bracket after a full sentence ("…。（记者 张三）") finishes too. `soft` counts colons and semicolons.
    """
    tail = text[-80:].rstrip()
    bare = tail.rstrip(CLOSERS)
    if not bare:
        return True
    if bare[-1] in _ENDS or (bare[-1] == "." and not _is_initial(bare)):
        return True
    if soft and len(bare) == len(tail) and bare[-1] in _SOFT_ENDS:
        return max(tail.rfind(bracket) for bracket in "（(【[") <= max(tail.rfind(bracket) for bracket in "）)】]")
    if tail[-1] in "）)】]〕":
        opened = max(bare.rfind(bracket) for bracket in "（(【[〔")
        before = bare[:opened].rstrip().rstrip(CLOSERS) if opened > 0 else ""
        return bool(before) and (before[-1] in _ENDS or before[-1] == ".")
    return False


def _is_initial(text: str) -> bool:
    return re.search(r"(?:^|\s)(?:[A-Z]|No|Vol|Dr|Mr|Mrs|Ms|Prof|St|vs|etc|e\.g|i\.e|Fig)\.$", text) is not None


def is_unclosed(text: str) -> bool:
    """Whether a quotation or a bracket is open at the end."""
    tail = text[-400:]
    return any(
        tail.rfind(opener) > tail.rfind(closer) for opener, closer in ("“”", "‘’", "「」", "『』", "（）", "()", "《》")
    )


def begins_inside(text: str) -> bool:
    """Whether no paragraph can begin like this: with closing punctuation, a lower-case letter or a particle."""
    if not text:
        return False
    is_particle = text[0] == "的" and text[1:2] not in {"确", "士"}
    return text[0] in _CONTINUERS or is_particle or ("a" <= text[0] <= "z" and text[1:2] != ")")


def belong_together(left: str, right: str) -> bool:
    """Whether what stands on both sides of a cut is one: a number and its unit, quotations in a row."""
    if left[-1:].isdigit() and right[:1] in _UNITS_AFTER_NUMBER:
        return True
    return left[-1:] == "”" and right[:1] == "“" and ("”“" in left[-60:] or "”“" in right[:60])


def ends_inside(text: str) -> bool:
    """Whether no paragraph, nor a heading, can end like this: with a comma, an opening bracket or a hyphen."""
    return bool(text) and (text[-1] in "，、,—-／/＋+＝=" or text[-1] in _OPENERS)


def join(left: str, right: str) -> str:
    """Two halves of a title or paragraph made whole: Chinese without a space, English with one, hyphenation undone."""
    lost, between = joint(left, right)
    return left[: len(left) - lost] + between + right


def joint(left: str, right: str, *, has_space: bool = False) -> tuple[int, str]:
    """How two halves are joined: how many characters go from the end of `left` (a hyphen), and what comes between.

    `has_space` says that a space stood at the line's end: between a digit or letter and an ideograph it is kept.
    """
    if not left or not right:
        return 0, ""
    if (hyphenated := _HYPHENATED.search(left[-40:])) and right[0].isalpha() and not is_cjk(right[0]):
        return (0 if _keeps_hyphen(left, right, hyphenated[1]) else 1), ""
    if left[-1] == "-" and right[0].isdigit() and left[-2:-1].isalnum():
        return 0, ""
    is_mixed = left[-1].isalnum() and right[0].isalnum() and is_cjk(left[-1]) != is_cjk(right[0])
    return 0, " " if _needs_space(left, right) or (has_space and is_mixed) else ""


def _keeps_hyphen(left: str, right: str, first: str) -> bool:
    is_compound = left[-len(first) - 2 : -len(first) - 1] in {"-", "\u2010"}
    return is_compound or first.lower() in _KEPT_PREFIXES or right[0].isupper() or first.isupper()


def _needs_space(left: str, right: str) -> bool:
    if is_cjk(left[-1]) or is_cjk(right[0]) or left[-1] == "—" or right[0] == "—":
        return False
    if left[-1].isdigit() and right[0].isdigit():
        return is_latin(left[-40:] + right[:40])
    if left[-1].isalnum() and right[0].isalnum():
        return True
    return is_latin(left[-40:] + right[:40])
