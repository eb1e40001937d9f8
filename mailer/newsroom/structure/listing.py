"""Lines of a contents list → its entries and sections: what left-hand numbers mean, which lines belong together."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from mailer.newsroom.structure.entries import Entry, undecorated
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.typography import fold, is_cjk, is_latin, join, squeeze

# In characters; sections are called 政策速递, 基层一线.
_LONGEST_NAME = 10
# What is left of an entry whose leader did not fit on its line: "………………2".
_STRAY_PAGE = re.compile(r"[ .…·‥⋯—_•]{2,}(?:第|p\.? ?)?\(?(?P<page>\d{1,4})\)?页?", re.IGNORECASE)
_LABEL = re.compile(
    r"[【\[［〔](?P<section>[^】\]］〕]{2,8})[】\]］〕]\s*(?=\S)|(?P<column>[^\s|｜]{2,8})\s*[|｜]\s*(?=\S)"
)


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """One entry: the title as the list has it, the page it gives, the section it stands under, its source lines.

    `abstract` is what the list says about the article (导读), beyond its title.
    """

    title: str
    page: int | None
    section: str | None
    lines: tuple[int, ...]
    abstract: str | None = None
    # What its line says between title and page: who wrote.
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Entries in order, and names of sections with their lines."""

    entries: tuple[ContentsEntry, ...]
    sections: tuple[str, ...]


@dataclass(slots=True)
class _Assembly:
    forms: set[str]
    known_sections: set[str]
    is_numbered: bool
    bullet: str
    is_paged: bool
    is_chinese: bool
    indent: int
    # Whether bullets mark the sections, and entries have none.
    has_bulleted_sections: bool = False
    # Whether numbers count the sections, and entries stand indented under them.
    has_numbered_sections: bool = False
    entries: list[ContentsEntry] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    # The first half of an entry that goes on in the next line.
    half: tuple[str, tuple[int, ...]] | None = None


def list_entries(lines: list[Entry], forms: set[str], known_sections: set[str]) -> Listing:
    """`forms` are the normal forms of the body's lines: a joined title that stands there proves the joint;
    `known_sections` those of its ornamented lines.
    """
    lines = _with_stray_pages(lines)
    has_numbered_sections = _has_numbered_sections(lines)
    lines = lines if has_numbered_sections else _with_pages(lines)
    if sum(normal_form(undecorated(line.title)[0]) in known_sections for line in lines) * 2 > len(lines):
        # The body ornaments its titles.
        known_sections = set()
    if all(undecorated(line.block.text)[1] for line in lines):
        # And so does the list.
        lines = [replace(line, block=replace(line.block, text=undecorated(line.block.text)[0])) for line in lines]
        lines = [replace(line, title=line.block.text) if line.page is None else line for line in lines]
    paged = sum(line.page is not None for line in lines)
    is_paged = paged * 3 >= len(lines)
    bullets = Counter(line.bullet for line in lines if line.bullet and (line.page is not None or not is_paged))
    bullet = bullets.most_common(1)[0][0] if bullets else ""
    assembly = _Assembly(
        forms,
        known_sections,
        is_numbered=sum(line.left is not None for line in lines) * 3 >= len(lines),
        bullet=bullet if bullets[bullet] * 3 >= len(lines) or not paged else "",
        is_paged=is_paged,
        is_chinese=all(line.is_left_chinese for line in lines if line.left is not None and line.page is not None),
        indent=min((line.block.indent for line in lines if line.page is not None), default=0),
        has_numbered_sections=has_numbered_sections,
        has_bulleted_sections=not paged and _has_bulleted_sections(lines, forms),
    )
    for at, line in enumerate(lines):
        _add(assembly, line, lines[at + 1] if at + 1 < len(lines) else None)
    if assembly.half:
        title, numbers = assembly.half
        _append(assembly, title, None, numbers)
    texts = {line.block.line: line.block.text for line in lines}
    return Listing(tuple(_with_author(entry, texts) for entry in assembly.entries), tuple(assembly.sections))


def _with_author(entry: ContentsEntry, texts: Mapping[int, str]) -> ContentsEntry:
    tail = squeeze(texts[entry.lines[-1]]).rpartition(squeeze(entry.title[-8:]))[2]
    author = tail.rstrip("0123456789()[]页版").strip(".…·—-_/|,，()[]")
    return replace(entry, author=author) if 1 < len(author) <= 20 and entry.page is not None else entry


def _has_bulleted_sections(lines: list[Entry], forms: set[str]) -> bool:
    """Whether short bulleted names stand above lines without bullet that are the titles: "● 本馆动态"."""
    names = [at for at, line in enumerate(lines) if line.bullet]
    plain = [line for line in lines if not line.bullet]
    if not names or names[0] > 0 or len({lines[at].bullet for at in names}) > 1 or len(plain) < len(names):
        return False
    is_above = all(at + 1 < len(lines) and not lines[at + 1].bullet for at in names)
    are_brief = all(len(lines[at].title) <= _LONGEST_NAME for at in names)
    known = sum(normal_form(line.title) in forms for line in plain)
    return is_above and are_brief and known * 5 >= len(plain) * 4


