"""Whether parsing tells of every line what became of it."""

from collections.abc import Iterable, Sequence

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.tracing import TracedLine


def untold(blocks: Sequence[Block], lines: Iterable[TracedLine]) -> list[object]:
    """Blocks that no traced line tells of, whole or in pieces, and traced lines that are of no block."""
    texts: dict[int, list[str]] = {}
    told: dict[int, list[str]] = {}
    for block in blocks:
        texts.setdefault(block.line, []).append(block.text)
    for line in lines:
        told.setdefault(line.line, []).append(line.text)
    missing: list[object] = [
        block
        for block in blocks
        if block.text not in told.get(block.line, ())
        and _letters(block.text) not in _letters("".join(told.get(block.line, ())))
    ]
    return missing + [
        (number, text)
        for number, pieces in told.items()
        for text in pieces
        if not any(text in whole for whole in texts.get(number, ()))
    ]


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))
