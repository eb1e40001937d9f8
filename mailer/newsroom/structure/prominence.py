"""Which of many lines that may be titles stand out: the highest rank, if there are ranks."""

from collections.abc import Sequence

from mailer.newsroom.structure.articles import Item
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.grouping import Part
from mailer.newsroom.structure.layout import Layout


def most_prominent(items: Sequence[Item], candidates: Sequence[int], layout: Layout) -> list[int]:
    """The candidates of the highest rank, if there are ranks: by style, size, place on the line, space above."""
    chosen = list(candidates)
    if len(chosen) > 1:
        chosen = _by_level(items, chosen)
        chosen = _by_size(items, chosen)
        chosen = _by_place(items, chosen, layout)
        chosen = _by_gap(items, chosen)
    return chosen


def first_block(items: Sequence[Item], at: int) -> Block:
    """The first line of an item that is a part."""
    part = items[at]
    assert isinstance(part, Part)
    return part.blocks[0]


def _by_level(items: Sequence[Item], chosen: list[int]) -> list[int]:
    levels = [first_block(items, at).level for at in chosen]
    known = [level for level in levels if level is not None]
    return [at for at, level in zip(chosen, levels, strict=True) if level == min(known)] if known else chosen


def _by_size(items: Sequence[Item], chosen: list[int]) -> list[int]:
    sizes = [first_block(items, at).size or 0 for at in chosen]
    return [at for at, size in zip(chosen, sizes, strict=True) if size >= max(sizes) - 0.5]


def _by_place(items: Sequence[Item], chosen: list[int], layout: Layout) -> list[int]:
    """Centred lines outrank flush ones, flush ones outrank those that stand where paragraphs begin."""

    def place(at: int) -> int:
        block = first_block(items, at)
        if block.is_centred or block.indent - layout.margin > 8:
            return 2
        return 0 if layout.is_indented and layout.is_indented_line(block) else 1

    places = {at: place(at) for at in chosen}
    return [at for at in chosen if places[at] in {places[chosen[0]], max(places.values())}]


def _by_gap(items: Sequence[Item], chosen: list[int]) -> list[int]:
    """Two blank lines outrank one. The first candidate stands under the masthead, and its gap says nothing."""
    gaps = [first_block(items, at).blank_before for at in chosen[1:]]
    if not gaps or max(gaps) < 2 or min(gaps) >= 2:
        return chosen
    after_text = [at for at in chosen[1:] if isinstance(items[at - 1], Part)]
    return [at for at in chosen if at not in after_text or first_block(items, at).blank_before >= 2]
