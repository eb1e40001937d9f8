"""Lines of a PDF → blocks: which line goes on with the one above is read from where it stands, not from its words."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile

from mailer.newsroom.readers.pdf_page import Line, line_of
from mailer.newsroom.readers.pdf_words import Row
from mailer.newsroom.structure.blocks import Block, Inset
from mailer.newsroom.structure.marks import is_marked, is_page_number
from mailer.newsroom.structure.spans import Span
from mailer.newsroom.structure.typography import is_cjk, is_finished, join, squeeze

# Lines of head and foot: at most so many from a page's edge are looked at.
_EDGE = 3
# Rows of the first page that may be its masthead.
_HEAD = 5
# What a running head never holds: the first line of the same notice may stand at the head of two pages.
_CLAUSE = re.compile("[，。；！？]")
_OTHER_SIZE = 0.8
# In parts of the type's size: where paragraphs begin at least, and what may be lacking at the end of a broken line.
_INDENT = 0.8
_NEARLY_FULL = 4
# Between a number and an ideograph some write a space, others none; with these words nobody does.
_SPACED = re.compile(r"[0-9A-Za-z] (?=[一-鿿])|[一-鿿] (?=[0-9A-Za-z])")
_CLOSE = re.compile(r"[0-9A-Za-z](?=[一-鿿])(?![年月日号期时分页第个])|[一-鿿](?<![年月日号期第])(?=[0-9A-Za-z])")
# Digits set high, numbers in a circle or in brackets, asterisks.
_NOTE_MARK = re.compile(r"[⁰¹²³⁴-⁹]+|[①-⑳]|\[\d{1,2}\]|\*{1,3}")
# Fonts may have raised digits of their own, which nothing tells from others but where they stand.
_PLAIN_REFERENCE = re.compile(r"[。；，、”’）》.,;](\d{1,2})(?!\d)")
_PLAIN_MARK = re.compile(r"\d{1,2}(?=[^\W\d_年月日])")
_FIRST_WORD = re.compile(r"[^\s\u2e80-\uffff]+")


@dataclass(frozen=True, slots=True)
class Setting:
    """How a document is set, in points: size of the text, distance of lines, whether paragraphs are indented or
    have space between them.
    """

    size: float
    leading: float
    is_indented: bool
    is_spaced: bool = False


def find_furniture(pages: Sequence[Sequence[Row]]) -> set[tuple[int, float]]:
    """(page, baseline) of rows that belong to the page: numbers at its edge, and what stands there on several pages,
    numbers aside, at the same height. `pages` are rows over the whole width, from the top, page 1 first.
    """
    places: dict[tuple[str, int], list[Line]] = {}
    found: set[tuple[int, float]] = set()
    head = [line_of(row, 1) for row in pages[0][:_HEAD]] if pages else []
    masthead = "".join(squeeze(row.text) for row in head)
    largest = max((run for row in pages[0][:_HEAD] for run in row), key=lambda run: run.size) if head else None
    name = squeeze(largest.text) if largest else ""
    for page, rows in enumerate(pages, start=1):
        for at in (at for at in range(len(rows)) if not _EDGE <= at < len(rows) - _EDGE):
            row = line_of(rows[at], page)
            bare = squeeze(row.text)
            is_outermost = at in {0, len(rows) - 1} and len(rows) > 1
            if is_outermost and (is_page_number(row.text) or _is_number(bare) or _repeats(row, name, masthead)):
                found.add((row.page, row.y))
            elif len(bare) <= 80 and not _CLAUSE.search(row.text):
                form = re.sub(r"\d+|[一二三四五六七八九十]+(?=页)", "0", bare)
                places.setdefault((form, round(row.y / 3)), []).append(row)
    for there in places.values():
        # On facing pages heads differ: a fourth of the pages is enough, if they are several.
        if len(there) >= 2 and len(there) * 4 >= len(pages) - 1:
            found.update((row.page, row.y) for row in there)
    return found


def _repeats(row: Line, name: str, masthead: str) -> bool:
    """Whether a row at the edge of a later page says the first page's largest line, and besides only what its head says
    too, or a number.
    """
    pieces = [squeeze(piece) for piece in row.text.split("   ")]
    return (
        row.page > 1 and name in squeeze(row.text) and all(piece in masthead or _is_number(piece) for piece in pieces)
    )


def _is_number(bare: str) -> bool:
    return bare.isdecimal() and len(bare) <= 4


def blocks_of_lines(lines: Sequence[Line]) -> list[Block]:
    """One block a line; `joins` says whether it goes on with the one above, `None` where that cannot be seen."""
    text = [line for line in lines if not line.is_furniture]
    setting = read_setting(text)
    notes = find_notes(text, setting)
    text = [line for line in text if id(line) not in notes]
    edges = _edges(text, setting)
    is_spaced = _spaces_numbers(text)
    blocks: list[Block] = []
    above: Line | None = None
    for number, line in enumerate(lines, start=1):
        shown = line.text.strip()
        if not shown:
            continue
        if line.is_furniture:
            blocks.append(Block(shown, number, line.page, inset=Inset.FURNITURE))
            continue
        if id(line) in notes:
            if note := notes[id(line)]:
                blocks.append(Block(note, number, line.page, inset=Inset.FOOTNOTE))
            continue
        left, right = edges[line.frame]
        blocks.append(
            Block(
                shown,
                number,
                line.page,
                indent=max(0, round((line.left - left) / (line.size or 1) * 2)),
                blank_before=_gap(above, line, setting),
                size=round(line.size, 1),
                is_bold=line.is_bold,
                has_space_after=is_spaced or (line.text[-1:] == " " and line.text[-2:-1] != " "),
                is_centred=_is_centred(line, left, right),
                joins=None if above is None else _joins(above, line, edges, setting),
                spans=tuple(Span(words, address=address) for words, address in line.links),
            )
        )
        above = line
    return blocks


def find_notes(lines: Sequence[Line], setting: Setting) -> dict[int, str]:
    """Footnotes: small lines at the foot of a column that begin with a mark which stands in the text of their page.
    By the `id` of a line: the whole note at its first one, nothing at the others.
    """
    notes: dict[int, str] = {}
    marks: dict[int, set[str]] = {}
    end = len(lines)
    while end:
        start = small = end
        while start and lines[start - 1].frame == lines[end - 1].frame:
            start -= 1
            small = start if small == start + 1 and lines[start].size <= setting.size - _OTHER_SIZE else small
        if small < end:
            page = lines[small].page
            if page not in marks:
                marks[page] = _marks(lines, small, setting)
            _find_notes_among(lines[small:end], marks[page], notes)
        end = start
    return notes


def _marks(lines: Sequence[Line], at: int, setting: Setting) -> set[str]:
    """What may point to a footnote in the text of the page on which line `at` stands."""
    page = lines[at].page
    while at and lines[at - 1].page == page:
        at -= 1
    found: set[str] = set()
    for line in takewhile(lambda line: line.page == page, islice(lines, at, None)):
        if line.size > setting.size - _OTHER_SIZE:
            found.update(_NOTE_MARK.findall(line.text), _PLAIN_REFERENCE.findall(line.text))
    return found


def _find_notes_among(small: Sequence[Line], marks: set[str], notes: dict[int, str]) -> None:
    first: Line | None = None
    for line in small:
        mark = _NOTE_MARK.match(line.text.strip()) or _PLAIN_MARK.match(line.text.strip())
        if mark and mark[0] in marks:
            first = line
            notes[id(first)] = line.text.strip()
        elif first is not None:
            notes[id(first)] = join(notes[id(first)], line.text.strip())
            notes[id(line)] = ""


def _spaces_numbers(lines: Sequence[Line]) -> bool:
    """Whether the document writes "3 万户" and not "3万户": at a line's end the space is not in the file."""
    text = "\n".join(line.text for line in lines)
    return len(_SPACED.findall(text)) > len(_CLOSE.findall(text))


