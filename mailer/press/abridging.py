"""Shorter forms of an article that is too long for its mail: an abstract, a few lines, its entry in the contents."""

import re
from dataclasses import dataclass
from enum import IntEnum

from lxml.html import HtmlElement

from mailer.press import plaintext

_SENTENCE_END = re.compile(r"[。！？；][”’」』）]?|[.!?;](?= )")


class Length(IntEnum):
    """How much of an article its mail holds; each less than the one before. All but a whole one link to the web."""

    WHOLE = 0
    # Its first paragraphs, with their pictures, lists and tables.
    ABSTRACT = 1
    # Its first sentences.
    BRIEF = 2
    # Nothing below the contents, whose entry leads to it.
    LISTED = 3


@dataclass(frozen=True, slots=True)
class _Measure:
    """Whole paragraphs up to about `columns`; a single one longer than `longest` is cut after a sentence. What is no
    text is left out where `is_text`.
    """

    columns: int
    longest: int
    is_text: bool = False


# Some 220 Chinese characters, and some 70.
_MEASURES = {Length.ABSTRACT: _Measure(440, 1320), Length.BRIEF: _Measure(140, 220, is_text=True)}


def abridge(root: HtmlElement, length: Length) -> None:
    """Leaves of `root`, a whole body, what makes up an abstract or a brief."""
    measure = _MEASURES[length]
    used, is_full = 0, False
    for child in list(root):
        if is_full or (measure.is_text and not _is_text(child)):
            root.remove(child)
            continue
        words = " ".join(child.text_content().split())
        used += plaintext.width(words)
        is_full = used >= measure.columns
        if used > measure.longest and child.tag in {"p", "blockquote"}:
            child.clear()
            child.text = _cut(words, measure)


def _is_text(child: HtmlElement) -> bool:
    return child.tag == "p" and child.find(".//img") is None


def _cut(words: str, measure: _Measure) -> str:
    """The first sentences of `words`, about as long as is wanted."""
    length = measure.columns // plaintext.char_width(words[0])
    ends = [match.end() for match in _SENTENCE_END.finditer(words, 0, measure.longest)]
    fitting = [end for end in ends if end <= length] or ends[:1] or [length]
    return words[: fitting[-1]] + "……"
