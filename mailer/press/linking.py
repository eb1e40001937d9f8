"""The links of an edition: numbered in the order of the document, and the only addresses a click may lead to."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

_TOKEN = re.compile(r"~mailer\.link\.([0-9]+)~")
LABEL_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Link:
    """One place of the HTML that links to the web. `article_key` is `None` where it belongs to no article."""

    ordinal: int
    url: str
    article_key: int | None
    label: str


@dataclass(slots=True)
class LinkRegister:
    """Hands out URL-safe tokens that stand for links until their addresses are known."""

    links: list[Link] = field(default_factory=list)

    def add(self, url: str, label: str, article_key: int | None = None) -> str:
        """The token to stand in the ``href`` of a link to `url`."""
        ordinal = len(self.links) + 1
        self.links.append(Link(ordinal, url, article_key, " ".join(label.split())[:LABEL_LENGTH]))
        return f"~mailer.link.{ordinal}~"


def place_links(html: str, links: Sequence[Link], address: Callable[[int, str], str]) -> str:
    """`html` with ``address(ordinal, url)`` in the place of each token."""

    def place(match: re.Match[str]) -> str:
        link = links[int(match[1]) - 1]
        return escape(address(link.ordinal, link.url))

    return _TOKEN.sub(place, html)
