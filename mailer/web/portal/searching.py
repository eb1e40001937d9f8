"""The search pages: over one newsletter, and over all that the visitor may read. Without script."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import links
from mailer.errors import RuleError
from mailer.newsletters.models import Newsletter
from mailer.newsroom.search_terms import QUERY_LENGTH, Piece, cut, find_marks, snippet
from mailer.newsroom.searching import Hit, Hits, search
from mailer.web.database import get_session
from mailer.web.failures import say
from mailer.web.forms import REFUSED, strip
from mailer.web.limits import limiter
from mailer.web.portal import blueprint
from mailer.web.portal.reading import for_readers, list_readable
from mailer.web.portal.web_editions import IssueCard, list_cards, text_of

# A search costs some fifty times what reading an article does.
LIMIT = "60 per minute"


@dataclass(frozen=True, slots=True)
class Result:
    """An article that was found, as the page shows it; pieces are plain text, marked where the words are."""

    url: str
    title: Sequence[Piece]
    snippet: Sequence[Piece]
    section: str
    card: IssueCard
    newsletter: Newsletter


@blueprint.get("/search")
@limiter.limit(LIMIT)
def search_all() -> ResponseReturnValue:
    """Over every newsletter that this visitor may read."""
    return _search(list_readable(), None)


@blueprint.get("/n/<slug>/search")
@limiter.limit(LIMIT)
@for_readers
def search_newsletter(newsletter: Newsletter) -> ResponseReturnValue:
    """Over one newsletter."""
    return _search([newsletter], newsletter)


def _search(readable: Sequence[Newsletter], newsletter: Newsletter | None) -> ResponseReturnValue:
    typed = strip(request.args.get("q", "")) or ""
    page = request.args.get("page", 1, type=int)
    found, problem = None, None
    try:
        found = search(get_session(), typed, [each.id for each in readable], page=page)
    except RuleError as error:
        problem = say(error)
    if found is not None and page > 1 and not found.hits:
        return redirect(_address(newsletter, typed, None))
    shown = render_template(
        "archive/search.html",
        newsletter=newsletter,
        typed=typed[: 2 * QUERY_LENGTH],
        longest=QUERY_LENGTH,
        found=found,
        problem=problem,
        results=_results(found, {each.id: each for each in readable}) if found else [],
        previous=_address(newsletter, typed, found.page - 1) if found and found.page > 1 else None,
        next=_address(newsletter, typed, found.page + 1) if found and found.has_next else None,
    )
    return shown, REFUSED if problem else 200


def _address(newsletter: Newsletter | None, typed: str, page: int | None) -> str:
    page = page if page and page > 1 else None
    if newsletter is None:
        return url_for("portal.search_all", q=typed, page=page)
    return url_for("portal.search_newsletter", slug=newsletter.slug, q=typed, page=page)


def _results(found: Hits, by_id: dict[int, Newsletter]) -> list[Result]:
    session = get_session()
    cards: dict[int, IssueCard] = {}
    for newsletter in {hit.newsletter_id: by_id[hit.newsletter_id] for hit in found.hits}.values():
        mine = {hit.issue.id: (hit.issue, hit.edition) for hit in found.hits if hit.newsletter_id == newsletter.id}
        cards |= {card.issue_id: card for card in list_cards(session, newsletter, list(mine.values()))}
    return [_result(hit, found, by_id[hit.newsletter_id], cards[hit.issue.id]) for hit in found.hits]


def _result(hit: Hit, found: Hits, newsletter: Newsletter, card: IssueCard) -> Result:
    return Result(
        url=links.article_url(newsletter.slug, hit.issue.id, hit.article_id),
        title=cut(hit.title, find_marks(hit.title, found.terms)),
        snippet=snippet(text_of(hit.body, hit.edition), found.terms),
        section=hit.section,
        card=card,
        newsletter=newsletter,
    )