def _has_numbered_sections(lines: list[Entry]) -> bool:
    """Whether brief names are counted and lines without number stand indented under each: "01  重点关注"."""
    names = [at for at, line in enumerate(lines) if line.left is not None]
    if not names or names[0] > 0 or any(lines[at].page is not None or lines[at].is_left_page for at in names):
        return False
    plain = [line for line in lines if line.left is None]
    deepest = max(lines[at].block.indent for at in names)
    are_counted = [lines[at].left for at in names] == list(range(1, len(names) + 1)) and len(names) > 1
    is_above = all(at + 1 < len(lines) and lines[at + 1].left is None for at in names)
    is_indented = all(line.block.indent > deepest for line in plain)
    are_brief = all(len(lines[at].title) <= _LONGEST_NAME for at in names)
    return are_counted and is_above and is_indented and are_brief


def is_stray_page(text: str) -> bool:
    """Whether a line is only a leader with a page, the end of an entry that filled the line above."""
    return len(text) <= 80 and _STRAY_PAGE.fullmatch(fold(text)) is not None


def _with_stray_pages(lines: list[Entry]) -> list[Entry]:
    """Gives an entry the page that stands alone, behind a leader, on the line below it."""
    found: list[Entry] = []
    for line in lines:
        match = _STRAY_PAGE.fullmatch(fold(line.block.text))
        if match and found and found[-1].page is None:
            found[-1] = replace(found[-1], page=int(match["page"]), strength=2)
        else:
            found.append(line)
    return found


def _with_pages(lines: list[Entry]) -> list[Entry]:
    """Decides what is a page: doubtful right-hand numbers need company and order, left-hand ones must do more than
    count.
    """
    pages = [line.page for line in lines if line.page is not None]
    sure = sum(line.strength >= 1 for line in lines)
    doubtful = [line for line in lines if line.strength == 0.5]
    trusted = pages == sorted(pages) and (sure * 2 >= len(pages) or len(doubtful) * 2 > len(lines))
    lines = [line if trusted or line.strength != 0.5 else _unpaged(line) for line in lines]
    lefts = [line for line in lines if line.left is not None]
    if not lefts or any(line.page is not None for line in lefts):
        return [line if line.page is not None or not line.is_left_page else _paged_left(line) for line in lines]
    values = [line.left or 0 for line in lefts]
    counts_up = all(after in {before + 1, 1} for before, after in pairwise(values)) and values[0] == 1
    is_wide = all(line.is_left_loose and _has_gap(line) for line in lefts)
    marked = any(line.is_left_page for line in lefts)
    if marked or (len(lefts) > 1 and (is_wide or (not counts_up and values == sorted(values)))):
        return [_paged_left(line) if line.left is not None else line for line in lines]
    # A single number that nobody counts on from belongs to the title: "7 月 9 日".
    return lines if counts_up else [_untouched(line) for line in lines]


def _has_gap(line: Entry) -> bool:
    return re.match(r"\D*\d+(?: {2,}|[…—]| ?\.\.)", fold(line.block.text).replace("\t", "  ")) is not None


def _unpaged(line: Entry) -> Entry:
    text = line.block.text
    return replace(line, title=text[text.rfind(line.title) :] if line.title else text, page=None, strength=0)


def _paged_left(line: Entry) -> Entry:
    return replace(line, left=None, is_left_page=True, page=line.left, strength=3)


def _untouched(line: Entry) -> Entry:
    if line.left is None:
        return line
    text = line.block.text
    start = len(line.bullet) if text.startswith(line.bullet) else 0
    end = text.rfind(line.title) + len(line.title) if line.title in text else len(text)
    return replace(line, left=None, title=text[start:end].strip())


def is_abstract(line: Entry) -> bool:
    """Whether a line under an entry is a sentence about the article."""
    text = line.block.text
    return (
        line.page is None and not line.bullet and len(text) >= 10 and text[-1] in "。！？.!?" and text[-2] not in "。."
    )


def _add(assembly: _Assembly, line: Entry, after: Entry | None) -> None:
    starts = bool(line.bullet) or line.left is not None
    numbers = (line.block.line,)
    is_about = is_abstract(line) and normal_form(line.title) not in assembly.forms
    if assembly.entries and assembly.half is None and not starts and is_about:
        last = assembly.entries.pop()
        abstract = join(last.abstract or "", line.block.text)
        assembly.entries.append(replace(last, abstract=abstract, lines=last.lines + numbers))
        return
    if assembly.half is not None:
        if _belongs_below(assembly, line, starts=starts):
            half, above = assembly.half
            assembly.half = None
            is_other = is_latin(half) != is_latin(line.title)
            title = f"{half} {line.title}" if is_other else join(half, line.title)
            _append(assembly, title, line.page, above + numbers)
            return
        half, above = assembly.half
        assembly.half = None
        _append(assembly, half, None, above)
    is_translated = after is not None and _is_translated(assembly, line, after)
    if line.page is None and not is_translated and _is_section(assembly, line, after, starts=starts):
        assembly.sections.append(_section_name(line))
    elif line.page is None and _is_half(assembly, line, after):
        assembly.half = (line.title, numbers)
    elif line.page is None and not starts and assembly.entries and _is_tail(assembly, line):
        last = assembly.entries.pop()
        assembly.entries.append(replace(last, title=join(last.title, line.title), lines=last.lines + numbers))
    else:
        _append(assembly, line.title, line.page, numbers)


