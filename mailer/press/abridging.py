"""Abstracts: the first paragraphs of an article that is too long for its mail."""

import re

from lxml.html import HtmlElement

from mailer.press import plaintext

# An abstract is whole paragraphs up to about this many columns: some 220 Chinese characters.
ABSTRACT_COLUMNS = 440
# A single paragraph this long is cut after a sentence.
LONGEST_ABSTRACT = 3 * ABSTRACT_COLUMNS
_SENTENCE_END = re.compile(r"[。！？；][”’」』）]?|[.!?;](?= )")


def abridge(root: HtmlElement) -> None:
    """Leaves the first paragraphs of `root`, whole but for one that is an article by itself."""
    used, is_full = 0, False
    for child in list(root):
        if is_full:
            root.remove(child)
            continue
        words = " ".join(child.text_content().split())
        used += plaintext.width(words)
        is_full = used >= ABSTRACT_COLUMNS
        if used > LONGEST_ABSTRACT and child.tag in {"p", "blockquote"}:
            child.clear()
            child.text = _cut(words)


def _cut(words: str) -> str:
    """The first sentences of `words`, about as long as an abstract."""
    length = ABSTRACT_COLUMNS // plaintext.char_width(words[0])
    ends = [match.end() for match in _SENTENCE_END.finditer(words, 0, LONGEST_ABSTRACT)]
    fitting = [end for end in ends if end <= length] or ends[:1] or [length]
    return words[: fitting[-1]] + "……"
