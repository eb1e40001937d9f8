"""Heading styles, and sizes where there are none: which rank of heading titles articles, which names sections."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.entries import read_entry
from mailer.newsroom.structure.lines import has_title_shape
from mailer.newsroom.structure.listing import Listing
from mailer.newsroom.structure.marks import is_numbered
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.typography import is_finished, width

# Points by which a heading is larger than the text, at least; and how many ranks of size a bulletin has.
_LARGER = 1.4
_MOST_RANKS = 4
_LONGEST = 120
# In columns; a shorter heading above another is a section's name.
_LEAST_FIRST = 18


def with_ranks(blocks: Sequence[Block], *, is_listed: bool) -> list[Block]:
    """The same blocks; where no heading style was used, lines that are set larger than the text get a level by size.

    Bold lines of the text's own size get one only where no contents list says what the titles are (`is_listed`):
    beside a list, what is bold is more often a subheading.
    """
    if any(block.level is not None for block in blocks):
        return list(blocks)
    text = _text_size(blocks)
    if text is None:
        return list(blocks)
    sizes = {_rounded(block.size) for block in blocks if block.size and _is_larger(block, text)}
    if not sizes and not is_listed:
        return _with_ranks_by_weight(blocks)
    ranks = {size: rank for rank, size in enumerate(sorted(sizes, reverse=True)[:_MOST_RANKS], start=1)}
    return [
        replace(block, level=ranks.get(_rounded(block.size))) if block.size and _is_larger(block, text) else block
        for block in blocks
    ]


def _with_ranks_by_weight(blocks: Sequence[Block]) -> list[Block]:
    """Bold lines above text that is not become headings, centred ones above those at the margin."""
    heavy = {
        at
        for at, block in enumerate(blocks)
        if block.is_bold
        and block.is_short
        and block.joins is not True
        and not block.cells
        and not is_numbered(block.text)
        and has_title_shape(block.text)
        and any(not below.is_bold for below in blocks[at + 1 : at + 4])
    }
    if not heavy:
        heavy = _counted(blocks)
        if heavy:
            return [replace(block, level=1) if at in heavy else block for at, block in enumerate(blocks)]
    if len(heavy) < 2 or sum(block.is_bold and not is_numbered(block.text) for block in blocks) * 4 > len(blocks):
        return list(blocks)
    # A centred line may not look so on a page with little text; only where many stand at the margin it is a rank.
    centred = sum(blocks[at].is_centred for at in heavy)
    has_centred = 0 < centred * 5 < len(heavy) * 3
    level = 0
    ranked = []
    for at, block in enumerate(blocks):
        if at in heavy:
            level = 2 if has_centred and not block.is_centred else 1
        elif not (level and block.joins and block.is_bold and block.is_short):
            level = 0
        ranked.append(replace(block, level=level) if level else block)
    return ranked


def _counted(blocks: Sequence[Block]) -> set[int]:
    """Bold lines above text that are numbered from 1 without a gap: titles, where no other line is bold."""
    found = [
        (at, read_entry(block).left)
        for at, block in enumerate(blocks)
        if block.is_bold and block.is_short and not block.cells and block.joins is not True
    ]
    is_counted = len(found) >= 2 and [number for _, number in found] == list(range(1, len(found) + 1))
    is_above_text = all(at + 1 < len(blocks) and not blocks[at + 1].is_bold for at, _ in found)
    return {at for at, _ in found} if is_counted and is_above_text else set()


def _rounded(size: float | None) -> float:
    return round((size or 0) * 2) / 2


def _text_size(blocks: Sequence[Block]) -> float | None:
    """The size most of the text is set in; `None` where sizes are not known."""
    weights: Counter[float] = Counter()
    for block in blocks:
        if block.size:
            weights[_rounded(block.size)] += len(block.text)
    return weights.most_common(1)[0][0] if weights else None


def _is_larger(block: Block, text: float) -> bool:
    if block.size is None or block.size < text + _LARGER or block.cells or width(block.text) > _LONGEST:
        return False
    return has_title_shape(block.text) or not is_finished(block.text, soft=False)


def title_level(blocks: Sequence[Block], announced: Collection[int]) -> int | None:
    """The level of articles' titles: that of most `announced` ones (indices), else the first level whose headings
    do not nearly all stand above deeper headings. `None` where levels say nothing.
    """
    levels = Counter(level for at in announced if (level := blocks[at].level) is not None)
    if levels and sum(levels.values()) * 2 >= len(announced):
        return levels.most_common(1)[0][0]
    if announced:
        return None
    known = sorted({block.level for block in blocks if block.level is not None})
    for level in known:
        places = [at for at, block in enumerate(blocks) if block.level == level]
        above_heading = sum(_stands_above_heading(blocks, at) for at in places)
        # A section's name stands above a title, and not above text; an article may begin with a subheading.
        if above_heading * 5 < len(places) * 4:
            return level
    return known[-1] if known else None


def _stands_above_heading(blocks: Sequence[Block], at: int) -> bool:
    below = blocks[at + 1] if at + 1 < len(blocks) else None
    level = blocks[at].level
    return below is not None and below.level is not None and level is not None and below.level > level


def heading_end(blocks: Sequence[Block], at: int, taken: Collection[int]) -> int:
    """The index after a heading that begins at `at`: lines of the same level that go on with it belong to it."""
    end = at + 1
    while (
        end < len(blocks)
        and end not in taken
        and blocks[end].level == blocks[at].level
        and (blocks[end].joins is True or (end == at + 1 and _is_second_line(blocks, end)))
    ):
        end += 1
    return end


def _is_second_line(blocks: Sequence[Block], at: int) -> bool:
    """Whether a heading is the second line of the one above: centred right under it, as large, and nothing follows."""
    first, second = blocks[at - 1], blocks[at]
    is_alike = first.is_centred and second.is_centred and first.size == second.size and first.size is not None
    is_last = at + 1 < len(blocks) and blocks[at + 1].level != second.level
    is_one = is_alike and is_last and second.blank_before == 0 and not is_numbered(second.text)
    return is_one and width(first.text) >= _LEAST_FIRST and not is_finished(first.text, soft=False)


def with_sections_by_rank(listing: Listing, body: Sequence[Block]) -> Listing:
    """The same list; entries that the body heads above the others are names of sections, though they have a page.

    Word's own contents list gives every heading one, whatever its depth.
    """
    ranked = with_ranks(body, is_listed=True)
    levels: dict[str, int] = {}
    names: set[str] = set()
    for at, block in enumerate(ranked):
        if block.level is not None and (form := normal_form(block.text)):
            levels.setdefault(form, block.level)
            if _stands_above_heading(ranked, at):
                names.add(form)
    known = Counter(level for entry in listing.entries if (level := levels.get(normal_form(entry.title))) is not None)
    if not known:
        return listing
    usual = known.most_common(1)[0][0]
    entries, sections, section = [], list(listing.sections), None
    for entry in listing.entries:
        form = normal_form(entry.title)
        if form in names and levels[form] < max(usual, min(known) + 1) and len(known) > 1:
            section = entry.title
            sections.append(section)
        else:
            entries.append(entry if section is None else replace(entry, section=section))
    return Listing(tuple(entries), tuple(dict.fromkeys(sections)))
