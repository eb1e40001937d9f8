"""Which lines of the body are the titles that the contents list announces."""

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.entries import AUTHOR, read_entry, undecorated
from mailer.newsroom.structure.imprint import looks_like_people
from mailer.newsroom.structure.layout import Layout, is_full
from mailer.newsroom.structure.lines import PartKind, has_title_shape, is_section_shape, is_subtitle, kind_of
from mailer.newsroom.structure.listing import ContentsEntry
from mailer.newsroom.structure.marks import QUESTION
from mailer.newsroom.structure.matching import SAME, SAME_PLACE, normal_form, similarity
from mailer.newsroom.structure.typography import fold, is_finished, join, squeeze

_LINES_PER_TITLE = 3
# Whatever its length; a section's name in brackets is short.
_BRACKETED = re.compile(r"[【〖]([^【】〖〗]+)[】〗]")
# Beyond this a document is no bulletin; exact matches are linear and always made. A look costs about a microsecond, a
# comparison a hundred.
_MOST_LOOKS = 400_000
_MOST_COMPARISONS = 10_000


@dataclass(slots=True)
class Title:
    """An article's title as in the body, its subtitle if one stands under it, and the contents entry it answers."""

    text: str
    blocks: list[Block]
    subtitle: Block | None = None
    entry: ContentsEntry | None = None
    ordinal: int | None = None
    byline: str | None = None


def find_titles(body: Sequence[Block], entries: Sequence[ContentsEntry], layout: Layout) -> dict[int, Title]:
    """Titles by the index of their first line in `body`: first those that are equal but for punctuation, then by
    likeness, nearest to where their neighbours in the list stand.
    """
    places: dict[int, tuple[int, int]] = {}
    _match_equal(body, entries, places)
    _match_alike(body, entries, layout, places)
    return {start: _title(body, start, end, entries[entry]) for entry, (start, end) in places.items()}


def _match_equal(body: Sequence[Block], entries: Sequence[ContentsEntry], places: dict[int, tuple[int, int]]) -> None:
    wanted: dict[str, deque[int]] = defaultdict(deque)
    for number, entry in enumerate(entries):
        wanted[normal_form(entry.title)].append(number)
    wanted.pop("", None)
    forms = [forms_of(block) for block in body]
    at = 0
    while at < len(body) and wanted:
        length, form = _longest_wanted(body, forms, at, wanted)
        if length:
            places[wanted[form].popleft()] = (at, at + length)
            if not wanted[form]:
                del wanted[form]
        at += length or 1


def forms_of(block: Block) -> tuple[str, ...]:
    """The normal form of a line that may be a title, and the one without an ordinal at its head."""
    if not block.is_short:
        return ()
    form = normal_form(block.text)
    entry = read_entry(block)
    bare = normal_form(block.text[block.text.find(entry.title) :]) if entry.left is not None and entry.title else form
    return (form,) if bare == form else (form, bare)


def _longest_wanted(
    body: Sequence[Block], forms: list[tuple[str, ...]], at: int, wanted: dict[str, deque[int]]
) -> tuple[int, str]:
    for head in forms[at]:
        if head in wanted:
            # The subtitle may be in the list as well, but the shorter entry goes first.
            return 1, head
    for head in forms[at]:
        whole = head
        for length in range(2, _LINES_PER_TITLE + 1):
            if at + length > len(body) or not forms[at + length - 1] or body[at + length - 1].blank_before > 1:
                break
            whole += forms[at + length - 1][0]
            if whole in wanted:
                return length, whole
    return 0, ""


def _match_alike(
    body: Sequence[Block], entries: Sequence[ContentsEntry], layout: Layout, places: dict[int, tuple[int, int]]
) -> None:
    missing = [number for number in range(len(entries)) if number not in places]
    if not missing:
        return
    taken = {at for start, end in places.values() for at in range(start, end)}
    are_indented = any(layout.is_indented_line(body[start]) for start, _ in places.values())
    candidates = [
        at
        for at in range(len(body))
        if at not in taken
        and may_be_title(body, at)
        and not _is_inside(body, at, layout)
        and (are_indented or not layout.is_indented or not layout.is_indented_line(body[at]))
    ]
    likeness = _Likeness(body)
    for number in missing:
        form = normal_form(entries[number].title)
        low, high = _gap(number, places, len(body))
        near = [at for at in candidates if low <= at < high and at not in taken]
        found = likeness.best(form, near)
        if found is None or found[0] < SAME:
            elsewhere = likeness.best(form, [at for at in candidates if at not in taken])
            if elsewhere is not None and elsewhere[0] >= SAME + 0.05:
                found = elsewhere
            elif found is not None and (found[0] < SAME_PLACE or _leading(body, near) != [found[1]]):
                found = None
        if found is not None:
            _, start, end = found
            places[number] = (start, end)
            taken.update(range(start, end))


def _is_inside(body: Sequence[Block], at: int, layout: Layout) -> bool:
    """Whether a line goes on from the one above it, which the typesetter broke."""
    above = body[at - 1] if at else None
    return (
        above is not None
        and body[at].blank_before == 0
        and not is_finished(above.text)
        and not has_title_shape(above.text)
        and is_full(above, body[at].text, layout)
    )


