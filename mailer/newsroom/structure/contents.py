"""The contents list: with or without bullets and pages, under a heading or none (`unheaded.py`); and where it ends."""

import re
from collections import Counter
from dataclasses import dataclass, replace

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.entries import Entry, entries_beside, read_entry, undecorated
from mailer.newsroom.structure.listing import Listing, is_abstract, is_stray_page, list_entries
from mailer.newsroom.structure.marks import is_bare_number, is_page_number, is_rule
from mailer.newsroom.structure.masthead import is_masthead_line
from mailer.newsroom.structure.matching import SAME, normal_form, similarity
from mailer.newsroom.structure.ranks import with_sections_by_rank
from mailer.newsroom.structure.typography import squeeze
from mailer.newsroom.structure.unheaded import LONGEST, is_featured, is_text, returns, unheaded_start

_HEADING = re.compile(
    r"(?:本期|本刊|本[周月季旬]|今日|内容|要闻|文章)?(?:目录|目次|导读|要目|导览|提要|索引|内容|看点|要闻|篇目|要点|重点|焦点|聚焦|速览|主要内容|文章|细目)(?:导读|提要|索引|目录)?(?:[/·|—]?(?:contents|content|index))?|"
    r"(?:tableof)?contents|(?:in|inside)this(?:issue|edition|number)|inside|contents?[/·|—]?(?:目录|目次|要目)|index"
)
_FRONT = 120
_CLOSE_PAGE = re.compile(r"(?<=[^\s\d])[1-9][0-9]{0,2}$")


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents list: its entries and section names, and the half-open range of block indices it fills."""

    listing: Listing
    start: int
    end: int


def find_contents(blocks: list[Block]) -> Contents | None:
    """Finds the list in the first blocks of a document, or says that there is none."""
    headings = [at for at in range(min(len(blocks), _FRONT)) if is_contents_heading(blocks[at].text)]
    for heading in headings[:3]:
        if found := _contents(blocks, heading, heading + 1):
            return found
    first_text = next((at for at, block in enumerate(blocks[:_FRONT]) if is_text(block)), min(len(blocks), _FRONT))
    start = unheaded_start(blocks, first_text)
    return None if start is None else _contents(blocks, start, start)


def with_contents_first(blocks: list[Block], head_end: int) -> list[Block]:
    """The same blocks; a list that stands below articles, after a foreword or on the last page, comes before them.

    `head_end` is where the masthead ends as far as can be told without the list.
    """
    front = [at for at in range(min(len(blocks), _FRONT)) if is_contents_heading(blocks[at].text)]
    back = [at for at in range(max(_FRONT, len(blocks) - _FRONT), len(blocks)) if is_contents_heading(blocks[at].text)]
    for heading in [*front[:3], *([] if front else back[-1:])]:
        above = blocks[head_end:heading]
        if not 0 < head_end < heading or not any(_is_article_text(block) for block in above):
            continue
        # Read as if it stood first, since its titles are in the text above it.
        moved = blocks[:head_end] + blocks[heading:] + above
        found = _contents(moved, head_end, head_end + 1)
        if found is None:
            continue
        entries = {normal_form(entry.title) for entry in found.listing.entries}
        if entries & {normal_form(block.text) for block in above if block.is_short}:
            return blocks[:head_end] + moved[head_end : found.end] + above + moved[found.end : len(moved) - len(above)]
    return blocks


def _is_article_text(block: Block) -> bool:
    return is_text(block) or block.text.endswith("。")


def with_columns_apart(blocks: list[Block]) -> list[Block]:
    """The same blocks; above the text, lines of a list in columns become one block an entry, row by row, and pages that
    stand right behind a title are set off from it.
    """
    front = next((at for at, block in enumerate(blocks[:_FRONT]) if is_text(block)), min(len(blocks), _FRONT))
    pieces = [piece for block in blocks[:front] for piece in entries_beside(block)]
    heading = next((at for at, block in enumerate(pieces) if is_contents_heading(block.text)), len(pieces))
    doubtful = [at for at in range(heading + 1, len(pieces)) if _CLOSE_PAGE.search(pieces[at].text)]
    if doubtful:
        forms = _forms([block for at, block in enumerate([*pieces, *blocks[front:]]) if at not in doubtful])
        known = forms | {normal_form(entry.title) for entry in map(read_entry, pieces) if entry.page is not None}
        for at in doubtful:
            if normal_form(pieces[at].text) not in known:
                pieces[at] = _with_close_page(pieces[at], forms)
    return pieces + blocks[front:]


def _with_close_page(block: Block, forms: set[str]) -> Block:
    """An entry whose page stands right behind its title, as the body has that: a tab that had no room left."""
    match = _CLOSE_PAGE.search(block.text)
    if match is None or read_entry(block).page is not None:
        return block
    entry = read_entry(replace(block, text=block.text[: match.start()]))
    return replace(block, text=f"{entry.block.text}    {match[0]}") if normal_form(entry.title) in forms else block


def _contents(blocks: list[Block], start: int, first: int) -> Contents | None:
    end = _end(blocks, first)
    heads = _returning(blocks[end:])
    listed = [block for block in blocks[first:end] if not is_no_entry(block) and not _is_running_head(block, heads)]
    lines = [read_entry(block) for block in listed]
    if not lines:
        return None
    listing = list_entries(lines, _forms(blocks[end:]), _section_forms(blocks[end:]))
    listing = with_sections_by_rank(listing, blocks[end:])
    return Contents(listing, start, end) if listing.entries else None


def _returning(blocks: list[Block]) -> Counter[str]:
    """How often each short line stands in the body, whatever its page."""
    return Counter(normal_form(block.text) for block in blocks if block.is_short)


def _is_running_head(block: Block, times: Counter[str]) -> bool:
    """Whether a line says number or date and returns again and again: the head of the pages."""
    return times[normal_form(block.text)] > 1 and is_masthead_line(block)


def is_contents_heading(text: str) -> bool:
    """Whether a line is 目录, 本期导读, CONTENTS and the like, letter-spaced or ornamented or not."""
    if len(text) > 40:
        return False
    bare = squeeze(undecorated(text)[0]).lower().strip(":[]<>·*—-=()")
    return _HEADING.fullmatch(bare) is not None


def is_no_entry(block: Block) -> bool:
    """Whether a line in the list is the page's: a rule, a page number."""
    return is_rule(block.text) or is_page_number(block.text) or (len(block.text) <= 4 and is_bare_number(block.text))


