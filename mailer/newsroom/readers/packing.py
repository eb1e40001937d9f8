"""What the reading process says: steps on the way, then one answer. Apart from `confined`, because that process loads
nothing that it does not use: half its time for a short document is its start.
"""

import json
from typing import Any

from mailer.errors import UnreadableError
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.structure.blocks import Block, Inset, Picture
from mailer.newsroom.structure.spans import ListItem, Mark, Span, is_linkable

_LENGTH_BYTES = 8
# A step on the way, "p37 100" and a line end, begins so; the answer, with the highest byte of a length, never does.
STEP = b"p"


def packed(content: DocumentContent) -> bytes:
    """What the child says: the length of a JSON header, the header, the pictures one after the other."""
    header = {
        "blocks": [_short(block) for block in content.blocks],
        "encoding": content.encoding,
        "pictures": [[len(one.content), one.media_type, one.alt] for one in content.pictures],
        "is_furniture_known": content.is_furniture_known,
        "notices": [[one.message, one.params, one.line] for one in content.notices],
    }
    return _framed(header) + b"".join(one.content for one in content.pictures)


def packed_refusal(error: UnreadableError) -> bytes:
    """The same for a document that was refused."""
    return _framed({"refused": error.message, "params": error.params, "place": error.place})


def packed_step(done: int, total: int) -> bytes:
    """That so many pages or paragraphs of so many are done."""
    return STEP + b"%d %d\n" % (done, total)


def _framed(header: dict[str, Any]) -> bytes:
    encoded = json.dumps(header, ensure_ascii=False).encode("utf-8", "replace")
    return len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded


def _short(block: Block) -> dict[str, Any]:
    """A block's fields that are not at their defaults: most are."""
    short = {name: value for name in _FIELDS if (value := getattr(block, name)) != _DEFAULTS.get(name, ...)}
    if block.spans:
        short["spans"] = [[one.words, sorted(one.marks), one.address, one.before, one.note] for one in block.spans]
    return short


_FIELDS = tuple(Block.__dataclass_fields__)
_DEFAULTS = {name: getattr(Block("?", 1), name) for name in _FIELDS if name not in {"text", "line"}}


def unpacked(answer: bytes) -> DocumentContent:
    """What the child said. Raises the refusal that it may be."""
    start = _LENGTH_BYTES + int.from_bytes(answer[:_LENGTH_BYTES], "big")
    header = json.loads(answer[_LENGTH_BYTES:start])
    if "refused" in header:
        raise UnreadableError(header["refused"], place=header["place"], **header["params"])
    pictures = []
    for length, media_type, alt in header["pictures"]:
        pictures.append(Picture(answer[start : start + length], media_type, alt))
        start += length
    return DocumentContent(
        [_block(values) for values in header["blocks"]],
        header["encoding"],
        tuple(pictures),
        tuple(Notice(message, params, line) for message, params, line in header["notices"]),
        is_furniture_known=header["is_furniture_known"],
    )


def _block(values: dict[str, Any]) -> Block:
    if "inset" in values:
        values["inset"] = Inset(values["inset"])
    if "cells" in values:
        values["cells"] = tuple(values["cells"])
    if "spans" in values:
        values["spans"] = tuple(_span(*span) for span in values["spans"])
    if "item" in values:
        values["item"] = ListItem(*values["item"])
    return Block(**values)


def _span(words: str, marks: list[str], address: str, before: str, note: str) -> Span:
    return Span(words, frozenset(map(Mark, marks)), address if is_linkable(address) else "", before, note)
