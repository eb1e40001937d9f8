"""Pictures of articles: kept once, under the hash of their content, and served for good, because mail shows them for as
long as it is kept.
"""

import re
from collections.abc import Mapping
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts, links
from mailer.accounts.models import Account
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsroom.fields import clean_line
from mailer.newsroom.models import Picture
from mailer.newsroom.picture_files import prepare
from mailer.press.content import Content

ALT_LENGTH = 250
NAME = re.compile(r"[0-9a-f]{32}\.(?:jpg|png)")
# What a mail shows across its whole width; a wider picture is told to be so wide.
SHOWN_WIDTH = 560
_ADDRESS = re.compile(r'<img\b[^>]*?\bsrc="([^"]+)"')


def keep_picture(session: Session, content: bytes, *, by: Account | None) -> Picture:
    """Keeps an uploaded picture, made fit for mail; the same one twice is kept once. Raises `UnreadableError`."""
    file = prepare(content)
    found = session.scalar(select(Picture).where(Picture.name == file.name))
    if found is not None:
        return found
    kept = Picture(
        name=file.name,
        media_type=file.media_type,
        width=file.width,
        height=file.height,
        content=file.content,
        uploaded_by=None if by is None else by.id,
    )
    session.add(kept)
    session.flush()
    accounts.record(session, by=by, action="picture.kept", subject_type="picture", subject_id=kept.id, name=kept.name)
    return kept


def get_picture(session: Session, name: str) -> Picture:
    """Raises `NotFoundError`."""
    picture = session.scalar(select(Picture).where(Picture.name == name)) if NAME.fullmatch(name) else None
    if picture is None:
        raise NotFoundError(N_("There is no such picture."))
    return picture


def check_alt(text: str) -> str:
    """What a reader is told who does not see the picture. Raises `RuleError` where there is nothing."""
    alt = clean_line(text, ALT_LENGTH)
    if not alt:
        raise RuleError(N_("Say what the picture shows: many readers do not see it."))
    return alt


def as_html(picture: Picture, alt: str) -> str:
    """The picture as it stands in an article, a paragraph of its own."""
    width = min(picture.width, SHOWN_WIDTH)
    return f'<p><img src="{links.media_url(picture.name)}" alt="{escape(alt)}" width="{width}"></p>'


def list_used(session: Session, content: Content) -> Mapping[str, bytes]:
    """Address -> bytes of the pictures in an issue's articles, for the print edition."""
    addresses = {
        address: name
        for article in content.articles
        for address in _ADDRESS.findall(article.body)
        if (name := links.read_media_url(address)) is not None
    }
    rows = session.execute(select(Picture.name, Picture.content).where(Picture.name.in_(addresses.values())))
    contents = {row[0]: row[1] for row in rows}
    return {address: contents[name] for address, name in addresses.items() if name in contents}
