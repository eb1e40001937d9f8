"""A stored source document as the lines it was read as: what the import report shows beside its findings."""

from collections import OrderedDict
from dataclasses import replace

from mailer.newsroom.parsing import read_document
from mailer.newsroom.readers.kinds import Kind, kind_of_file
from mailer.newsroom.readers.limits import LIMITS, Limits
from mailer.newsroom.reading import read_text

# Reports that are looked at again and again: reading a PDF takes a process and up to a second. A hundred-page document
# has some 200 kB of lines.
_MOST_KEPT = 16
_kept: OrderedDict[str, list[str]] = OrderedDict()


def lines_of_source(content: bytes, filename: str, sha256: str) -> list[str]:
    """The lines of a document that was read before; the n-th is what a warning calls line n.

    The operator's limit on uploads does not count: the document was taken when it allowed it. Raises `UnreadableError`.
    """
    if sha256 in _kept:
        _kept.move_to_end(sha256)
        return _kept[sha256]
    lines = _lines(content, filename)
    _kept[sha256] = lines
    while len(_kept) > _MOST_KEPT:
        _kept.popitem(last=False)
    return lines


def _lines(content: bytes, filename: str) -> list[str]:
    if kind_of_file(content, filename) in {Kind.TEXT, Kind.MARKDOWN}:
        return read_text(content, max_bytes=len(content)).text.split("\n")
    blocks = read_document(content, filename, _without_limit(len(content))).blocks
    lines = [""] * max((block.line for block in blocks), default=0)
    for block in blocks:
        before = lines[block.line - 1]
        lines[block.line - 1] = f"{before} {block.text}" if before else block.text
    return lines


def _without_limit(size: int) -> Limits:
    return replace(LIMITS, max_bytes=max(size, LIMITS.max_bytes))
