"""Titles that no contents list announces, found by shape: a short line that is no sentence, above running text."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.newsroom.structure.articles import Item, SectionMark
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.entries import undecorated
from mailer.newsroom.structure.grouping import Part
from mailer.newsroom.structure.layout import Layout
from mailer.newsroom.structure.lines import (
    PartKind,
    has_title_shape,
    is_byline_below_title,
    is_date_alone,
    is_section_shape,
    is_subtitle,
)
from mailer.newsroom.structure.marks import BULLETS, QUESTION, TOP_NUMBERED, is_numbered, is_ordinal_alone
from mailer.newsroom.structure.prominence import first_block, most_prominent
from mailer.newsroom.structure.titles import Title, title_text
from mailer.newsroom.structure.typography import fold, is_finished, join, width

_MAY_FOLLOW = frozenset(
    {PartKind.BYLINE, PartKind.SOURCE, PartKind.EDITORS_NOTE, PartKind.SUBTITLE, PartKind.TABLE, PartKind.CAPTION}
)


_SECOND_NUMBERED = re.compile(r"\([一二三四五六七八九十]{1,3}\)")
_LONGEST_NAME = 8
# In columns; a shorter line above a title is a section's name.
_LEAST_HALF = 18
# A section is called 工作动态, NEWS, Highlights.
_PLAIN_NAME = re.compile(r"[一-鿿]{2,6}|[A-Z][A-Z&' -]{2,24}")


@dataclass(slots=True)
class Found:
    """The items with new titles and section marks in place, and the parts that were made subheadings."""

    items: list[Item]
    titles: list[Title]
    subheadings: list[Part]


def find_by_shape(items: Sequence[Item], layout: Layout) -> Found:
    """With a trusted contents list only what looks exactly like the announced titles becomes one; else the most
    prominent class of title-shaped lines does. What has the shape but not the rank is a subheading.
    """
    speakers = _speakers(items)
    candidates = [
        at
        for at in range(len(items))
        if _speaker(_text(items[at])) not in speakers and _is_candidate(items, at, layout)
    ]
    announced = [item for item in items if isinstance(item, Title)]
    if layout.has_known_titles:
        chosen = {at for at in candidates if _is_like_announced(items, at, announced, layout)}
    else:
        unmarked = [at for at in candidates if not is_numbered(_text(items[at]))]
        numbered = [] if announced else _top_numbered(items, candidates) or _counted_from_top(items, candidates)
        chosen = set(most_prominent(items, unmarked or numbered, layout))
        if not unmarked and (below := _titles_below_names(items, candidates, chosen)):
            items = [_as_section(item) if at in chosen else item for at, item in enumerate(items)]
            chosen = below
    return _promote(items, candidates, chosen, _first_halves(items, chosen, layout))


def _first_halves(items: Sequence[Item], chosen: set[int], layout: Layout) -> set[int]:
    """Lines right above a chosen title, both set off by blank lines together: a title in two lines."""
    return {
        at
        for at in range(len(items) - 2)
        if at + 1 in chosen
        and at not in chosen
        and layout.is_spaced
        and _is_line(items[at])
        and first_block(items, at).blank_before > 0 == first_block(items, at + 1).blank_before
        and isinstance(below := items[at + 2], Part)
        and below.blocks[0].blank_before > 0
    }


def _is_line(item: Item) -> bool:
    is_single = isinstance(item, Part) and item.kind is PartKind.PARAGRAPH and len(item.blocks) == 1
    text = _text(item)
    return is_single and has_title_shape(text) and width(text) >= _LEAST_HALF and not is_section_shape(text)


def _speaker(text: str) -> str:
    """What stands before a colon, if it is short enough for a name."""
    name, colon, _ = fold(text[:10]).partition(":")
    return name if colon and 2 <= len(name) <= 4 else ""


def _speakers(items: Sequence[Item]) -> frozenset[str]:
    """Who asks and who answers: two names that each begin several paragraphs, of which some are questions."""
    spoken = [(name, text) for item in items if (name := _speaker(text := _text(item)))]
    times = Counter(name for name, _ in spoken)
    names = {name for name, count in times.items() if count > 1}
    has_question = any(name in names and text[-1] in "？?" for name, text in spoken)
    return frozenset(names) if len(names) > 1 and has_question else frozenset()


def _text(item: Item) -> str:
    return item.text if isinstance(item, Part) else ""


def _is_candidate(items: Sequence[Item], at: int, layout: Layout) -> bool:
    part = items[at]
    if not isinstance(part, Part) or part.kind is not PartKind.PARAGRAPH or len(part.blocks) > 3:
        return False
    text = part.text
    if not has_title_shape(text) or is_subtitle(text) or is_date_alone(text) or QUESTION.match(fold(text[:20])):
        return False
    if is_finished(text, soft=False) and (text[-1] not in "？！?!”」』）)】" or _names_speaker(text)):
        return False
    if _is_next_in_list(items, at) or not _leads_to_text(items, at):
        return False
    below = items[at + 1]
    if is_section_shape(text) and isinstance(below, Part) and _is_title_below(below.text):
        return False
    above = items[at - 1] if at else None
    if is_byline_below_title(text) and isinstance(above, Part) and has_title_shape(above.text):
        return False
    if layout.is_indented and part.blocks[0].indent - layout.margin > 8:
        # Set in the middle of the page, where no paragraph goes on.
        return True
    return not (isinstance(above, Part) and above.kind is PartKind.PARAGRAPH and not _may_stand_above(above))


def _is_next_in_list(items: Sequence[Item], at: int) -> bool:
    """Whether a line is an item of a list right below another, as the format has it."""
    here, above = items[at], items[at - 1] if at else None
    return all(isinstance(part, Part) and part.blocks[0].item is not None for part in (here, above))


def _is_title_below(text: str) -> bool:
    return has_title_shape(text) and not QUESTION.match(fold(text[:20]))


def _names_speaker(text: str) -> bool:
    """Whether brackets behind a sentence say whose it is: （一位读者来信）. A title's are short: （上）, （摘要）."""
    opened = max(text.rfind("（"), text.rfind("("))
    return text[-1] in "）)" and len(text) - opened > 8