def _append(assembly: _Assembly, title: str, page: int | None, lines: tuple[int, ...]) -> None:
    section = assembly.sections[-1] if assembly.sections else None
    if (label := _LABEL.match(title)) and normal_form(title) not in assembly.forms:
        section, title = label["section"] or label["column"], title[label.end() :]
    elif title.endswith(("】", "]")):
        title = undecorated(title)[0]
    assembly.entries.append(ContentsEntry(" ".join(title.split()), page, section, lines))


def _belongs_below(assembly: _Assembly, line: Entry, *, starts: bool) -> bool:
    return not starts and (line.page is not None or not assembly.is_paged)


def _is_section(assembly: _Assembly, line: Entry, after: Entry | None, *, starts: bool) -> bool:
    name, is_decorated = undecorated(line.block.text)
    if assembly.has_bulleted_sections or assembly.has_numbered_sections:
        return bool(line.bullet) if assembly.has_bulleted_sections else line.left is not None
    if is_decorated:
        return normal_form(name) not in assembly.forms or len(name) <= 12
    if normal_form(name) in assembly.known_sections:
        return True
    if line.left is not None and assembly.is_numbered:
        return assembly.is_paged and line.is_left_chinese and not assembly.is_chinese
    if assembly.is_paged and after is not None and line.block.indent != after.block.indent and not starts:
        return _is_left_of_entries(assembly, line, after)
    is_other = (
        line.bullet
        and line.bullet != assembly.bullet
        and (assembly.bullet or (assembly.is_paged and assembly.is_numbered))
    )
    if is_other and after is not None and (after.bullet != line.bullet or after.page is not None):
        return len(line.title) <= 16
    if after is None or (starts and not assembly.is_paged) or (line.bullet and line.bullet == assembly.bullet):
        return False
    if normal_form(line.title + after.title) in assembly.forms and normal_form(after.title) not in assembly.forms:
        return False
    is_brief = len(line.title) <= (_LONGEST_NAME if any(map(is_cjk, line.title)) else 32)
    if assembly.is_paged:
        return is_brief and (after.page is not None or bool(after.bullet) or after.left is not None)
    return bool(assembly.bullet) and is_brief and after.bullet == assembly.bullet and not line.bullet


def _is_left_of_entries(assembly: _Assembly, line: Entry, after: Entry) -> bool:
    """Whether a name stands to the left of the entries; the first half of an entry may too, of its second."""
    is_brief = len(line.title) <= _LONGEST_NAME
    # The body has both, and so they are two.
    is_apart = {normal_form(line.title), normal_form(after.title)} <= assembly.forms
    is_deeper = after.block.indent > line.block.indent and is_apart and is_brief
    return line.block.indent < assembly.indent or is_deeper or (after.block.indent == assembly.indent and is_brief)


def _is_translated(assembly: _Assembly, line: Entry, after: Entry) -> bool:
    """Whether the next line says a title in the other script, as the body has both, one under the other."""
    is_other = is_latin(line.title) != is_latin(after.title)
    return is_other and line.page is None and normal_form(line.title + after.title) in assembly.forms


def _section_name(line: Entry) -> str:
    return undecorated(line.title if line.left is not None else line.block.text)[0].rstrip("：: ")


def _is_half(assembly: _Assembly, line: Entry, after: Entry | None) -> bool:
    """Whether an entry goes on in the next line: both together are a title of the body, or have a page."""
    if after is None or after.bullet or after.left is not None:
        return False
    if normal_form(line.title + after.title) in assembly.forms:
        return True
    if normal_form(line.title) in assembly.forms:
        return False
    if assembly.is_paged:
        return after.page is not None and normal_form(after.title) not in assembly.forms
    return (
        bool(assembly.bullet)
        and bool(line.bullet)
        and normal_form(after.title) not in assembly.forms
        and (after.block.indent > line.block.indent)
    )


def _is_tail(assembly: _Assembly, line: Entry) -> bool:
    """Whether a line without a page belongs to the entry above it: a subtitle, or a second half the body has too."""
    last = assembly.entries[-1]
    if normal_form(last.title + line.title) in assembly.forms:
        return True
    return line.block.text.startswith(("——", "――", "──"))
