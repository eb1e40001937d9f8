"""What the press needs to know of an issue: plain values, nothing of the database."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The name that HTML and mail have for each language of ours (BCP 47).
HTML_LANGUAGES = {"zh_CN": "zh-CN", "en": "en"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleContent:
    """One article. `body` is HTML as `sanitising.sanitise_body` leaves it; `url` its address on the web."""

    # The article's own number (its id): says whose reading a click counts as.
    key: int
    title: str
    section: str = ""
    source: str = ""
    page: int | None = None
    body: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One issue. Unknown values are `None` or ``""`` and leave no trace in the mail.

    `language` is ``zh_CN`` or ``en``; `theme` a folder of `templates/email/`, its options those of `theme_options`.
    `colophon` and `contact` may have several lines. `is_tracked` says whether links are rewritten and a pixel placed.
    """

    title: str
    subject: str
    articles: tuple[ArticleContent, ...]
    web_url: str
    archive_url: str
    year: int | None = None
    number: str | None = None
    total_number: str | None = None
    volume: str | None = None
    published_on: dt.date | None = None
    publisher: str = ""
    editor: str = ""
    phone: str = ""
    colophon: str = ""
    contact: str = ""
    preheader: str = ""
    language: str = "zh_CN"
    theme: str = "bulletin"
    theme_options: Mapping[str, Any] = field(default_factory=dict)
    # Keys of what the newsletter asks its readers: personal slots besides name and address.
    attributes: tuple[str, ...] = ()
    is_tracked: bool = True
