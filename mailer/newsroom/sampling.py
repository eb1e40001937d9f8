"""`mailer compile`: a parsed bulletin to mail as it would go to one subscriber; no database and no settings.

Its addresses lie under ``example.org`` (RFC 2606), since no newsletter and no server stand behind it.
"""

import datetime as dt
from dataclasses import dataclass, replace

from mailer.newsroom.bodies import body_of
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.describing import colophon_of, publishers_of
from mailer.newsroom.wording import propose_preheader, propose_subject
from mailer.press.compiling import compile_edition
from mailer.press.content import ArticleContent, Content
from mailer.press.message import Identity, assemble
from mailer.press.sanitising import sanitise_body
from mailer.press.slots import PREFERENCES_URL, READER, READER_SLOT, UNSUBSCRIBE_URL

SITE = "https://news.example.org"
READER_TOKEN = "SAMPLEREADER"  # noqa: S105  (nobody's)
SLOTS = {
    READER: READER_TOKEN,
    UNSUBSCRIBE_URL: f"{SITE}/u/SAMPLE",
    PREFERENCES_URL: f"{SITE}/preferences/SAMPLE",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """The compiled edition and `message`, the bytes of one reader's copy."""

    subject: str
    html: str
    text: str
    message: bytes


def compile_sample(bulletin: ParsedBulletin, *, theme: str = "bulletin") -> Sample:
    """Raises `CompositionError` for a bulletin that cannot become mail."""
    content = content_of(bulletin, theme)
    compiled = compile_edition(
        content,
        click_url=lambda ordinal, _url: f"{SITE}/c/{ordinal}/{READER_SLOT}",
        pixel_url=f"{SITE}/o/{READER_SLOT}.gif",
    )
    identity = Identity(
        sender_name=content.title,
        sender_address="bulletin@news.example.org",
        list_id="readers.bulletin.news.example.org",
        list_name=content.title,
        archive_url=content.archive_url,
        help_url=content.archive_url,
        owner_address="bulletin@news.example.org",
    )
    template = assemble(
        compiled.subject, compiled.html, compiled.text, compiled.language, identity, web_url=content.web_url
    )
    message = template.fill(
        to="reader@example.org",
        to_name="",
        message_id="sample@news.example.org",
        date=dt.datetime.now(dt.UTC),
        slots=SLOTS,
    )
    return Sample(compiled.subject, compiled.html, compiled.text, b"".join(message))


def print_sample(bulletin: ParsedBulletin, *, theme: str = "bulletin") -> bytes:
    """The print edition of it, a PDF. Raises `CompositionError`, also where no Chinese font is installed."""
    from mailer.press.printing import print_edition

    return print_edition(content_of(bulletin, theme))


def content_of(bulletin: ParsedBulletin, theme: str) -> Content:
    """What the press is given of it."""
    language = "zh_CN" if bulletin.language.startswith("zh") else "en"
    titles = [article.title or "" for article in bulletin.articles]
    title = bulletin.title or next((one for one in titles if one), "")
    bare = Content(
        title=title,
        subject="",
        articles=tuple(
            ArticleContent(
                key=number,
                title=article.title or "",
                section=article.section or "",
                source=article.source or "",
                page=article.page,
                body=sanitise_body(body_of(article, language)),
                url=f"{SITE}/issues/sample/articles/{number}",
            )
            for number, article in enumerate(bulletin.articles, 1)
        ),
        web_url=f"{SITE}/issues/sample",
        archive_url=f"{SITE}/",
        year=bulletin.year,
        number=bulletin.number,
        total_number=bulletin.total_number,
        volume=bulletin.volume,
        published_on=bulletin.date,
        publisher=publishers_of(bulletin),
        editor=bulletin.editor or "",
        phone=bulletin.phone or "",
        colophon=colophon_of(bulletin),
        language=language,
        theme=theme,
    )
    subject = propose_subject(bare, titles, language)
    return replace(bare, subject=subject, preheader=propose_preheader(titles, subject))