def _may_stand_above(above: Part) -> bool:
    """A title follows a finished paragraph, or a line of its own kind: a section's name, a title in two parts."""
    is_line = has_title_shape(above.text) and len(above.blocks) == 1
    return is_finished(above.text) or is_line or is_section_shape(above.text)


def _leads_to_text(items: Sequence[Item], at: int) -> bool:
    """Whether running text follows, at most two lines of byline, subtitle or note away."""
    for item in items[at + 1 : at + 6]:
        if not isinstance(item, Part):
            return False
        if item.kind in _MAY_FOLLOW or is_subtitle(item.text) or is_byline_below_title(item.text):
            continue
        if is_numbered(item.text) and has_title_shape(item.text) and len(item.blocks) == 1:
            # 一、总体情况: the article begins with a subheading.
            continue
        return is_finished(item.text) or width(item.text[:60]) > 60
    return False


def _is_like_announced(items: Sequence[Item], at: int, announced: Sequence[Title], layout: Layout) -> bool:
    """Whether a line stands like every announced title does, and as no paragraph stands."""
    part = items[at]
    if not announced or not isinstance(part, Part) or is_numbered(part.text):
        return False
    above = items[at - 1] if at else None
    block, models = part.blocks[0], [title.blocks[0] for title in announced]
    if block.level is not None or any(model.level is not None for model in models):
        return any(model.level == block.level for model in models) and block.level is not None
    if isinstance(above, SectionMark):
        return True
    if layout.is_indented and not any(layout.is_indented_line(model) for model in models):
        return not layout.is_indented_line(block) and len(part.blocks) == 1
    gaps = min((model.blank_before for model in models[1:]), default=0)
    if gaps >= 2:
        return block.blank_before >= gaps
    centred = all(model.indent - layout.margin >= 4 for model in models)
    return centred and block.indent - layout.margin >= 4


def _top_numbered(items: Sequence[Item], candidates: Sequence[int]) -> list[int]:
    return [at for at in candidates if TOP_NUMBERED.match(_text(items[at]))]


