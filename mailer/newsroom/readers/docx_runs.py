"""The runs of a Word paragraph → its text as it would be printed, with what hangs on it."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailer.newsroom.readers.docx_styles import Look, Styles, W, flag, roman, whole
from mailer.newsroom.structure.spans import PLAIN, Mark, Marks, Run

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_V = "{urn:schemas-microsoft-com:vml}"
_O = "{urn:schemas-microsoft-com:office:office}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_GONE = frozenset((f"{W}del", f"{W}moveFrom"))
_FORMULAS = frozenset((f"{_M}oMath", f"{_M}oMathPara"))
_NOTES = {f"{W}footnoteReference": "footnotes", f"{W}endnoteReference": "endnotes"}
_DRAWINGS = frozenset((f"{W}drawing", f"{W}pict", f"{W}object", f"{_MC}AlternateContent"))
_ARRIVED = frozenset((f"{W}ins", f"{W}moveTo"))
_EMPHASIS = {f"{W}i": Mark.EMPHASIS, f"{W}strike": Mark.STRUCK, f"{W}dstrike": Mark.STRUCK}
_RAISED = {"superscript": Mark.RAISED, "subscript": Mark.LOWERED}
_MARKS = {f"{W}tab": "\t", f"{W}cr": "\n", f"{W}noBreakHyphen": "-", f"{W}ptab": "\t"}
_MOST_DEPTH = 24
_HYPERLINK = re.compile(r"\s*HYPERLINK\s+\"([^\"]+)\"", re.IGNORECASE)


def _marks_of(properties: Any) -> Marks:
    """What a run's own properties say."""
    if properties is None:
        return PLAIN
    marks = {mark for tag, mark in _EMPHASIS.items() if flag(properties.find(tag))}
    line = properties.find(f"{W}u")
    if line is not None and line.get(f"{W}val", "single") != "none":
        marks.add(Mark.UNDERLINED)
    raised = properties.find(f"{W}vertAlign")
    if raised is not None and (mark := _RAISED.get(raised.get(f"{W}val", ""))):
        marks.add(mark)
    return frozenset(marks) or PLAIN


