"""How the body is set: paragraphs indented or not, lines wrapped at a width or not; and when a line goes on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.lines import has_title_shape, is_marked
from mailer.newsroom.structure.typography import begins_inside, ends_inside, is_finished, is_latin, width

# Typesetters move a line end by up to two characters, so that none begins with a comma.
_SLACK = 4
_WIDEST = 140
_SPEAKS = re.compile(
    r"[^，。“”]{1,24}(?:说|表示|介绍|指出|认为|坦言|告诉|透露|强调|感慨|笑着|解释|补充|回忆|道)[^，。]{0,8}[，。：]"
)
_FIRST_WORD = re.compile(r"[^\s\u2e80-\uffff]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """`wrap` is the width in columns at which lines are broken, `None` when a line is a paragraph; `margin` the indent
    that all lines share; `is_indented` whether paragraphs begin with an indent beyond it.
    """

    wrap: int | None
    margin: int
    is_indented: bool

    def is_indented_line(self, block: Block) -> bool:
        """Whether a line begins where paragraphs begin in an indented text."""
        return 2 <= block.indent - self.margin <= 8


def read_layout(blocks: Sequence[Block]) -> Layout:
    """The layout of the body's lines; titles and furniture should not be among them."""
    texts = [block for block in blocks if width(block.text[:40]) > 30 or is_finished(block.text)]
    margin = min((block.indent for block in texts), default=0)
    wrap = _wrap_width(blocks)
    indented = sum(2 <= block.indent - margin <= 8 for block in texts)
    if wrap is None:
        if margin >= 2 and all(block.indent == margin for block in texts):
            # Every paragraph is indented alike: the margin is where titles stand.
            return Layout(None, min((block.indent for block in blocks), default=0) if margin <= 8 else margin, True)
        return Layout(None, margin, indented * 2 >= len(texts) and indented > 0)
    return Layout(wrap, margin, indented >= 2 and indented * 12 >= len(texts) and indented < len(texts))


def _wrap_width(blocks: Sequence[Block]) -> int | None:
    """The width most long lines are broken at, or `None`: many end there, and mostly in mid-sentence."""
    lines = [(block.indent + width(block.text[:300]), block) for block in blocks]
    long = [(columns, block) for columns, block in lines if columns >= 30]
    if len(long) < 4:
        return None
    widest = sorted(columns for columns, _ in long)[-max(1, len(long) // 50)]
    if widest > _WIDEST:
        return None
    latin = is_latin(" ".join(block.text[:80] for _, block in long[:50]))
    full = [block for columns, block in long if columns >= widest - (14 if latin else _SLACK)]
    broken = sum(not is_finished(block.text) for block in full)
    return widest if len(full) * 4 >= len(lines) and len(full) >= 3 and broken * 2 >= len(full) else None


def goes_on(open_text: str, is_single: bool, last: Block, block: Block, layout: Layout, *, crosses_page: bool) -> bool:
    """Whether `block` continues the paragraph `open_text`, whose last line is `last`.

    `is_single` says that the paragraph has one line so far, and could be a title. A gap is a blank line or a page edge.
    """
    text = block.text
    has_gap = block.blank_before > 0 or crosses_page
    is_indented = layout.is_indented and layout.is_indented_line(block)
    if ends_inside(open_text) and not is_indented:
        return True
    if layout.wrap is not None and not has_gap:
        return _goes_on_wrapped(open_text, is_single, last, block, layout, is_indented=is_indented)
    finished = is_finished(open_text)
    if is_marked(text) or is_indented:
        return False
    if begins_inside(text) and not finished:
        return True
    if crosses_page and finished and not has_title_shape(text):
        return layout.is_indented or _is_attribution(open_text, text)
    if finished or _could_be_title(open_text, is_single, last, layout, strict=crosses_page):
        return False
    if layout.is_indented:
        return not has_title_shape(text)
    return has_gap is False or not has_title_shape(text, strict=True)


def _goes_on_wrapped(
    open_text: str, is_single: bool, last: Block, block: Block, layout: Layout, *, is_indented: bool
) -> bool:
    if is_indented:
        return False
    if is_full(last, block.text, layout):
        return not (
            is_single and is_finished(open_text, soft=False) and is_marked(block.text) and not layout.is_indented
        )
    if is_marked(block.text) or is_finished(open_text):
        return False
    return not (is_single and has_title_shape(open_text))


def is_full(last: Block, following: str, layout: Layout) -> bool:
    """Whether the next word would not have fitted on the line `last`: then the line end is the typesetter's."""
    if layout.wrap is None:
        return False
    word = _FIRST_WORD.match(following[:60])
    needed = len(word[0]) + 1 if word and is_latin(following[:60]) else 2 + _SLACK
    return last.indent + width(last.text) + needed > layout.wrap


def _could_be_title(text: str, is_single: bool, block: Block, layout: Layout, *, strict: bool) -> bool:
    if not is_single or not has_title_shape(text, strict=strict or layout.is_indented_line(block)):
        return False
    return strict is False or width(text) <= 40


def _is_attribution(open_text: str, text: str) -> bool:
    """Whether a page edge fell between a quotation and its speaker: "“……。”‖主任沈予宁介绍，……"."""
    is_quotation = open_text[:1] in "“「『" and open_text[-1:] in "”」』"
    return is_quotation and _SPEAKS.match(text[:60]) is not None
