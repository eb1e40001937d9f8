"""Where a contents list begins that no heading announces: by the marks of its lines, or because they come again."""

from itertools import pairwise

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.entries import Entry, read_entry, undecorated
from mailer.newsroom.structure.lines import is_running_text
from mailer.newsroom.structure.masthead import is_masthead_line
from mailer.newsroom.structure.matching import normal_form, similarity
from mailer.newsroom.structure.numerals import DATES
from mailer.newsroom.structure.typography import fold

# Lists longer than this are no contents lists; it also bounds the work on hostile input.
LONGEST = 400
# How far below a list of one entry its article begins, and how like its title must be.
_NEAR = 20
_CLEARLY = 0.85


def is_text(block: Block) -> bool:
    """Whether a block is running text rather than a title or an entry."""
    return not block.is_short or (is_running_text(block.text) and read_entry(block).page is None)


def is_featured(entry: Entry, *, has_heading: bool) -> bool:
    if entry.page is None and undecorated(entry.block.text)[1]:
        return False
    return bool(entry.bullet) or entry.is_left_page or entry.strength >= (1 if has_heading else 2)


def unheaded_start(blocks: list[Block], first_text: int) -> int | None:
    """The first of two or more featured lines, or one that is a title further down; else a repeated run of lines."""
    featured = [
        at
        for at in range(first_text)
        if _may_be_entry(blocks[at]) or _is_numbered_title(blocks, at) or _is_paged_title(blocks, at)
    ]
    for at in featured:
        is_run = any(at < other <= at + 4 and not _has_sentence(blocks, at, other) for other in featured)
        if is_run or returns(blocks, at):
            return _with_lines_above(blocks, at)
    return _repeated_start(blocks, first_text)


def _has_sentence(blocks: list[Block], start: int, stop: int) -> bool:
    """Whether text stands between two lines, and they are titles of short articles rather than entries."""
    return read_entry(blocks[start]).page is None and any(block.text.endswith("。") for block in blocks[start:stop])


def _with_lines_above(blocks: list[Block], start: int) -> int:
    """Includes the first half of a wrapped entry, and the name of the first section."""
    while start and blocks[start].blank_before == 0 and _is_numbered_like_below(blocks, start - 1):
        start -= 1
    if start and blocks[start].blank_before == 0:
        name, is_decorated = undecorated(blocks[start - 1].text)
        is_name = len(name) <= 10 and returns(blocks, start - 1) and not is_masthead_line(blocks[start - 1])
        if is_decorated or is_name:
            return start - 1
    return start


def _is_numbered_like_below(blocks: list[Block], at: int) -> bool:
    here = read_entry(blocks[at])
    following = [read_entry(block).left for block in blocks[at + 1 : at + 4]]
    return here.left is not None and here.left + 1 in following


def _may_be_entry(block: Block) -> bool:
    entry = read_entry(block)
    is_marked = is_featured(entry, has_heading=False) or (entry.left is not None and entry.strength >= 1)
    if not is_marked or undecorated(block.text)[1]:
        return False
    return len(normal_form(entry.title)) >= 4 and not any(date.search(fold(block.text)) for date in DATES)


def _is_numbered_title(blocks: list[Block], at: int) -> bool:
    return read_entry(blocks[at]).left is not None and len(blocks[at].text) > 5 and returns(blocks, at)


def _is_paged_title(blocks: list[Block], at: int) -> bool:
    """Whether a line with a number set off at its right is the title of an article further down."""
    entry = read_entry(blocks[at])
    return entry.strength >= 1 and len(normal_form(entry.title)) >= 4 and returns(blocks, at)


def returns(blocks: list[Block], at: int) -> bool:
    """Whether an entry's title stands again further down, on one line or two; close by, something like it will do."""
    if at + 1 < len(blocks) and is_text(blocks[at + 1]):
        return False
    form = normal_form(read_entry(blocks[at]).title)
    above = ""
    for distance, block in enumerate(blocks[at + 1 : at + LONGEST]):
        here = normal_form(block.text) if block.is_short else ""
        is_near = distance < _NEAR and not is_running_text(block.text)
        if here and (form in {here, above + here} or (is_near and similarity(form, here) >= _CLEARLY)):
            return True
        above = here
    return False


def _repeated_start(blocks: list[Block], first_text: int) -> int | None:
    """Plain lines without bullet, page or heading are a list when at least two in a row return as titles of text."""
    titles = {normal_form(block.text) for block, after in pairwise(blocks) if block.is_short and is_text(after)}
    run = 0
    for at in range(first_text):
        form = normal_form(blocks[at].text)
        is_title_here = at + 1 < len(blocks) and is_text(blocks[at + 1])
        run = run + 1 if len(form) >= 5 and form in titles and not is_title_here else 0
        if run == 2:
            return at - 1
    return None
