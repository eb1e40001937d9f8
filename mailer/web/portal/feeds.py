"""What feed readers get of a newsletter: Atom (RFC 4287) and JSON Feed 1.1 (jsonfeed.org/version/1.1), an entry for
each issue with its contents, the newest first.
"""

import datetime as dt
import json
from dataclasses import dataclass
from html import escape

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from lxml import etree

from mailer import links
from mailer.i18n import N_, translate
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import ArchiveAccess
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.editions import list_published, list_titles_of_articles
from mailer.newsroom.models import Issue
from mailer.press.content import HTML_LANGUAGES
from mailer.web.database import get_session
from mailer.web.forms import strip
from mailer.web.portal import blueprint
from mailer.web.portal.reading import for_programs
from mailer.web.portal.web_editions import name_of

ATOM = "http://www.w3.org/2005/Atom"
ATOM_TYPE, JSON_TYPE = "application/atom+xml; charset=utf-8", "application/feed+json; charset=utf-8"
ENTRIES = 30
MINUTES = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One issue. `url` is its address for good and so its identity; `content` HTML that is ours from end to end."""

    url: str
    title: str
    summary: str
    content: str
    published_at: dt.datetime
    updated_at: dt.datetime


@blueprint.get("/n/<slug>/feed.atom")
@for_programs
def atom(newsletter: Newsletter) -> ResponseReturnValue:
    """The feed as Atom."""
    entries = _entries(newsletter)
    return _answer(newsletter, entries, make_atom(newsletter, entries, _address("portal.atom", newsletter)), ATOM_TYPE)


@blueprint.get("/n/<slug>/feed.json")
@for_programs
def json_feed(newsletter: Newsletter) -> ResponseReturnValue:
    """The same as JSON Feed."""
    entries = _entries(newsletter)
    return _answer(
        newsletter, entries, make_json(newsletter, entries, _address("portal.json_feed", newsletter)), JSON_TYPE
    )


def _address(endpoint: str, newsletter: Newsletter) -> str:
    """Without a token, which is one reader's own."""
    root = url_for("portal.index").rstrip("/")
    return links.absolute(url_for(endpoint, slug=newsletter.slug).removeprefix(root))


def _entries(newsletter: Newsletter) -> list[Entry]:
    session = get_session()
    # A reader's program has kept what was retracted: only an entry with its name takes that back.
    published = list_published(session, newsletter.id, limit=ENTRIES, has_retracted=True)
    articles = list_titles_of_articles(session, [edition.id for _, edition in published])
    return [_entry(newsletter, issue, edition, articles[edition.id]) for issue, edition in published]


def _entry(newsletter: Newsletter, issue: Issue, edition: Edition, articles: list[tuple[int, str]]) -> Entry:
    if issue.retracted_at is not None:
        return _retracted_entry(newsletter, issue, edition, issue.retracted_at)
    lines = [
        f'<li><a href="{escape(links.article_url(newsletter.slug, issue.id, article_id))}">{escape(title)}</a></li>'
        for article_id, title in articles
    ]
    correction = edition.masthead.get("correction", "")
    note = f"<p>{escape(correction)}</p>" if correction else ""
    sent_at = issue.first_sent_at or edition.created_at
    return Entry(
        url=links.issue_url(newsletter.slug, issue.id),
        title=name_of(newsletter, issue, edition),
        summary=edition.preheader or " · ".join(title for _, title in articles[:3]),
        content=f"{note}<ol>{''.join(lines)}</ol>",
        published_at=sent_at,
        # An edition is approved before it is sent; a later one, a correction, changes the entry.
        updated_at=max(sent_at, edition.created_at),
    )


def _retracted_entry(newsletter: Newsletter, issue: Issue, edition: Edition, retracted_at: dt.datetime) -> Entry:
    said = translate(edition.language, N_("This issue has been retracted."))
    return Entry(
        url=links.issue_url(newsletter.slug, issue.id),
        title=translate(edition.language, N_("Retracted: %(title)s"), title=name_of(newsletter, issue, edition)),
        summary=said,
        content=f"<p>{escape(said)}</p><p>{escape(issue.retraction)}</p>",
        published_at=issue.first_sent_at or edition.created_at,
        updated_at=retracted_at,
    )


def _updated_at(newsletter: Newsletter, entries: list[Entry]) -> dt.datetime:
    return max((entry.updated_at for entry in entries), default=newsletter.created_at)


def make_atom(newsletter: Newsletter, entries: list[Entry], own_url: str) -> bytes:
    """The document; RFC 4287 section 4.1 says what must be in it."""
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})  # type: ignore[dict-item]
    feed.set("{http://www.w3.org/XML/1998/namespace}lang", _language(newsletter))

    def say(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
        element = etree.SubElement(
            parent, f"{{{ATOM}}}{name}", {key.rstrip("_"): value for key, value in attributes.items()}
        )
        # What an editor pasted may hold control characters, which XML 1.0 forbids.
        element.text = strip(text) if text else None
        return element

    home = links.newsletter_url(newsletter.slug)
    say(feed, "id", home)
    say(feed, "title", newsletter.title)
    if newsletter.description:
        say(feed, "subtitle", newsletter.description)
    say(feed, "updated", _updated_at(newsletter, entries).isoformat(timespec="seconds"))
    say(say(feed, "author"), "name", newsletter.publisher or newsletter.title)
    say(feed, "link", rel="self", href=own_url, type="application/atom+xml")
    say(feed, "link", rel="alternate", href=home, type="text/html")
    for entry in entries:
        element = say(feed, "entry")
        say(element, "id", entry.url)
        say(element, "title", entry.title)
        say(element, "updated", entry.updated_at.isoformat(timespec="seconds"))
        say(element, "published", entry.published_at.isoformat(timespec="seconds"))
        say(element, "link", rel="alternate", href=entry.url, type="text/html")
        say(element, "summary", entry.summary)
        say(element, "content", entry.content, type="html")
    document: bytes = etree.tostring(feed, xml_declaration=True, encoding="UTF-8")
    return document


def make_json(newsletter: Newsletter, entries: list[Entry], own_url: str) -> bytes:
    """The document."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": newsletter.title,
        "home_page_url": links.newsletter_url(newsletter.slug),
        "feed_url": own_url,
        "description": newsletter.description,
        "language": _language(newsletter),
        "authors": [{"name": newsletter.publisher or newsletter.title}],
        "items": [
            {
                "id": entry.url,
                "url": entry.url,
                "title": entry.title,
                "summary": entry.summary,
                "content_html": entry.content,
                "date_published": entry.published_at.isoformat(timespec="seconds"),
                "date_modified": entry.updated_at.isoformat(timespec="seconds"),
            }
            for entry in entries
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def _language(newsletter: Newsletter) -> str:
    return HTML_LANGUAGES.get(newsletter.language, newsletter.language)


def _answer(newsletter: Newsletter, entries: list[Entry], body: bytes, content_type: str) -> ResponseReturnValue:
    """With what lets a reader ask "anything new?" for nothing (RFC 9110 section 13)."""
    response = Response(body, content_type=content_type)
    is_public = newsletter.archive_access == ArchiveAccess.PUBLIC
    # The same for everybody, in the newsletter's own language.
    response.headers["Cache-Control"] = f"public, max-age={60 * MINUTES}" if is_public else "private, no-cache"
    # Pages of other sites that show a feed may read a public one.
    if is_public:
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.last_modified = _updated_at(newsletter, entries)
    response.add_etag()
    return response.make_conditional(request)
