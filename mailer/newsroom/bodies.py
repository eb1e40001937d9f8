"""A parsed article becomes HTML: what stands apart from the running text stays recognisable, what was set off in it
too, and what the document has as a list is one.
"""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from mailer.i18n import N_, translate
from mailer.newsroom.plain_text import paragraph, subheading
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedPart
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.spans import ListItem, Mark, Marks, place_of

# Numbered paragraphs longer than this are no list: their numbers are of the text.
_LONGEST_ITEM = 200
# What is set so throughout is set so for all, not set off.
_MOST_SET_OFF = 0.5


def body_of(article: ParsedArticle, language: str, pictures: Mapping[int, str] | None = None) -> str:
    """HTML of an article's parts in their order; its source has a field of its own and is not repeated. `pictures` are
    those of the document that are kept, as HTML, by their index; of others their words stay.
    """
    kept = pictures or {}
    common = _common_marks(article)
    parts = [part for part in article.parts if part.kind is not PartKind.SOURCE]
    html = ""
    for is_item, group in groupby(parts, key=lambda part: part.kind is PartKind.PARAGRAPH and part.item is not None):
        run = list(group)
        html += _list(run, common) if is_item else "".join(_part(part, language, kept, common) for part in run)
    return html


def _common_marks(article: ParsedArticle) -> Marks:
    """Marks that most of an article's text has."""
    paragraphs = [part for part in article.parts if part.kind is PartKind.PARAGRAPH]
    whole = sum(len(part.text) for part in paragraphs)
    return frozenset(
        mark
        for mark in Mark
        if sum(len(span.words) for part in paragraphs for span in part.spans if mark in span.marks)
        > whole * _MOST_SET_OFF
    )


def _part(part: ParsedPart, language: str, pictures: Mapping[int, str], common: Marks) -> str:
    match part.kind:
        case PartKind.PICTURE if part.picture is not None and part.picture in pictures:
            return pictures[part.picture]
        case PartKind.SUBHEADING:
            return subheading(part.text)
        case PartKind.SUBTITLE:
            return f"<p><strong>——{escape(part.text, quote=False)}</strong></p>"
        case PartKind.BYLINE | PartKind.CAPTION | PartKind.PICTURE:
            return f"<p><em>{_text(part, frozenset(Mark))}</em></p>"
        case PartKind.EDITORS_NOTE:
            note = translate(language, N_("Editor's note: %(text)s"), text=part.text)
            return f"<blockquote>{paragraph(note)}</blockquote>"
        case PartKind.TABLE if part.rows:
            head = _rows(part.rows[:1], "th") if part.has_head else ""
            rows = _rows(part.rows[1:] if head else part.rows, "td")
            return f"<table>{f'<thead>{head}</thead>' if head else ''}<tbody>{rows}</tbody></table>"
        case PartKind.FOOTNOTE if part.note:
            return f"<p>{escape(part.note, quote=False)} {_text(part, common)}</p>"
        case _:
            return f"<p>{_text(part, common)}</p>"


def _rows(rows: Sequence[Sequence[str]], tag: str) -> str:
    return "".join(f"<tr>{''.join(f'<{tag}>{escape(cell, quote=False)}</{tag}>' for cell in row)}</tr>" for row in rows)


def _list(parts: Sequence[ParsedPart], common: Marks) -> str:
    """Items as lists, each level in the item above it; as lines where there is only one, or their numbers are of the
    text.
    """
    items = [(part.item, part) for part in parts if part.item is not None]
    if len(items) == 1 or any(_is_line(item, part.text) for item, part in items):
        return "".join(f"<p>{_text(part, common)}</p>" for part in parts)
    html = ""
    # Open lists from the outside in: their elements and depths.
    open_lists: list[tuple[str, int]] = []
    for item, part in items:
        tag = "ul" if item.number is None else "ol"
        while open_lists and (open_lists[-1][1] > item.depth or open_lists[-1] == (_other(tag), item.depth)):
            html += f"</li></{open_lists.pop()[0]}>"
        if open_lists and open_lists[-1][1] == item.depth:
            html += "</li>"
        else:
            open_lists.append((tag, item.depth))
            html += f'<ol start="{item.number}">' if (item.number or 1) > 1 else f"<{tag}>"
        html += f"<li><p>{_text(part, common, len(item.label) if part.text.startswith(item.label) else 0)}</p>"
    while open_lists:
        html += f"</li></{open_lists.pop()[0]}>"
    return html


def _is_line(item: ListItem, text: str) -> bool:
    return item.number == -1 or (item.number is not None and len(text) > _LONGEST_ITEM)


def _other(tag: str) -> str:
    return "ol" if tag == "ul" else "ul"


def _text(part: ParsedPart, common: Marks, start: int = 0) -> str:
    """A part's text from `start` on with what is set off in it; marks in `common` are not. Words that a line end parted
    are one stretch, and what the text lacks is left out.
    """
    pieces: list[tuple[str, Marks, str]] = []
    at = start
    for span in part.spans:
        found = place_of(span, part.text, at)
        if found < 0:
            continue
        between, marks = part.text[at:found], span.marks - common
        if span.note:
            pieces += [(between, frozenset(), ""), (span.note, frozenset({Mark.RAISED}), "")]
        elif pieces and pieces[-1][1:] == (marks, span.address) and not between.strip():
            pieces[-1] = (pieces[-1][0] + between + span.words, marks, span.address)
        else:
            pieces += [(between, frozenset(), ""), (span.words, marks, span.address)]
        at = found + len(span.words)
    pieces.append((part.text[at:], frozenset(), ""))
    return "".join(_set_off(*piece) for piece in pieces)


def _set_off(text: str, marks: Marks, address: str) -> str:
    html = escape(text, quote=False)
    if not html:
        return ""
    for mark in reversed(Mark):
        if mark in marks:
            html = f"<{mark}>{html}</{mark}>"
    return f'<a href="{escape(address)}">{html}</a>' if address else html
