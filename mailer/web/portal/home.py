"""The start page, a newsletter's page, and the privacy notice."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience.correspondence import CONFIRM_DAYS
from mailer.errors import CompositionError
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.editions import count_published_by_year, list_published
from mailer.press.themes import get_theme
from mailer.settings import get_settings
from mailer.web.database import get_session
from mailer.web.portal import blueprint
from mailer.web.portal.reading import may_read
from mailer.web.portal.robots import may_be_indexed
from mailer.web.portal.web_editions import IssueCard, list_cards

# How many issues a newsletter's page shows before it sends the reader to the archive's years.
LATEST = 6


@dataclass(frozen=True, slots=True)
class Periodical:
    """A newsletter as the start page shows it."""

    newsletter: Newsletter
    lists: Sequence[List]
    latest: IssueCard | None
    count: int


@blueprint.get("/")
def index() -> str:
    """Every newsletter that people can read or sign up for."""
    may_be_indexed()
    session = get_session()
    shown = [_periodical(session, each) for each in newsletters.list_newsletters(session)]
    # A newsletter with private lists only, and no issue yet, is nobody's business.
    return render_template("portal/index.html", periodicals=[each for each in shown if each.lists or each.count])


def _periodical(session: Session, newsletter: Newsletter) -> Periodical:
    latest = list_cards(
        session, newsletter, list_published(session, newsletter.id, limit=1) if may_read(newsletter) else []
    )
    return Periodical(
        newsletter,
        newsletters.list_lists(session, newsletter_id=newsletter.id, is_public=True),
        latest[0] if latest else None,
        sum(count_published_by_year(session, newsletter.id).values()),
    )


@blueprint.get("/privacy")
def privacy() -> str:
    """Who keeps what about readers, why, for how long, and what they can do about it."""
    settings = get_settings()
    return render_template(
        "portal/privacy.html",
        newsletters=newsletters.list_newsletters(get_session()),
        service=settings.sender_name,
        address=settings.sender_address,
        privacy_contact=settings.privacy_contact or settings.sender_address,
        unconfirmed_days=CONFIRM_DAYS,
        letter_days=settings.letter_days,
        trace_days=settings.consent_trace_days,
    )


@blueprint.get("/n/<slug>/theme.css")
def theme(slug: str) -> ResponseReturnValue:
    """The newsletter's own colour; a style sheet, because pages carry no inline style."""
    newsletter = newsletters.get_newsletter_by_slug(get_session(), slug)
    try:
        colour = get_theme(newsletter.theme, newsletter.theme_options).colour
    except CompositionError:
        return "", 200, {"Content-Type": "text/css", "Cache-Control": "public, max-age=300"}
    css = f":root {{ --masthead: {colour}; }}\n"
    return css, 200, {"Content-Type": "text/css", "Cache-Control": "public, max-age=300"}
