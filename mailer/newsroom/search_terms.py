"""What a visitor typed into the archive's search, as pure values: terms, the index's query, and where a text says them.

The index (migration 0090) holds words, and for Chinese every pair of neighbouring characters. A term of more than one
pair or word asks for all of them and then whether the text says the term itself.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# As in the migration: characters written without blanks, and those of words.
CJK = "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = "a-z0-9\u00c0-\u024f\u0370-\u052f"
_RUNS = re.compile(rf"[{CJK}]+|[{WORD}]+")
_WORDS = re.compile(rf"[{WORD}]+")
# A phrase in quotes, in either language's, or what stands between blanks.
_TERMS = re.compile(r'["“”「]([^"“”「」]*)["“”」]|([^\s"“”「」]+)')
_INVISIBLE = re.compile("[\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff]")
_BLANKS = re.compile("[\u0001-\u0020\u007f-\u009f\u1680\u2028\u2029]+")

QUERY_LENGTH = 100
TERMS = 8
# The index keeps no more of a word.
GRAM_LENGTH = 60
# A word this long is found by its beginning (tide: tides); a shorter one would be the beginning of half the language.
PREFIX_LENGTH = 3


def fold(text: str) -> str:
    """`text` as the index has it: one width, no accents, small ASCII letters, single blanks. See ``archive_fold``."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text))
    return _lower(_BLANKS.sub(" ", text))


def _lower(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase, folded. `grams` are lexemes of the index with whether each is only a beginning."""

    text: str
    grams: tuple[tuple[str, bool], ...]

    @property
    def is_exact(self) -> bool:
        """Whether a row that has the grams says the term, so that its text need not be looked at."""
        return len(self.grams) == 1 and bool(_RUNS.fullmatch(self.text)) and len(self.text) <= GRAM_LENGTH


def read_query(typed: str) -> tuple[Term, ...]:
    """The terms of what was typed, each once, at most `TERMS`; empty where nothing in it can be looked for."""
    found: dict[str, Term] = {}
    for quoted, bare in _TERMS.findall(typed):
        text = fold(quoted or bare).strip()
        grams = tuple(_grams(text))
        if grams:
            found.setdefault(text, Term(text, grams))
    return tuple(found.values())[:TERMS]


def _grams(text: str) -> Iterator[tuple[str, bool]]:
    runs = list(_RUNS.finditer(text))
    for run in runs:
        said = run[0]
        if _WORDS.fullmatch(said):
            is_open = run.end() == len(text) and len(said) >= PREFIX_LENGTH
            yield said[:GRAM_LENGTH], is_open
        elif len(said) == 1:
            yield said, True
        else:
            yield from ((said[at : at + 2], False) for at in range(len(said) - 1))


def as_tsquery(terms: Sequence[Term]) -> str:
    """PostgreSQL's tsquery for all of `terms`. Lexemes hold letters, digits and characters alone: nothing to escape."""
    grams = dict.fromkeys(gram for term in terms for gram in term.grams)
    return " & ".join(f"'{gram}'{':*' if is_open else ''}" for gram, is_open in grams)


# ---- showing where --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text and whether it is what was looked for."""

    text: str
    is_found: bool


def find_marks(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """(start, end) in `text` of all that the terms say, in order, overlaps joined."""
    folded, places = _fold_with_places(text)
    spans = sorted(
        (places[at.start()], places[at.end() - 1] + 1) for term in terms for at in _pattern(term).finditer(folded)
    )
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _pattern(term: Term) -> re.Pattern[str]:
    """A word is marked where it begins; within another word it was not found."""
    first, last = _RUNS.match(term.text), term.grams[-1]
    before = rf"(?<![{WORD}])" if first and _WORDS.fullmatch(first[0]) else ""
    is_closed = _WORDS.fullmatch(last[0]) and not last[1] and re.search(rf"[{WORD}]$", term.text)
    return re.compile(before + re.escape(term.text) + (rf"(?![{WORD}])" if is_closed else ""))


def _fold_with_places(text: str) -> tuple[str, list[int]]:
    """`fold`, and for each character of the result where in `text` it comes from."""
    folded: list[str] = []
    places: list[int] = []
    for at, sign in enumerate(text):
        for part in _INVISIBLE.sub("", unicodedata.normalize("NFKD", sign)):
            blank = bool(_BLANKS.fullmatch(part))
            if blank and folded and folded[-1] == " ":
                continue
            folded.append(" " if blank else _lower(part))
            places.append(at)
    return "".join(folded), places


def cut(text: str, marks: Sequence[tuple[int, int]]) -> list[Piece]:
    """`text` in pieces, marked ones apart."""
    pieces, at = [], 0
    for start, end in marks:
        pieces += [Piece(text[at:start], is_found=False), Piece(text[start:end], is_found=True)]
        at = end
    pieces.append(Piece(text[at:], is_found=False))
    return [piece for piece in pieces if piece.text]


def snippet(text: str, terms: Sequence[Term], *, before: int = 30, length: int = 130) -> list[Piece]:
    """The stretch of `text` around the first place that says one of `terms` (its beginning, where none does)."""
    marks = find_marks(text, terms)
    start = max(0, marks[0][0] - before) if marks else 0
    end = min(len(text), start + length)
    start = max(0, min(start, end - length))
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in marks if a < end and b > start]
    pieces = cut(text[start:end], inside)
    dots = [Piece("…", is_found=False)]
    return (dots if start else []) + pieces + (dots if end < len(text) else [])
