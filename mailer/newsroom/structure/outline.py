"""A parsed bulletin as a person reads it in a terminal: every field, every article, every remark."""

from collections.abc import Iterator

from mailer.i18n import N_, translate
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.typography import width

_LABELS = {
    "title": N_("Bulletin"),
    "year": N_("Year"),
    "number": N_("Number"),
    "total_number": N_("Running number"),
    "volume": N_("Volume"),
    "publisher": N_("Publisher"),
    "date": N_("Date"),
    "editor": N_("Editor"),
    "phone": N_("Phone"),
}
_KINDS = {
    PartKind.SUBHEADING: N_("Subheading"),
    PartKind.SUBTITLE: N_("Subtitle"),
    PartKind.BYLINE: N_("Byline"),
    PartKind.SOURCE: N_("Taken from"),
    PartKind.EDITORS_NOTE: N_("Editor's note"),
    PartKind.FOOTNOTE: N_("Footnote"),
    PartKind.CAPTION: N_("Caption"),
    PartKind.TABLE: N_("Table"),
    PartKind.PICTURE: N_("Picture"),
}


def outline(bulletin: ParsedBulletin, locale: str) -> str:
    """The whole bulletin as text in `locale`; what is unknown shows as a dash."""
    return "\n".join(_lines(bulletin, locale))


def _lines(bulletin: ParsedBulletin, locale: str) -> Iterator[str]:
    values = bulletin.as_json()
    labels = {key: translate(locale, label) for key, label in _LABELS.items()}
    column = max(map(width, labels.values())) + 2
    for key, label in labels.items():
        value = values[key]
        yield f"{label}{' ' * (column - width(label))}{'—' if value is None else value}"
    if bulletin.contents:
        yield from ("", translate(locale, N_("Contents")))
        for entry in bulletin.contents:
            yield f"  {entry.title}" + (f" …… {entry.page}" if entry.page is not None else "")
    for number, article in enumerate(bulletin.articles, start=1):
        yield from ("", *_article(article, number, locale))
    if bulletin.colophon:
        yield from ("", translate(locale, N_("Colophon")), *(f"  {line}" for line in bulletin.colophon))
    if bulletin.warnings:
        yield from ("", translate(locale, N_("To look at")))
        yield from (f"  * {warning.as_sentence(locale)}" for warning in bulletin.warnings)


def _article(article: ParsedArticle, number: int, locale: str) -> Iterator[str]:
    title = article.title or translate(locale, N_("(without a title)"))
    yield f"{number}. {title}" + (f" 【{article.section}】" if article.section else "")
    for part in article.parts:
        label = _KINDS.get(part.kind)
        prefix = f"{translate(locale, label)}: " if label else ""
        text = part.text.replace("\n", "\n     ")
        yield f"   {prefix}{article.source if part.kind is PartKind.SOURCE and article.source else text}"
