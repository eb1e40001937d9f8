"""How the body is set: paragraphs indented or not, lines wrapped at a width or not; and when a line goes on."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.lines import has_title_shape, is_byline_below_title, is_complete, is_subtitle
from mailer.newsroom.structure.marks import counts_on, is_marked, is_numbered
from mailer.newsroom.structure.typography import (
    begins_inside,
    belong_together,
    ends_inside,
    is_finished,
    is_latin,
    is_unclosed,
    width,
)

# Typesetters move a line end by up to two characters, so that none begins with a comma.
_SLACK = 4
_WIDEST = 140
# In columns; printed lines of running text have 50 and more.
_LONGEST_SUBHEADING = 44
_LONGEST_TITLE = 64
# What is shorter may be a section's name above a title.
_LONGEST_NAME = 18
# No heading ends with one of these; what does is the first half of a sentence.
_DANGLING = frozenset("的将把被而且或")
_SPEAKS = re.compile(
    r"[^，。“”]{1,24}(?:说|表示|介绍|指出|认为|坦言|告诉|透露|强调|感慨|笑着|解释|补充|回忆|道)[^，。]{0,8}[，。：]"
)
_FIRST_WORD = re.compile(r"[^\s\u2e80-\uffff]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """`wrap` is the width in columns at which lines are broken, `None` when a line is a paragraph; `margin` the indent
    that all lines share; `is_indented` whether paragraphs begin with an indent beyond it; `is_spaced` whether a blank
    line ends them.
    """

    wrap: int | None
    margin: int
    is_indented: bool
    is_spaced: bool
    # Whether titles are known from a contents list; what has their shape is a subheading then, and short.
    has_known_titles: bool = False

    def is_indented_line(self, block: Block) -> bool:
        """Whether a line begins where paragraphs begin in an indented text."""
        return 2 <= block.indent - self.margin <= 8


def read_layout(blocks: Sequence[Block]) -> Layout:
    """The layout of the body's lines; titles and furniture should not be among them."""
    texts = [block for block in blocks if width(block.text[:40]) > 30 or is_finished(block.text)]
    margin = min((block.indent for block in texts), default=0)
    wrap = _wrap_width(blocks)
    indented = [block for block in texts if 2 <= block.indent - margin <= 8]
    spaced = _is_spaced(blocks)
    if wrap is None:
        if margin >= 2 and all(block.indent == margin for block in texts):
            # Every paragraph is indented alike: the margin is where titles stand.
            margin = 0 if margin <= 8 else margin - 4
            return Layout(None, margin, is_indented=True, is_spaced=spaced)
        return Layout(None, margin, is_indented=len(indented) * 2 >= len(texts) > 0, is_spaced=spaced)
    # Only first lines of paragraphs are indented and filled; a title is not filled.
    first_lines = sum(block.indent + width(block.text) >= wrap - 2 * _SLACK for block in indented)
    is_indented = first_lines >= 2 and first_lines * 12 >= len(texts) and len(indented) < len(texts)
    return Layout(wrap, margin, is_indented=is_indented, is_spaced=spaced)


def _is_spaced(blocks: Sequence[Block]) -> bool:
    """Whether finished paragraphs are followed by a blank line."""
    below = [block for above, block in pairwise(blocks) if is_finished(above.text) and above.page == block.page]
    return sum(block.blank_before > 0 for block in below) * 5 >= len(below) * 4 > 0


