"""Where masthead, contents list, body and colophon lie, and what belongs to the pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.colophon import find_colophon
from mailer.newsroom.structure.contents import Contents, is_no_entry
from mailer.newsroom.structure.furniture import find_page_numbers, find_running_heads
from mailer.newsroom.structure.imprint import is_organisation, read_makers
from mailer.newsroom.structure.lines import is_byline_below_title, is_running_text
from mailer.newsroom.structure.marks import is_bare_number, is_end_mark, is_rule
from mailer.newsroom.structure.masthead import Masthead, is_known, is_masthead_line, take_issue
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.typography import fold, width

_LONGEST_MASTHEAD = 30


@dataclass(slots=True)
class Regions:
    """The blocks of a document by what they belong to. `page_cuts` are `line`s of body blocks that begin a page."""

    masthead: list[Block]
    contents: list[Block]
    body: list[Block]
    colophon: list[Block]
    furniture: list[Block]
    page_cuts: frozenset[int]


def masthead_end(blocks: Sequence[Block]) -> int:
    """Without a contents list: the masthead ends with the last line of number, date or maker above running text."""
    end = 0
    for at, block in enumerate(blocks[:_LONGEST_MASTHEAD]):
        if not block.is_short or (end and at - end > 4):
            break
        is_clause = "。" in block.text or (width(block.text) > 36 and "，" in block.text)
        is_head = is_masthead_line(block)
        if (is_clause or is_running_text(block.text)) and not is_head:
            break
        if 0 < end < at and is_byline_below_title(block.text):
            # Who wrote stands under the first article's title.
            break
        if end and _is_title_of_text(blocks, at):
            break
        if is_head or (is_rule(block.text) and end == at and at):
            end = at + 1
    return end


def _is_title_of_text(blocks: Sequence[Block], at: int) -> bool:
    """Whether a line right above running text is a title that has a date or a number in it: "5月1日起施行新规"."""
    below = blocks[at + 1] if at + 1 < len(blocks) else None
    if below is None or not is_running_text(below.text) or "  " in fold(blocks[at].text):
        return False
    rest = take_issue(blocks[at], Masthead())
    return any(
        len(piece) > 4 and not (is_known(piece) or read_makers(piece) or is_organisation(piece)) for piece in rest
    )


def divide(
    blocks: list[Block],
    contents: Contents | None,
    head_end: int,
    masthead: Masthead,
    *,
    is_furniture_known: bool = False,
) -> Regions:
    """Every block goes to exactly one region. `head_end` is where the masthead ends."""
    start = contents.end if contents else head_end
    kept = {normal_form(entry.title) for entry in contents.listing.entries} if contents else set()
    numbers = set() if is_furniture_known else find_page_numbers(blocks, start)
    heads = set() if is_furniture_known else find_running_heads(blocks, start, numbers, masthead, kept)
    beside = (at + step for at in heads for step in (-1, 1) if start <= at + step < len(blocks))
    numbers |= {at for at in beside if is_bare_number(blocks[at].text)}
    skip = numbers | heads
    foot = find_colophon(blocks, start, skip, masthead, kept)
    list_lines = blocks[head_end:start]
    furniture = [block for block in list_lines if is_no_entry(block)]
    cuts, body, is_cut = set(), [], False
    for at in range(start, foot):
        block = blocks[at]
        if at in skip:
            furniture.append(block)
            is_cut = True
        elif is_rule(block.text) or is_end_mark(block.text):
            furniture.append(block)
        else:
            if is_cut or (at > 0 and block.page != blocks[at - 1].page):
                cuts.add(block.line)
            is_cut = False
            body.append(block)
    if body and foot < len(blocks) and is_bare_number(body[-1].text):
        furniture.append(body.pop())
    furniture += [block for at, block in enumerate(blocks[foot:], foot) if at in skip]
    colophon = [block for at, block in enumerate(blocks[foot:], foot) if at not in skip]
    listed = [block for block in list_lines if not is_no_entry(block)]
    return Regions(blocks[:head_end], listed, body, colophon, furniture, frozenset(cuts))