@dataclass(slots=True)
class Gathered:
    """A paragraph's printed text as runs, soft line breaks as newlines; `boxes` are the text boxes anchored in it;
    `pictures` are relation and description; `notes` are kind, id and the mark that Word prints for them.
    """

    runs: list[Run] = field(default_factory=list)
    size: float | None = None
    is_bold: bool = False
    breaks_before: int = 0
    breaks_after: int = 0
    is_contents: bool = False
    boxes: list[Any] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What is printed, without any mark."""
        return "".join(run.text for run in self.runs)

    def followed_by(self, other: "Gathered") -> "Gathered":
        """Both paragraphs as one."""
        return Gathered(
            self.runs + other.runs,
            self.size or other.size,
            self.is_bold and other.is_bold,
            self.breaks_before,
            self.breaks_after + other.breaks_before + other.breaks_after,
            self.is_contents or other.is_contents,
            self.boxes + other.boxes,
            self.pictures + other.pictures,
            self.notes + other.notes,
        )


class Gatherer:
    """Goes through paragraphs in the document's order: a field may begin in one and end in another."""

    def __init__(self, styles: Styles, addresses: Mapping[str, str]) -> None:
        """`addresses` are where the document's links lead, by their relation."""
        self._styles = styles
        self._addresses = addresses
        # Open fields: the instruction so far, and whether its result has begun.
        self._fields: list[list[Any]] = []
        # Where in the paragraph each of them began to show its result.
        self._results: list[int] = []
        self._notes = Counter[str]()
        self.changes = 0

    def gather(self, paragraph: Any, look: Look) -> Gathered:
        """The text of one paragraph."""
        found = Gathered(is_contents=self._in_contents())
        self._look = look
        self._runs: list[Run] = []
        self._results = [0] * len(self._fields)
        self._sizes: Counter[float] = Counter()
        self._bold, self._letters = 0, 0
        self._into(paragraph, found, 0)
        found.runs = self._runs
        found.size = self._sizes.most_common(1)[0][0] if self._sizes else look.size
        found.is_bold = self._bold > 0 and self._bold == self._letters
        found.is_contents = found.is_contents or self._in_contents()
        return found

    def _in_contents(self) -> bool:
        return any(str(instruction).lstrip().upper().startswith("TOC") for instruction, _ in self._fields)

    def _into(self, element: Any, found: Gathered, depth: int) -> None:
        if depth > _MOST_DEPTH:
            return
        for child in element:
            tag = child.tag
            if tag == f"{W}r":
                self._run(child, found, depth)
            elif tag in _GONE:
                self.changes += 1
            elif tag in _FORMULAS:
                self._say("".join(text.text or "" for text in child.iter(f"{_M}t")), None)
            elif tag != f"{W}pPr":
                self.changes += tag in _ARRIVED
                start = len(self._runs)
                self._into(child, found, depth + 1)
                if tag == f"{W}hyperlink":
                    self._link(start, self._addresses.get(child.get(f"{_R}id", ""), ""))

    def _link(self, start: int, address: str) -> None:
        self._runs[start:] = [run._replace(address=address) for run in self._runs[start:]]

    def _run(self, run: Any, found: Gathered, depth: int) -> None:
        properties = run.find(f"{W}rPr")
        if properties is not None and flag(properties.find(f"{W}vanish")):
            return
        for child in run:
            tag = child.tag
            if tag == f"{W}t":
                if all(is_result for _, is_result in self._fields):
                    self._say(child.text or "", properties)
            elif tag in _MARKS:
                self._runs.append(Run(_MARKS[tag]))
            elif tag in _DRAWINGS:
                self._drawing(child, found)
            elif tag in _NOTES:
                self._note(_NOTES[tag], child, found)
            else:
                self._mark(child, tag, found, depth)

    def _note(self, kind: str, reference: Any, found: Gathered) -> None:
        """Word counts its notes when it prints; a mark of the author's own stands in the text already."""
        mark = ""
        if reference.get(f"{W}customMarkFollows") not in {"1", "true", "on"}:
            self._notes[kind] += 1
            number = self._notes[kind]
            mark = f"[{roman(number).lower() if kind == 'endnotes' else number}]"
        found.notes.append((kind, reference.get(f"{W}id", ""), mark))
        self._runs.append(Run("", note=mark))

    def _mark(self, child: Any, tag: str, found: Gathered, depth: int) -> None:
        """What says something about the text rather than being some."""
        if tag == f"{W}br":
            self._break(child, found)
        elif tag == f"{W}lastRenderedPageBreak":
            self._page_break(found, is_rendered=True)
        elif tag == f"{W}fldChar":
            self._field(child.get(f"{W}fldCharType"), found)
        elif tag == f"{W}instrText" and self._fields and not self._fields[-1][1]:
            self._fields[-1][0] += child.text or ""
            found.is_contents = found.is_contents or self._in_contents()
        elif tag == f"{W}ruby":
            self._into_ruby(child, found, depth)

    def _into_ruby(self, ruby: Any, found: Gathered, depth: int) -> None:
        base = ruby.find(f"{W}rubyBase")
        if base is not None:
            self._into(base, found, depth + 1)

    def _say(self, text: str, properties: Any) -> None:
        weight = len(text.strip())
        if not weight:
            self._runs.append(Run(text))
            return
        size, bold = None, self._look.is_bold
        if properties is not None:
            size = whole(properties.find(f"{W}sz"))
            own = properties.find(f"{W}b")
            style = properties.find(f"{W}rStyle")
            if own is not None:
                bold = flag(own)
            elif style is not None:
                bold = bold or self._styles.run_style_is_bold(style.get(f"{W}val", ""))
        value = size / 2 if size else self._look.size
        if value:
            self._sizes[value] += weight
        self._letters += weight
        self._bold += weight if bold else 0
        marks = _marks_of(properties)
        self._runs.append(Run(text, marks | {Mark.STRONG} if bold else marks))

    def _break(self, element: Any, found: Gathered) -> None:
        kind = element.get(f"{W}type", "textWrapping")
        if kind == "textWrapping":
            self._runs.append(Run("\n"))
        elif kind == "page":
            self._page_break(found, is_rendered=False)

    def _page_break(self, found: Gathered, *, is_rendered: bool) -> None:
        """Word marks where it began a page when it last printed; right after a break that was set that is the same."""
        if not any(run.text.strip() for run in self._runs):
            if not (is_rendered and found.breaks_before):
                found.breaks_before += 1
        else:
            found.breaks_after += 1

    def _field(self, kind: str | None, found: Gathered) -> None:
        if kind == "begin" and len(self._fields) < 64:
            self._fields.append(["", False])
            self._results.append(0)
        elif kind == "separate" and self._fields:
            self._fields[-1][1] = True
            self._results[-1] = len(self._runs)
        elif kind == "end" and self._fields:
            instruction, start = self._fields.pop()[0], self._results.pop()
            if address := _HYPERLINK.match(instruction):
                self._link(start, address[1])

    def _drawing(self, element: Any, found: Gathered) -> None:
        """Pictures and text boxes. Word writes drawings twice, for new and old readers: the first one that says
        something counts.
        """
        if element.tag == f"{_MC}AlternateContent":
            for alternative in element:
                before = len(found.pictures) + len(found.boxes)
                for child in alternative:
                    self._drawing(child, found)
                if len(found.pictures) + len(found.boxes) > before:
                    return
            return
        boxes = list(element.iter(f"{W}txbxContent"))
        inner = {id(other) for box in boxes for other in box.iterdescendants(f"{W}txbxContent")}
        found.boxes += [box for box in boxes if id(box) not in inner]
        if boxes:
            return
        described = next(element.iter(f"{_WP}docPr"), None)
        alt = "" if described is None else " ".join((described.get("descr") or "").split())[:500]
        for blip in element.iter(f"{_A}blip"):
            found.pictures.append((blip.get(f"{_R}embed", ""), alt))
        for image in element.iter(f"{_V}imagedata"):
            found.pictures.append((image.get(f"{_R}id", ""), " ".join((image.get(f"{_O}title") or "").split())[:500]))