def _wrap_width(blocks: Sequence[Block]) -> int | None:
    """The width most long lines are broken at, or `None`: many end there, and mostly in mid-sentence."""
    lines = [(block.indent + width(block.text[:300]), block) for block in blocks]
    long = [(columns, block) for columns, block in lines if columns >= 30]
    if len(long) < 4:
        return None
    latin = is_latin(" ".join(block.text[:80] for _, block in long[:50]))
    if latin:
        widest = sorted(columns for columns, _ in long)[-max(1, len(long) // 50)]
    else:
        # Commas may hang over the edge: the most frequent width says more than the largest.
        widest = max(Counter(columns for columns, _ in long).items(), key=lambda item: (item[1], item[0]))[0]
        beyond = sum(columns > widest + 2 * _SLACK for columns, _ in long)
        if beyond * 5 > len(long):
            return None
    if widest > _WIDEST:
        return None
    full = [block for columns, block in long if columns >= widest - (14 if latin else _SLACK)]
    broken = sum(not is_finished(block.text) for block in full)
    return widest if len(full) * 4 >= len(lines) and len(full) >= 3 and broken * 2 >= len(full) else None


def goes_on(text: str, lines: Sequence[Block], block: Block, layout: Layout, *, crosses_page: bool) -> bool:
    """Whether `block` continues the paragraph `text`, made of `lines` so far. A gap is a blank line or a page edge."""
    if _is_heading_in_two(text, lines, block, layout, crosses_page=crosses_page):
        return True
    if layout.is_indented and layout.is_indented_line(block):
        return False
    if ends_inside(text):
        return True
    if layout.wrap is not None and block.blank_before == 0 and not crosses_page:
        return _goes_on_wrapped(text, lines[-1], block, layout, is_single=len(lines) == 1)
    if is_marked(block.text) and not _is_cut(text, block):
        return False
    if crosses_page:
        return _goes_on_over_page(text, lines, block, layout)
    return _goes_on_nearby(text, lines, block, layout)


def _is_heading_in_two(text: str, lines: Sequence[Block], block: Block, layout: Layout, *, crosses_page: bool) -> bool:
    """Whether both are lines of one heading: centred one above the other, or the first breaks off."""
    if block.blank_before or crosses_page or len(lines) > 2 or is_marked(block.text) or not has_title_shape(block.text):
        return False
    if not has_title_shape(text) or is_finished(text, soft=False) or is_complete(text) or is_complete(block.text):
        return False
    if text[-1:] in _DANGLING:
        return True
    is_apart = is_marked(text) or is_subtitle(block.text) or is_byline_below_title(block.text)
    if is_apart or width(text) < _LONGEST_NAME or not (_is_centred(lines[-1], layout) and _is_centred(block, layout)):
        return False
    middles = [line.indent + width(line.text) / 2 for line in (lines[-1], block)]
    return abs(middles[0] - middles[1]) <= _SLACK


def _is_centred(block: Block, layout: Layout) -> bool:
    return block.is_centred or block.indent - layout.margin > 8


def _goes_on_over_page(text: str, lines: Sequence[Block], block: Block, layout: Layout) -> bool:
    is_titlelike = has_title_shape(block.text)
    # A colon at a page's end is a cut more often than the end of a paragraph, if there is a sentence before it.
    if is_finished(text, soft=width(text) <= 20):
        is_cut = layout.is_indented or _is_filled(lines[-1], layout, slack=1) or _is_attribution(text, block.text)
        return is_cut and not is_titlelike
    if layout.is_indented and not is_titlelike and not begins_inside(block.text):
        return _is_paragraph(text, lines, layout)
    # Nobody leaves a title at the foot of a page: only the shortest lines may be one.
    return not (len(lines) == 1 and has_title_shape(text, strict=True) and width(text) <= 12)


def _is_cut(text: str, block: Block) -> bool:
    """Whether what looks like an item's number is the rest of a sentence that a page edge cut: 每周‖三、周五.

    Items of a list may lack punctuation, but then the one above is an item too; and a list begins with one.
    """
    is_item = is_marked(text) or block.text[:1] in "一1" or block.text[1:2] in "一1"
    return is_numbered(block.text) and not is_item and not is_finished(text) and not has_title_shape(text, strict=True)


def _goes_on_nearby(text: str, lines: Sequence[Block], block: Block, layout: Layout) -> bool:
    has_gap = block.blank_before > 0
    if is_finished(text):
        return layout.is_indented and not has_gap and _looks_broken(lines[-1], block)
    if begins_inside(block.text) or belong_together(text, block.text):
        return True
    if layout.is_indented and not has_title_shape(block.text):
        return _is_paragraph(text, lines, layout)
    if has_gap and layout.wrap is not None and not is_full(lines[-1], block.text, layout):
        # A line that had room left, above a blank one, ended where its author ended it.
        return False
    if len(lines) == 1 and _is_heading(text, layout, strict=layout.is_spaced and not has_gap):
        return False
    return not has_gap or not has_title_shape(block.text, strict=True)


def _is_heading(text: str, layout: Layout, *, strict: bool) -> bool:
    """Whether a line that no punctuation ends is a heading, rather than the first half of a paragraph that a page cut:
    such a half fills a line at least.
    """
    if is_unclosed(text) or text[-1:] in _DANGLING:
        return False
    if layout.has_known_titles:
        return has_title_shape(text, strict=True) and width(text) <= _LONGEST_SUBHEADING
    return has_title_shape(text, strict=strict) and width(text) <= _LONGEST_TITLE


def _is_paragraph(text: str, lines: Sequence[Block], layout: Layout) -> bool:
    """Where paragraphs are indented, a line that is not goes on with the one above, unless that is a title."""
    return layout.is_indented_line(lines[0]) or not (len(lines) == 1 and has_title_shape(text))


def _goes_on_wrapped(text: str, last: Block, block: Block, layout: Layout, *, is_single: bool) -> bool:
    finished = is_finished(text)
    if finished and has_title_shape(block.text, strict=True) and not _is_filled(block, layout):
        return False
    if layout.is_indented:
        # No paragraph begins at the margin; a title does, and so may a list item.
        if is_full(last, block.text, layout) or not finished:
            return not (is_single and has_title_shape(text) and not layout.is_indented_line(last))
        return not has_title_shape(block.text) and not is_marked(block.text) and _is_nearly_full(last, layout)
    if is_full(last, block.text, layout):
        return not (is_single and finished and is_marked(block.text) and not counts_on(text, block.text))
    if is_marked(block.text) or finished:
        return False
    return not (is_single and has_title_shape(text))


def _is_filled(block: Block, layout: Layout, *, slack: int = _SLACK) -> bool:
    return layout.wrap is not None and block.indent + width(block.text) >= layout.wrap - slack


def _looks_broken(last: Block, block: Block) -> bool:
    """Whether two lines look like parts of one paragraph where too few lines tell the width they were broken at."""
    columns = last.indent + width(last.text[:100])
    return 56 <= columns <= _WIDEST and width(block.text[:100]) <= columns + _SLACK and not has_title_shape(block.text)


def _is_nearly_full(last: Block, layout: Layout) -> bool:
    return layout.wrap is not None and last.indent + width(last.text) >= layout.wrap * 0.8


def is_full(last: Block, following: str, layout: Layout) -> bool:
    """Whether the next word would not have fitted on the line `last`: then the line end is the typesetter's."""
    if layout.wrap is None:
        return False
    word = _FIRST_WORD.match(following[:60])
    needed = len(word[0]) + 1 if word and is_latin(following[:60]) else 2 + _SLACK
    return last.indent + width(last.text) + needed > layout.wrap


def _is_attribution(open_text: str, text: str) -> bool:
    """Whether a page edge fell between a quotation and its speaker: "“……。”‖主任沈予宁介绍，……"."""
    is_quotation = open_text[:1] in "“「『" and open_text[-1:] in "”」』"
    return is_quotation and _SPEAKS.match(text[:60]) is not None
