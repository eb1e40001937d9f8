"""What parsing finds: a bulletin with its articles, what stands apart from their text, and what was not understood."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from mailer.i18n import N_, translate
from mailer.newsroom.structure.blocks import Picture
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.listing import ContentsEntry
from mailer.newsroom.structure.spans import ListItem, Span
from mailer.newsroom.structure.tracing import TracedLine

TEXT_KINDS = frozenset({PartKind.PARAGRAPH, PartKind.SUBHEADING})


@dataclass(frozen=True, slots=True)
class ParseWarning:
    """One thing the editor should look at: a gettext id with its parameters, and the source line, if it has one."""

    message: str
    params: dict[str, Any] = field(default_factory=dict)
    line: int | None = None

    def as_sentence(self, locale: str) -> str:
        """The warning as a person reads it."""
        sentence = translate(locale, self.message, **self.params)
        if self.line is None:
            return sentence
        return translate(locale, N_("Line %(line)d: %(sentence)s"), line=self.line, sentence=sentence)

    def as_json(self) -> dict[str, Any]:
        """The form stored with an issue, to be translated when shown."""
        return {"message": self.message, "params": self.params, "line": self.line}


@dataclass(frozen=True, slots=True)
class ParsedPart:
    """A piece of an article in its order. `lines` are source lines; `rows` a table's cells; `picture` an index into
    `ParsedBulletin.pictures`, `None` for one that could not be taken out of the document; `spans` what is set
    off in the text, in its order; `item` that it is an item of a list; `note` the mark of a note in the text;
    `has_head` that a table's first row names its columns.
    """

    kind: PartKind
    text: str
    lines: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    picture: int | None = None
    spans: tuple[Span, ...] = ()
    item: ListItem | None = None
    note: str = ""
    has_head: bool = False


@dataclass(frozen=True, slots=True)
class ParsedArticle:
    """One article. `title` is as in the body, `None` for text that has none; `page` is what the contents list gives."""

    title: str | None
    section: str | None
    source: str | None
    page: int | None
    line: int
    parts: tuple[ParsedPart, ...]
    contents_title: str | None = None

    def texts(self, *kinds: PartKind) -> tuple[str, ...]:
        """The texts of the parts of some kinds, in order."""
        return tuple(part.text for part in self.parts if part.kind in kinds)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The running text with its subheadings; without subtitle, byline, note, captions, tables and footnotes."""
        return self.texts(*TEXT_KINDS)

    @property
    def subtitle(self) -> str | None:
        """The line under the title that belongs to it, without its dash."""
        return next(iter(self.texts(PartKind.SUBTITLE)), None)

    @property
    def byline(self) -> str | None:
        """Who wrote it, as printed."""
        return " ".join(self.texts(PartKind.BYLINE)) or None

    @property
    def editors_note(self) -> str | None:
        """The editor's note (编者按), without its label."""
        return "\n".join(self.texts(PartKind.EDITORS_NOTE)) or None


@dataclass(frozen=True, slots=True)
class ParsedBulletin:
    """A document as structure. Unknown values are `None`; `total_number` is the running number (总第N期).

    `masthead` and `colophon` keep the lines of head and foot as printed; `furniture` what belongs to pages: running
    heads, page numbers. `lines` says of every line of the source what became of it.
    """

    title: str | None
    year: int | None
    number: str | None
    total_number: str | None
    volume: str | None
    publisher: str | None
    co_publishers: tuple[str, ...]
    date: dt.date | None
    editor: str | None
    phone: str | None
    contents: tuple[ContentsEntry, ...]
    sections: tuple[str, ...]
    articles: tuple[ParsedArticle, ...]
    masthead: tuple[str, ...]
    colophon: tuple[str, ...]
    furniture: tuple[str, ...]
    lines: tuple[TracedLine, ...]
    encoding: str
    language: str
    warnings: tuple[ParseWarning, ...]
    pictures: tuple[Picture, ...] = ()

    def as_json(self, locale: str = "en") -> dict[str, Any]:
        """The contract of `mailer parse --json`; warnings are sentences in `locale`."""
        return {
            "title": self.title,
            "year": self.year,
            "number": self.number,
            "total_number": self.total_number,
            "volume": self.volume,
            "publisher": self.publisher,
            "date": self.date.isoformat() if self.date else None,
            "editor": self.editor,
            "phone": self.phone,
            "contents": [{"title": entry.title, "page": entry.page} for entry in self.contents],
            "articles": [
                {
                    "title": article.title,
                    "section": article.section,
                    "paragraphs": list(article.paragraphs),
                    "source": article.source,
                }
                for article in self.articles
            ],
            "warnings": [warning.as_sentence(locale) for warning in self.warnings],
        }