def _end(blocks: list[Block], first: int) -> int:
    """The index after the last line of the list that begins at `first`."""
    seen: dict[str, bool] = {}
    first_form, last_featured, sections = "", -1, set[str]()
    limit = min(len(blocks), first + LONGEST)
    paged, above = 0, ""
    at = first
    while at < limit:
        block = blocks[at]
        is_stray = at > first and is_stray_page(block.text)
        if is_stray or is_no_entry(block):
            last_featured, paged = (at, paged + 1) if is_stray else (last_featured, paged)
            at += 1
            continue
        entry = read_entry(block)
        if last_featured == at - 1 >= first and _is_about_entry(blocks, at, entry):
            last_featured = at
            at += 1
            continue
        # A heading that does not come again is no name in the list but the first of the body.
        is_heading = bool(seen) and block.level is not None and entry.page is None and not returns(blocks, at)
        if is_heading or is_text(block):
            return _back_off(blocks, first, at, last_featured, is_title_above=not is_heading)
        featured = is_featured(entry, has_heading=True)
        form = normal_form(entry.title)
        bare, is_decorated = undecorated(block.text)
        if is_decorated and normal_form(bare) in sections:
            return _back_off(blocks, first, at, last_featured, is_title_above=False)
        if (
            seen
            and entry.page is None
            and _is_title_again(blocks, at, form, seen, first_form, featured=featured, paged=paged)
        ):
            return _back_off(blocks, first, at, last_featured, is_title_above=False)
        if featured:
            last_featured = at
            paged += entry.strength >= 1
        if not featured or entry.page is None:
            sections.add(normal_form(bare))
        seen[form] = seen[above + form] = True
        above = form
        first_form = first_form or form
        at += 1
    return _back_off(blocks, first, at, last_featured, is_title_above=False)


