"""A parsed article becomes HTML: what stands apart from the running text stays recognisable."""

from collections.abc import Mapping
from html import escape

from mailer.i18n import N_, translate
from mailer.newsroom.plain_text import paragraph, subheading
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedPart
from mailer.newsroom.structure.lines import PartKind


def body_of(article: ParsedArticle, language: str, pictures: Mapping[int, str] | None = None) -> str:
    """HTML of an article's parts in their order; its source has a field of its own and is not repeated. `pictures` are
    those of the document that are kept, as HTML, by their index; of others their words stay.
    """
    kept = pictures or {}
    return "".join(_part(part, language, kept) for part in article.parts if part.kind is not PartKind.SOURCE)


def _part(part: ParsedPart, language: str, pictures: Mapping[int, str]) -> str:
    match part.kind:
        case PartKind.PICTURE if part.picture is not None and part.picture in pictures:
            return pictures[part.picture]
        case PartKind.SUBHEADING:
            return subheading(part.text)
        case PartKind.SUBTITLE:
            return f"<p><strong>——{escape(part.text, quote=False)}</strong></p>"
        case PartKind.BYLINE | PartKind.CAPTION | PartKind.PICTURE:
            return f"<p><em>{_linked(part)}</em></p>"
        case PartKind.EDITORS_NOTE:
            note = translate(language, N_("Editor's note: %(text)s"), text=part.text)
            return f"<blockquote>{paragraph(note)}</blockquote>"
        case PartKind.TABLE if part.rows:
            rows = "".join(
                f"<tr>{''.join(f'<td>{escape(cell, quote=False)}</td>' for cell in row)}</tr>" for row in part.rows
            )
            return f"<table><tbody>{rows}</tbody></table>"
        case _:
            return f"<p>{_linked(part)}</p>"


def _linked(part: ParsedPart) -> str:
    """A part's text with its links. Words that a line end parted are one link; what the text lacks is left out."""
    pieces: list[tuple[str, str]] = []
    at = 0
    for words, address in part.links:
        start = part.text.find(words, at) if words else -1
        if start < 0:
            continue
        between = part.text[at:start]
        if pieces and pieces[-1][1] == address and not between.strip():
            pieces[-1] = (pieces[-1][0] + between + words, address)
        else:
            pieces += [(between, ""), (words, address)]
        at = start + len(words)
    pieces.append((part.text[at:], ""))
    return "".join(
        f'<a href="{escape(address)}">{escape(text, quote=False)}</a>' if address else escape(text, quote=False)
        for text, address in pieces
    )
