"""An issue's content becomes an edition: rendered and inlined once, its links numbered, its content hashed."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape

from mailer.errors import CompositionError
from mailer.press.abridging import Length
from mailer.press.content import Content
from mailer.press.drafting import draft_edition
from mailer.press.linking import Link, place_links
from mailer.press.proofreading import require_compilable

__all__ = ["Compiled", "Link", "compile_edition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """An edition: what every reader gets, slots still in it (see `slots`).

    `links` are the places of the HTML that lead to the web, in order; the text part has plain addresses, untracked.
    `content_hash` is the SHA-256, in hex, of subject, preheader, HTML, text and links before click and pixel addresses
    were put in, so that a preview and the edition made of it later have the same one.
    """

    subject: str
    preheader: str
    theme: str
    language: str
    html: str
    text: str
    links: tuple[Link, ...]
    content_hash: str
    # The articles, by their keys, that are not whole: to keep within what Gmail shows, or because abstracts are wanted.
    shortened: Mapping[int, Length] = field(default_factory=dict)


def compile_edition(
    content: Content, *, click_url: Callable[[int, str], str] | None = None, pixel_url: str | None = None
) -> Compiled:
    """The edition of `content`. Raises `CompositionError` with every problem at once.

    ``click_url(ordinal, url)`` is the address that counts a click and leads to `url`; it and `pixel_url` hold
    `slots.READER_SLOT` and are used only where the content is tracked. Without them the edition is a preview: the same
    words, the same hash, plain links.
    """
    require_compilable(content)
    draft = draft_edition(content)
    plain = place_links(draft.html, draft.links, lambda _, url: url)
    html = plain
    if content.is_tracked and click_url is not None:
        html = place_links(draft.html, draft.links, click_url)
    if content.is_tracked and pixel_url is not None:
        html = _place_pixel(html, pixel_url)
    return Compiled(
        subject=content.subject,
        preheader=content.preheader,
        theme=content.theme,
        language=content.language,
        html=html,
        text=draft.text,
        links=draft.links,
        content_hash=_hash(content, plain, draft.text, draft.links),
        shortened=draft.shortened,
    )


def _place_pixel(html: str, address: str) -> str:
    """The pixel is the last thing of the body: it must not hold up anything that is read."""
    body, end, rest = html.rpartition("</body>")
    if not end:
        raise CompositionError(["The theme's page has no end."])
    pixel = (
        f'<img src="{escape(address)}" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">'
    )
    return f"{body}{pixel}{end}{rest}"


def _hash(content: Content, html: str, text: str, links: Sequence[Link]) -> str:
    whole = [content.subject, content.preheader, content.is_tracked, html, text, [asdict(link) for link in links]]
    return hashlib.sha256(json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