def read_setting(lines: Sequence[Line]) -> Setting:
    """Size and leading that most of the text has; paragraphs are indented if a good part of full-sized lines is."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size * 2) / 2] += len(line.text)
    size = sizes.most_common(1)[0][0] if sizes else 10.0
    gaps: Counter[float] = Counter()
    over: Counter[float] = Counter()
    for above, line in pairwise(lines):
        gap = above.y - line.y
        is_text = abs(line.size - size) < _OTHER_SIZE and abs(above.size - size) < _OTHER_SIZE
        if above.frame == line.frame and is_text and 0.8 * size < gap < 3 * size:
            gaps[round(gap * 2) / 2] += 1
            over[round(gap * 2) / 2] += is_finished(above.text.strip(), soft=False)
    # The smallest of the frequent distances: paragraphs may have space between them.
    most = max(gaps.values(), default=0)
    leading = min((gap for gap, count in gaps.items() if count * 4 >= most), default=1.5 * size)
    body = [line for line in lines if abs(line.size - size) < _OTHER_SIZE]
    edges = _edges(body, Setting(size, leading, is_indented=False))
    indented = sum(0.8 <= (line.left - edges[line.frame][0]) / size <= 3.2 for line in body)
    wide = sum(count for gap, count in over.items() if 1.25 * leading < gap < 2.6 * leading)
    return Setting(
        size,
        leading,
        is_indented=indented >= 2 and indented * 14 >= len(body),
        is_spaced=wide * 12 >= len(body) > 0,
    )


def _edges(lines: Sequence[Line], setting: Setting) -> dict[int, tuple[float, float]]:
    """Left and right edge of every frame. A frame with few lines takes those of frames that stand where it does."""
    frames: dict[int, list[Line]] = {}
    for line in lines:
        frames.setdefault(line.frame, []).append(line)
    own = {
        frame: (min(line.left for line in there), max(line.right for line in there)) for frame, there in frames.items()
    }
    found = {}
    for frame, there in frames.items():
        left, right = own[frame]
        if len(there) < 12:
            near = [
                edge
                for other, edge in own.items()
                if len(frames[other]) >= 4
                and edge[0] - 2.5 * setting.size <= left
                and right <= edge[1] + setting.size
                and edge[1] - edge[0] <= 2.6 * max(right - left, 12 * setting.size)
            ]
            if near:
                closest = min(near, key=lambda edge: abs(edge[0] - left) + abs(edge[1] - right))
                left, right = min(left, closest[0]), max(right, closest[1])
        else:
            # Punctuation may hang over the edge: the rightmost twentieth of the lines does not count; nor do lines that
            # begin far inside, as titles and mastheads do.
            rights = sorted(line.right for line in there if line.left - left <= 3.2 * setting.size)
            right = rights[-1 - len(rights) // 20]
        found[frame] = (left, right)
    return found


def _gap(above: Line | None, line: Line, setting: Setting) -> int:
    """Blank lines above, as a typewriter would have left them."""
    if above is None or above.frame != line.frame:
        return 0
    beyond = (above.y - line.y) - max(setting.leading, 1.3 * line.size)
    return max(0, min(4, round(beyond / setting.leading + 0.15)))


def _is_centred(line: Line, left: float, right: float) -> bool:
    before, after = line.left - left, right - line.right
    return before > 1.5 * line.size and abs(before - after) < max(1.5 * line.size, 0.1 * (before + after))


def _joins(above: Line, line: Line, edges: dict[int, tuple[float, float]], setting: Setting) -> bool | None:
    """Whether `line` goes on with the line above it; `None` where only the words can tell."""
    if abs(above.size - line.size) > _OTHER_SIZE:
        return False
    left, _ = edges[line.frame]
    is_full = _is_full(above, line, edges[above.frame][1])
    is_over = is_finished(above.text.strip(), soft=False)
    if above.is_bold != line.is_bold and (is_over or not is_full):
        return False
    if above.frame == line.frame:
        gap = above.y - line.y
        is_text = abs(line.size - setting.size) < _OTHER_SIZE
        if gap > (1.3 * setting.leading if is_text else 2.1 * line.size):
            return False
        if not is_text:
            # A heading over two lines is centred or breaks where it likes.
            return True
    indent = (line.left - left) / (line.size or 1)
    above_indent = (above.left - edges[above.frame][0]) / (line.size or 1)
    if indent >= _INDENT and (setting.is_indented or above_indent < _INDENT):
        return False
    if is_marked(line.text.strip()):
        return None if is_full or not is_over else False
    if setting.is_indented:
        return not is_over or is_full
    if above.frame != line.frame:
        return False if is_over and not is_full else None
    return setting.is_spaced or is_full or (not is_over and _room(above, edges) < _NEARLY_FULL * line.size)


def _room(line: Line, edges: dict[int, tuple[float, float]]) -> float:
    return edges[line.frame][1] - line.right


def _is_full(above: Line, line: Line, right: float) -> bool:
    """Whether the first word of `line` would not have fitted behind `above`."""
    room = right - above.right
    text = line.text.lstrip()
    word = _FIRST_WORD.match(text[:40])
    if word and not is_cjk(text[:1]) and not is_cjk(above.text.rstrip()[-1:] or " "):
        return room < (len(word[0]) * 0.62 + 0.6) * line.size
    needed = len(word[0]) * 0.6 if word else 1
    return room < (max(needed, 1) + 1.1) * line.size
