"""What search engines are told: a site map of what everybody may read, and of everything else that it is not theirs.

No page is for them unless it says so (`may_be_indexed`): tokens stand in addresses of the portal, and what follows a
link of somebody's mail must not end in an index.
"""

import datetime as dt
from collections.abc import Iterable

from flask import Response, g, url_for
from flask.typing import ResponseReturnValue
from lxml import etree

from mailer import links, newsletters
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import ArchiveAccess
from mailer.newsroom.editions import list_published, list_titles_of_articles
from mailer.web.database import get_session
from mailer.web.portal import blueprint

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
# Of one file (sitemaps.org/protocol.html).
ADDRESSES = 50_000
# A robot that fetches these would be counted as a reader, or has nothing to look for there. What must not be *indexed*
# is not named here but answered with `noindex`, which a robot that may not look would never see.
ROBOTS = """User-agent: *
Disallow: {root}/c/
Disallow: {root}/o/
Disallow: {root}/desk/
Disallow: {root}/admin/
Disallow: {root}/account/
Disallow: {root}/mailbox/
Disallow: {root}/search
Sitemap: {sitemap}
"""


def may_be_indexed() -> None:
    """The page of this request is for everybody, at an address that is for good."""
    g.may_be_indexed = True


def must_not_be_indexed() -> None:
    """Although it is public: another page stands for it."""
    g.may_be_indexed = False


@blueprint.after_app_request
def _tell_robots(response: Response) -> Response:
    # A page that has not changed is as much for them as when they fetched it.
    if not g.get("may_be_indexed") or response.status_code not in {200, 304}:
        response.headers.setdefault("X-Robots-Tag", "noindex")
    return response


@blueprint.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """RFC 9309."""
    root = url_for("portal.index").rstrip("/")
    text = ROBOTS.format(root=root, sitemap=links.absolute("/sitemap.xml"))
    return text, 200, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "public, max-age=3600"}


@blueprint.get("/sitemap.xml")
def sitemap() -> ResponseReturnValue:
    """One map for each newsletter that everybody may read."""
    public = [each for each in newsletters.list_newsletters(get_session(), has_archived=True) if _is_public(each)]
    return _xml("sitemapindex", "sitemap", ((links.newsletter_url(each.slug) + "sitemap.xml", None) for each in public))


@blueprint.get("/n/<slug>/sitemap.xml")
def newsletter_sitemap(slug: str) -> ResponseReturnValue:
    """Its page, its issues and their articles, the newest first."""
    session = get_session()
    found = newsletters.get_newsletter_by_slug(session, slug)
    addresses: list[tuple[str, dt.datetime | None]] = []
    if _is_public(found):
        addresses.append((links.newsletter_url(slug), None))
        published = list_published(session, found.id, limit=ADDRESSES)
        articles = list_titles_of_articles(session, [edition.id for _, edition in published])
        for issue, edition in published:
            addresses.append((links.issue_url(slug, issue.id), edition.created_at))
            addresses += [
                (links.article_url(slug, issue.id, article_id), edition.created_at)
                for article_id, _title in articles[edition.id]
            ]
    return _xml("urlset", "url", addresses[:ADDRESSES])


def _is_public(newsletter: Newsletter) -> bool:
    return newsletter.archive_access == ArchiveAccess.PUBLIC


def _xml(root: str, entry: str, addresses: Iterable[tuple[str, dt.datetime | None]]) -> ResponseReturnValue:
    tree = etree.Element(f"{{{SITEMAP}}}{root}", nsmap={None: SITEMAP})  # type: ignore[dict-item]
    for address, changed_at in addresses:
        each = etree.SubElement(tree, f"{{{SITEMAP}}}{entry}")
        etree.SubElement(each, f"{{{SITEMAP}}}loc").text = address
        if changed_at is not None:
            etree.SubElement(each, f"{{{SITEMAP}}}lastmod").text = changed_at.isoformat(timespec="seconds")
    body = etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
    return body, 200, {"Content-Type": "application/xml; charset=utf-8", "Cache-Control": "public, max-age=3600"}
