"""Readers who do not exist, reading: they fetch the pixel and follow links of mail that arrived, over HTTP.

What they fetch comes out of the mail itself where it was captured, and out of the ledger where it went to a relay.
"""

import email
import http.client
import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.rules import DeliveryState
from mailer.newsroom.edition_models import EditionLink

# A person needs this long to notice a mail; what comes sooner is judged a machine's or an unsure fetch.
SECONDS_TO_NOTICE = 5.5
AT_ONCE = 8
TIMEOUT_SECONDS = 20
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    "Mozilla/5.0 (Linux; Android 15; V2408A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Mobile Safari/537.36",
)
PROXY_AGENT = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@dataclass(frozen=True, slots=True)
class Mail:
    """What can be fetched of one mail that arrived: its pixel (`None` without tracking) and its counted links."""

    pixel: str | None
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One reader's fetches, one after the other, with one User-Agent."""

    addresses: tuple[str, ...]
    agent: str


def mail_of(content: bytes, public_url: str, web_url: str) -> Mail:
    """The fetchable addresses in a captured message's HTML part: only those under `public_url`, and fetched at
    `web_url`, where that server is on this machine; nothing goes out, whatever the operator's public address is.
    """
    finder = _Finder(public_url)
    for part in email.message_from_bytes(content).walk():
        if part.get_content_type() == "text/html":
            finder.feed(_text_of(part))
    pixel = finder.pixel and finder.pixel.replace(public_url, web_url, 1)
    return Mail(pixel, tuple(dict.fromkeys(link.replace(public_url, web_url, 1) for link in finder.links)))


def mails_of_ledger(session: Session, mailing: Mailing, count: int) -> list[Mail]:
    """The same for the first `count` accepted deliveries of a mailing, made as the mail's were."""
    targets = [
        links.LinkTarget(mailing.edition_id, link.ordinal, link.url)
        for link in session.scalars(
            select(EditionLink).where(EditionLink.edition_id == mailing.edition_id).order_by(EditionLink.ordinal)
        )
    ]
    accepted = session.scalars(
        select(Delivery.id)
        .where(Delivery.mailing_id == mailing.id, Delivery.state == DeliveryState.ACCEPTED)
        .order_by(Delivery.settled_at, Delivery.id)
        .limit(count)
    )
    tokens = [links.make_reader_token(delivery_id) for delivery_id in accepted]
    return [
        Mail(links.pixel_url(token), tuple(links.click_url(target, token) for target in targets)) for token in tokens
    ]


def plan_visits(mails: Sequence[Mail], *, clicking: float = 0.6, proxies: int = 0, seed: int = 1) -> Iterator[Visit]:
    """Everyone opens; `clicking` of them follow a link and some of those a second one, earlier links more often. The
    first `proxies` mails are fetched by an image proxy too. The same `seed`, the same readers.
    """
    chance = random.Random(seed)  # noqa: S311  (made-up readers, no secret)
    for position, mail in enumerate(mails):
        wanted = 0 if chance.random() > clicking else 1 + (chance.random() < 0.3)
        followed: list[str] = []
        for _ in range(min(wanted, len(mail.links))):
            left = [link for link in mail.links if link not in followed]
            followed.append(left[int(len(left) * chance.random() ** 1.7)])
        opened = (mail.pixel,) if mail.pixel else ()
        yield Visit((*opened, *followed), chance.choice(AGENTS))
        if mail.pixel and position < proxies:
            yield Visit((mail.pixel,), PROXY_AGENT)


def read(visits: Iterable[Visit]) -> int:
    """Carries the visits out, a few at once; returns how many fetches the server did not answer well."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reader") as readers:
        return sum(readers.map(_carry_out, visits))


def _carry_out(visit: Visit) -> int:
    return sum(not _fetch(address, visit.agent) for address in visit.addresses)


def _fetch(address: str, agent: str) -> bool:
    """One GET on loopback. A redirect is an answer: where it leads is not ours to visit."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "GET",
            parts._replace(scheme="", netloc="", fragment="").geturl(),
            headers={"User-Agent": agent, "Accept": "*/*"},
        )
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return response.status < 400


def _text_of(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return raw.decode(part.get_content_charset("utf-8"), "replace") if isinstance(raw, bytes) else ""


class _Finder(HTMLParser):
    """Finds ``/o/….gif`` among the pictures and ``/c/…`` among the links."""

    def __init__(self, public_url: str) -> None:
        super().__init__()
        self.pixel: str | None = None
        self.links: list[str] = []
        self._pixel, self._click = f"{public_url}/o/", f"{public_url}/c/"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        source, target = values.get("src") or "", values.get("href") or ""
        if tag == "img" and source.startswith(self._pixel):
            self.pixel = source
        elif tag == "a" and target.startswith(self._click):
            self.links.append(target)