def _gap(number: int, places: dict[int, tuple[int, int]], length: int) -> tuple[int, int]:
    before = [places[other][1] for other in range(number) if other in places]
    after = [start for other, (start, _) in places.items() if other > number]
    low = before[-1] if before else 0
    return low, min((start for start in after if start >= low), default=length)


class _Likeness:
    """Finds the likest line for a title, within a budget: a bulletin's few hundred comparisons never use it up."""

    def __init__(self, body: Sequence[Block]) -> None:
        self._body = body
        self._spans: dict[int, list[tuple[str, frozenset[str], int]]] = {}
        self._looks = _MOST_LOOKS
        self._comparisons = _MOST_COMPARISONS

    def best(self, form: str, candidates: Sequence[int]) -> tuple[float, int, int] | None:
        """The likest of the candidates (alone or with the next line): likeness, first line, end."""
        best: tuple[float, int, int] | None = None
        letters = frozenset(form)
        for at in candidates[: max(0, self._looks)]:
            for whole, others, end in self._spans_at(at):
                if len(letters & others) * 5 < 2 * min(len(letters), len(others)) or self._comparisons <= 0:
                    continue
                self._comparisons -= 1
                score = similarity(form, whole)
                if score > 0 and (best is None or score > best[0]):
                    best = (score, at, end)
        self._looks -= len(candidates)
        return best

    def _spans_at(self, at: int) -> list[tuple[str, frozenset[str], int]]:
        if at not in self._spans:
            forms = [(normal_form(self._body[at].text), at + 1)]
            if at + 1 < len(self._body) and self._body[at + 1].blank_before <= 1 and may_be_title(self._body, at + 1):
                forms.append((forms[0][0] + normal_form(self._body[at + 1].text), at + 2))
            self._spans[at] = [(form, frozenset(form), end) for form, end in forms]
        return self._spans[at]


def _leading(body: Sequence[Block], candidates: Sequence[int]) -> list[int]:
    return [at for at in candidates if at + 1 < len(body) and not may_be_title(body, at + 1)]


def may_be_title(body: Sequence[Block], at: int) -> bool:
    """Whether a line could be a title by its shape, unmarked by anything that says it is something else."""
    text = body[at].text
    return (
        has_title_shape(text)
        and not is_section_shape(text)
        and kind_of(text) is PartKind.PARAGRAPH
        and not QUESTION.match(fold(text[:20]))
        and not (is_finished(text, soft=False) and text[-1:] in "。.；")
    )


def _title(body: Sequence[Block], start: int, end: int, entry: ContentsEntry) -> Title:
    blocks = list(body[start:end])
    subtitle = None
    for at in range(1, len(blocks)):
        if is_subtitle(blocks[at].text):
            subtitle, blocks = blocks[at], blocks[:at] + blocks[at + 1 :]
            break
    text, ordinal = title_text(blocks[0])
    text, byline = _without_author(text, blocks[-1], entry)
    for block in blocks[1:]:
        spaced = f"{text[-3:]} {block.text[:3]}" in " ".join(entry.title.split())
        text = f"{text} {block.text}" if spaced else join(text, block.text)
    if normal_form(text) != normal_form(entry.title) and ordinal is None:
        # A loose number at the head ("02 标题") is an ordinal, if the list has the title without it.
        loose = read_entry(blocks[0])
        if loose.left is not None and loose.title in text:
            bare = text[text.find(loose.title) :]
            text, ordinal = (bare, loose.left) if normal_form(bare) == normal_form(entry.title) else (text, ordinal)
    if normal_form(text) != normal_form(entry.title) and ordinal is not None:
        whole = undecorated(blocks[0].text)[0]
        if normal_form(whole) == normal_form(entry.title):
            text, ordinal = whole, None
    if byline is None and end < len(body) and entry.author and squeeze(body[end].text) == entry.author:
        byline = body[end].text
        blocks.append(body[end])
    return Title(text, blocks, subtitle, entry, ordinal, byline)


def _without_author(text: str, block: Block, entry: ContentsEntry) -> tuple[str, str | None]:
    """A title without the author who stands beside it on the line, and the author."""
    match = AUTHOR.search(block.text)
    if match and looks_like_people(match[1]) and not normal_form(entry.title).endswith(normal_form(match[1])):
        return " ".join(text[: text.rfind(match[1].split()[0])].rstrip(" /|｜").split()), match[1]
    return text, None


def title_text(block: Block) -> tuple[str, int | None]:
    """A title line without bullets, ornaments and ordinal, and the ordinal, if it had one."""
    entry = read_entry(block)
    text, ordinal = block.text, None
    if entry.left is not None and not entry.is_left_loose and entry.title in text:
        text, ordinal = text[text.find(entry.title) :], entry.left
    # Quotation marks around all of a title are its own; a star at the end points to a footnote.
    bare = text if text[:1] in "「『" else undecorated(text)[0]
    if bracketed := _BRACKETED.fullmatch(bare):
        bare = bracketed[1]
    return " ".join(bare.rstrip("*＊").split()), ordinal
