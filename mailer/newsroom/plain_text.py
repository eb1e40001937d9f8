"""An article's body as plain text and back: for the import, and for editing where no script runs.

The notation is as small as it can be: a line is a paragraph, ``## `` begins a subheading, ``- `` an entry of a list.
What it cannot say (tables, links, emphasis) it drops; `is_plain` tells beforehand.
"""

from html import escape
from html.parser import HTMLParser

HEADING = "## "
ENTRY = "- "
# Where one of these begins or ends, so does a line.
BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "blockquote", "pre", "table", "ul", "ol", "hr"}


def paragraph(text: str) -> str:
    """`text` as a paragraph of HTML; nothing in it is markup."""
    return f"<p>{escape(text, quote=False)}</p>"


def subheading(text: str) -> str:
    """`text` as a subheading inside an article: h1 is the issue's, h2 the article's."""
    return f"<h3>{escape(text, quote=False)}</h3>"


def from_plain(text: str) -> str:
    """HTML of `text`, a paragraph, subheading or list entry a line; blank lines only part them."""
    blocks: list[str] = []
    entries: list[str] = []
    for line in [*(line.strip() for line in text.splitlines()), ""]:
        if line.startswith(ENTRY) and line[len(ENTRY) :].strip():
            entries.append(f"<li>{paragraph(line[len(ENTRY) :].strip())}</li>")
            continue
        if entries:
            blocks.append(f"<ul>{''.join(entries)}</ul>")
            entries = []
        if line.startswith(HEADING) and line[len(HEADING) :].strip():
            blocks.append(subheading(line[len(HEADING) :].strip()))
        elif line:
            blocks.append(paragraph(line))
    return "".join(blocks)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self.mark = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS or tag == "br":
            self._break()
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.mark = HEADING
        elif tag == "li":
            self.mark = ENTRY
        elif tag in {"td", "th"} and self.lines[-1].strip():
            self.lines[-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        if tag in BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self.lines[-1]:
            data = data.lstrip()
        if data and not self.lines[-1]:
            self.lines[-1], self.mark = self.mark, ""
        self.lines[-1] += data

    def _break(self) -> None:
        if self.lines[-1].strip():
            self.lines.append("")


def to_plain(html: str) -> str:
    """The text of `html` in the notation above, a blank line between blocks except between list entries."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = ""
    before = ""
    for line in (" ".join(line.split()) for line in reader.lines):
        if not line:
            continue
        if before:
            text += "\n" if line.startswith(ENTRY) and before.startswith(ENTRY) else "\n\n"
        text += line
        before = line
    return text


def is_plain(html: str) -> bool:
    """Whether `html` holds nothing that plain text cannot say."""
    return from_plain(to_plain(html)) == "".join(line.strip() for line in html.splitlines())


def count_characters(html: str) -> int:
    """Characters of the text, blanks not counted: what Chinese editors call 字数."""
    return sum(1 for ch in to_plain(html) if not ch.isspace())