def _is_about_entry(blocks: list[Block], at: int, entry: Entry) -> bool:
    """Whether a sentence is set right under the entry above it, indented, and more of the list or its end follows."""
    block, above = blocks[at], blocks[at - 1]
    is_close = block.blank_before == 0 and block.indent > above.indent and read_entry(above).page is not None
    if not is_close or not is_abstract(entry):
        return False
    below = blocks[at + 1] if at + 1 < len(blocks) else None
    return below is None or below.blank_before > 0 or is_featured(read_entry(below), has_heading=True)


def _is_title_again(
    blocks: list[Block], at: int, form: str, seen: dict[str, bool], first_form: str, *, featured: bool, paged: int
) -> bool:
    """Whether the line at `at` is no entry any more but the first title of the body."""
    if len(form) >= 2 and form in seen:
        return True
    below = blocks[at + 1] if at + 1 < len(blocks) else None
    if below is not None and below.is_short and form + normal_form(below.text) in seen and not read_entry(below).page:
        return True
    if featured and not paged and (below is None or is_featured(read_entry(below), has_heading=True)):
        return False
    known = seen if paged else {first_form: True}
    second = normal_form(below.text) if below is not None and below.is_short else ""
    return _leads_to_text(blocks, at) and any(_is_like(form, second, other) for other in known)


def _is_like(first: str, second: str, other: str) -> bool:
    """Whether a line, or it and the next together but not the next alone, is like an entry's title."""
    if similarity(first, other) >= SAME:
        return True
    return bool(second) and similarity(first + second, other) > max(SAME, similarity(second, other))


def _leads_to_text(blocks: list[Block], at: int) -> bool:
    return any(is_text(block) for block in blocks[at + 1 : at + 4])


def _back_off(blocks: list[Block], first: int, stop: int, last_featured: int, *, is_title_above: bool) -> int:
    """Gives back to the body what stands between the list and `stop`: a title, a section name."""
    if last_featured >= 0:
        end = last_featured + 1
        if end == stop and end - first > 2 and _is_set_off_below_pages(blocks, first, end - 1):
            return end - 1
        while end < stop and (_continues(blocks, end, stop) or _counts_on(blocks, end)):
            end += 1
        return end
    end = stop - 1 if is_title_above and stop > first else stop
    is_ornate = end - first > 1 and all(undecorated(block.text)[1] for block in blocks[first:end])
    while end > first and ((undecorated(blocks[end - 1].text)[1] and not is_ornate) or is_rule(blocks[end - 1].text)):
        end -= 1
    return end


def _is_set_off_below_pages(blocks: list[Block], first: int, at: int) -> bool:
    """Whether a bulleted line under a list of pages, set off from it, has none: the body's first section."""
    if blocks[at].blank_before == 0 or read_entry(blocks[at]).page is not None:
        return False
    return all(read_entry(block).page is not None for block in blocks[max(first, at - 2) : at])


def _continues(blocks: list[Block], at: int, stop: int) -> bool:
    """Whether an unfeatured line right under the last featured one is its second half."""
    line, above = blocks[at], blocks[at - 1]
    is_close = line.blank_before == 0 and line.page == above.page and read_entry(above).page is None
    is_followed = at + 1 < stop or (stop < len(blocks) and blocks[stop].blank_before > 0)
    return is_close and line.indent > above.indent and not undecorated(line.text)[1] and is_followed


def _counts_on(blocks: list[Block], at: int) -> bool:
    """Whether a line without bullet or page is numbered and stands again further down: an entry under a section."""
    return read_entry(blocks[at]).left is not None and returns(blocks, at)


def _forms(blocks: list[Block]) -> set[str]:
    """Normal forms of the body's short lines, and of two adjacent ones: what an entry must be found among."""
    forms: set[str] = set()
    before = ""
    for block in blocks:
        form = normal_form(block.text) if block.is_short else ""
        if undecorated(block.text)[1]:
            before = ""
            continue
        if form:
            forms.add(form)
            if (entry := read_entry(block)).left is not None:
                forms.add(normal_form(entry.title))
            if before and block.blank_before <= 1:
                forms.add(before + form)
        before = form
    return forms


def _section_forms(blocks: list[Block]) -> set[str]:
    """Normal forms of the body's ornamented lines, which name sections."""
    names = (undecorated(block.text) for block in blocks if len(block.text) <= 40)
    return {normal_form(name) for name, is_decorated in names if is_decorated} - {""}
