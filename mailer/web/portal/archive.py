"""The archive: a newsletter's page with its years, the web edition of every sent issue, and each article by itself."""

import datetime as dt

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mailer import newsletters
from mailer.audience.admission import is_pressed
from mailer.db import now
from mailer.newsroom.editions import (
    count_published_by_year,
    count_published_since,
    get_published,
    get_published_article,
    list_published,
)
from mailer.press.content import HTML_LANGUAGES
from mailer.press.wording import clauses
from mailer.web.database import get_session
from mailer.web.portal import blueprint
from mailer.web.portal.home import LATEST
from mailer.web.portal.subscribing import make_sign_up_form
from mailer.web.portal.web_editions import body_of, list_cards, show
from mailer.web.sign_ups import sign_up_wording


@blueprint.get("/n/<slug>/")
def newsletter(slug: str) -> str:
    """What it is, how often it comes, who is responsible; the sign-up form; the latest issues."""
    session = get_session()
    found = newsletters.get_newsletter_by_slug(session, slug)
    lists = newsletters.list_lists(session, newsletter_id=found.id, is_public=True)
    years = count_published_by_year(session, found.id)
    return render_template(
        "portal/newsletter.html",
        newsletter=found,
        form=make_sign_up_form(lists),
        lists=lists,
        is_pressed=is_pressed(session),
        wording=sign_up_wording(),
        language=HTML_LANGUAGES.get(found.language, found.language),
        issues=list_cards(session, found, list_published(session, found.id, limit=LATEST)),
        years=years,
        count=sum(years.values()),
        recent=count_published_since(session, found.id, now(session) - dt.timedelta(days=365)),
    )


@blueprint.get("/n/<slug>/archive/<int:year>")
def year(slug: str, year: int) -> str:
    """The issues of one year."""
    session = get_session()
    found = newsletters.get_newsletter_by_slug(session, slug)
    years = count_published_by_year(session, found.id)
    if year not in years:
        abort(404)
    return render_template(
        "archive/year.html",
        newsletter=found,
        year=year,
        years=years,
        issues=list_cards(session, found, list_published(session, found.id, year=year)),
    )


@blueprint.get("/n/<slug>/issues/")
def issues(slug: str) -> ResponseReturnValue:
    """Where somebody arrives who cuts an issue's address short."""
    return redirect(url_for("portal.newsletter", slug=slug))


@blueprint.get("/n/<slug>/issues/<int:issue_id>")
def issue(slug: str, issue_id: int) -> str:
    """The web edition, as it was sent, for good."""
    session = get_session()
    found = newsletters.get_newsletter_by_slug(session, slug)
    sent, edition = get_published(session, found.id, issue_id)
    published = list_published(session, found.id)
    place = next(at for at, (each, _) in enumerate(published) if each.id == sent.id)
    earlier = list_cards(session, found, published[place + 1 : place + 2])
    later = list_cards(session, found, published[max(place - 1, 0) : place])
    return render_template(
        "archive/issue.html",
        newsletter=found,
        edition=show(found, sent, edition),
        clauses=clauses,
        earlier=earlier[0] if earlier else None,
        later=later[0] if later else None,
    )


@blueprint.get("/n/<slug>/issues/<int:issue_id>/articles/<int:article_id>")
def article(slug: str, issue_id: int, article_id: int) -> str:
    """One article by itself: where an entry of a mail's contents leads."""
    session = get_session()
    found = newsletters.get_newsletter_by_slug(session, slug)
    sent, edition, frozen = get_published_article(session, found.id, issue_id, article_id)
    shown = show(found, sent, edition)
    articles = shown.content.articles
    place = next(at for at, each in enumerate(articles) if each.key == frozen.article_id)
    return render_template(
        "archive/article.html",
        newsletter=found,
        edition=shown,
        clauses=clauses,
        article=articles[place],
        body=body_of(articles[place], shown.content),
        earlier=articles[place - 1] if place else None,
        later=articles[place + 1] if place + 1 < len(articles) else None,
    )
