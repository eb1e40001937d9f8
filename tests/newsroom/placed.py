"""Bulletins as PDFs whose every line is put where it stands, as simple generators do: lines broken at a width without
justification, narrow gutters, contents lists inside columns. Each number makes another setting.
"""

import random
import unicodedata
from dataclasses import dataclass, field

import typst

from tests.newsroom.documents import Truth, chosen, foot_lines, masthead_lines, truth_of

PREAMBLE = (
    '#set text(lang: "zh", cjk-latin-spacing: none, font: ("Libertinus Serif", "Noto Serif CJK SC"), '
    'top-edge: "ascender", bottom-edge: "descender")'
)
NEVER_FIRST = "，。、；：？！”）"


def ems(text: str) -> float:
    return sum(1 if unicodedata.east_asian_width(character) in "WFA" else 0.55 for character in text)


def broken(text: str, width: int, first: float, *, hangs: bool) -> list[str]:
    """Lines of at most `width` ems, the first shorter; punctuation may hang over the edge."""
    lines, line, room = [], "", width - first
    for character in text:
        if ems(line) + ems(character) > room and not (hangs and character in NEVER_FIRST):
            lines.append(line)
            line, room = "", width
        line += character
    return [*lines, line]


@dataclass
class Sheet:
    """Pages under way: items are x, y, size, bold, text in points from the upper left."""

    chance: random.Random
    pages: list[list[tuple[float, float, float, bool, str]]] = field(default_factory=list)
    column: int = 0
    y: float = 0
    top: float = 0

    def __post_init__(self) -> None:
        pick = self.chance.choice
        self.width, self.height = pick([(420, 595), (595, 842)])
        self.columns = pick([1, 2, 2]) if self.width > 500 else 1
        self.size = pick([9, 10.5, 12]) if self.columns > 1 else pick([10.5, 12, 14])
        self.title_size = self.size + pick([0, 2, 3, 6])
        self.is_bold = self.title_size == self.size or pick([True, False])
        self.leading = self.size * pick([1.4, 1.6, 1.9])
        self.margin, self.gutter = pick([42, 57]), pick([14, 20, 28])
        self.indent = pick([2, 2, 0])
        self.gap = 0 if self.indent else pick([0.6, 1.0]) * self.size
        self.hangs, self.has_head, self.is_centred = pick([True, False]), pick([True, False]), pick([True, False])
        self.foot = pick(["— {} —", "- {} -", "{}", "第{}页"])
        self.bullet = pick(["★ ", "", "● ", "{}. "])
        self.contents = pick(["over columns", "in column", "none"])
        self.column_width = (self.width - 2 * self.margin - self.gutter * (self.columns - 1)) / self.columns
        self.turn()

    def turn(self) -> None:
        """A new page with its head and foot."""
        self.pages.append([])
        number = len(self.pages)
        self.column, self.y, self.top = 0, self.margin + 30, self.margin + 30
        if self.has_head and number > 1:
            self.pages[-1].append((self.margin, self.margin - 10, 8, False, "望川科技要情　2025年第11期"))
        foot = self.foot.format(number)
        self.pages[-1].append(((self.width - ems(foot) * 8) / 2, self.height - 30, 8, False, foot))

    def make_room(self, height: float) -> None:
        if self.y + height <= self.height - self.margin - 10:
            return
        if self.column + 1 < self.columns:
            self.column, self.y = self.column + 1, self.top
        else:
            self.turn()

    def put(self, text: str, *, at: float = 0, size: float = 0, is_bold: bool = False) -> None:
        """A line in the column, `at` points from its edge."""
        height = size * 1.6 if size else self.leading
        self.make_room(height)
        left = self.margin + self.column * (self.column_width + self.gutter) + at
        self.pages[-1].append((left, self.y, size or self.size, is_bold, text))
        self.y += height

    def centre(self, text: str, size: float) -> float:
        return (self.column_width - ems(text) * size) / 2 if self.is_centred else 0


def make_placed(seed: int) -> tuple[bytes, Truth]:
    """The bulletin, set as `seed` says."""
    sheet = Sheet(random.Random(seed))
    articles = chosen(is_english=False, long=True)
    for number, line in enumerate(masthead_lines(is_english=False)):
        size = 24 if number == 0 else 11
        sheet.pages[-1].append(((sheet.width - ems(line) * size) / 2, sheet.y, size, number == 0, line))
        sheet.y += size * 1.7
    sheet.top = sheet.y = sheet.y + 6
    if sheet.contents != "none":
        _contents(sheet, [title for title, _ in articles])
    for title, paragraphs in articles:
        _article(sheet, title, paragraphs)
    sheet.y += sheet.leading
    for line in foot_lines(is_english=False):
        sheet.put(line)
    truth = truth_of(is_english=False, has_sections=False, has_contents=sheet.contents != "none", long=True)
    return _pdf(sheet), truth


def _contents(sheet: Sheet, titles: list[str]) -> None:
    heading = "目  录"
    sheet.put(heading, at=sheet.centre(heading, sheet.size), is_bold=sheet.is_bold)
    width = int(sheet.column_width / sheet.size)
    for number, title in enumerate(titles):
        entry, page = sheet.bullet.format(number + 1) + title, str(2 * number + 1)
        dots = int(width - ems(entry) - len(page) * 0.6) - 1
        if dots >= 2:
            sheet.put(f"{entry}{'…' * dots}{page}")
        else:
            for line in broken(entry, width, 0, hangs=False):
                sheet.put(line)
            sheet.put(f"{'……' * 3}{page}")
    if sheet.columns == 1 or sheet.contents == "over columns":
        sheet.y += sheet.size
        if sheet.chance.random() < 0.5:
            sheet.turn()


def _article(sheet: Sheet, title: str, paragraphs: list[str]) -> None:
    lines = broken(title, int(sheet.column_width / sheet.title_size), 0, hangs=False)
    sheet.y += sheet.leading * 0.7
    sheet.make_room(sheet.title_size * 1.6 * len(lines) + sheet.leading * 2)
    for line in lines:
        sheet.put(line, at=sheet.centre(line, sheet.title_size), size=sheet.title_size, is_bold=sheet.is_bold)
    sheet.y += sheet.leading * 0.3
    for paragraph in paragraphs:
        width = int(sheet.column_width / sheet.size)
        for number, line in enumerate(broken(paragraph, width, sheet.indent, hangs=sheet.hangs)):
            sheet.put(line, at=sheet.indent * sheet.size if number == 0 else 0)
        sheet.y += sheet.gap


def _pdf(sheet: Sheet) -> bytes:
    source = [f"#set page(width: {sheet.width}pt, height: {sheet.height}pt, margin: 0pt)", PREAMBLE]
    for number, page in enumerate(sheet.pages):
        source += ["#pagebreak()"] if number else []
        for x, y, size, is_bold, text in page:
            weight = "bold" if is_bold else "regular"
            shown = f'text(size: {size}pt, weight: "{weight}", "{text}")'
            source.append(f"#place(top + left, dx: {x}pt, dy: {y}pt, box(width: 900pt, {shown}))")
    return typst.compile("\n".join(source).encode(), format="pdf")