def _titles_below_names(items: Sequence[Item], candidates: Sequence[int], chosen: set[int]) -> set[int]:
    """The lines （一）（二） that stand right under every brief 一、二、: those name sections, and these are titles."""
    second = {at for at in candidates if _SECOND_NUMBERED.match(fold(_text(items[at])[:8]))}
    are_names = all(at + 1 in second and len(_text(items[at])) <= _LONGEST_NAME for at in chosen)
    return second if chosen and are_names and len(second) > len(chosen) else set()


def _as_section(item: Item) -> Item:
    return SectionMark(title_text(item.blocks[0])[0], item.blocks[0]) if isinstance(item, Part) else item


def _counted_from_top(items: Sequence[Item], candidates: Sequence[int]) -> list[int]:
    """Lines that count 1. 2. 3. where the text begins with the first of them: no title stands above."""
    counted = [(at, title_text(part.blocks[0])[1]) for at in candidates if isinstance(part := items[at], Part)]
    numbers = [(at, number) for at, number in counted if number is not None]
    is_counted = len(numbers) > 1 and [number for _, number in numbers] == list(range(1, len(numbers) + 1))
    is_top = is_counted and all(isinstance(item, SectionMark) for item in items[: numbers[0][0]])
    return [at for at, _ in numbers] if is_top else []


def _promote(items: Sequence[Item], candidates: Sequence[int], chosen: set[int], halves: set[int]) -> Found:
    found = Found([], [], [])
    numbers: list[Block] = []
    for at, item in enumerate(items):
        if at in halves:
            continue
        if at in chosen and isinstance(item, Part):
            above = items[at - 1] if at - 1 in halves else None
            blocks = [*above.blocks, *item.blocks] if isinstance(above, Part) else item.blocks
            text, ordinal = title_text(blocks[0])
            for block in blocks[1:]:
                text = join(text, block.text)
            title = Title(text, [*blocks, *numbers], ordinal=ordinal)
            numbers.clear()
            found.titles.append(title)
            found.items.append(title)
        elif isinstance(item, Part) and is_ordinal_alone(item.text) and _stands_above_title(items, at, chosen):
            # Part of the title below, and no part of its words.
            numbers.extend(item.blocks)
        elif isinstance(item, Part) and _names_section(items, at, chosen):
            found.items.append(SectionMark(undecorated(item.text)[0], item.blocks[0]))
        else:
            if isinstance(item, Title):
                item.blocks += numbers
                numbers.clear()
            if at in candidates and isinstance(item, Part) and not is_numbered(item.text):
                item.kind = PartKind.SUBHEADING
                found.subheadings.append(item)
            found.items.append(item)
    return found


def _stands_above_title(items: Sequence[Item], at: int, chosen: set[int]) -> bool:
    return at + 1 < len(items) and (at + 1 in chosen or isinstance(items[at + 1], Title))


def _is_bulleted_name(text: str, below: Item) -> bool:
    """Whether a bullet marks the name of a section, where titles have none, or another: ◆ 政策规划."""
    name, _ = undecorated(text)
    block = below.blocks[0] if isinstance(below, Title | Part) else None
    is_marked = name != text and text[0] in BULLETS and block is not None and block.text[:1] != text[0]
    return is_marked and len(name) <= 12 and has_title_shape(name, strict=True) and not is_finished(name, soft=False)


def _names_section(items: Sequence[Item], at: int, chosen: set[int]) -> bool:
    """An ornamented line right above a title names the section that begins there, and so does a word or two by itself,
    unless it stands right under another title.
    """
    text = _text(items[at])
    if not _stands_above_title(items, at, chosen):
        return False
    if is_section_shape(text):
        return True
    above = items[at - 1] if at else None
    part = items[at]
    if isinstance(part, Part) and part.kind is not PartKind.CAPTION and _is_bulleted_name(text, items[at + 1]):
        return True
    is_alone = isinstance(part, Part) and part.kind is PartKind.PARAGRAPH and len(part.blocks) == 1
    if not is_alone or isinstance(above, Title) or at - 1 in chosen or not _PLAIN_NAME.fullmatch(text):
        return False
    return not isinstance(above, Part) or is_finished(above.text) or above.kind is not PartKind.PARAGRAPH
