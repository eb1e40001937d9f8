"""The archive: a newsletter's page with its years, the web edition of every sent issue, and each article by itself."""

import datetime as dt

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mailer import links, newsletters
from mailer.audience.admission import is_pressed
from mailer.db import now
from mailer.newsletters.models import Newsletter
from mailer.newsroom.editions import (
    count_published_by_year,
    count_published_since,
    find_neighbours,
    get_published,
    get_published_article,
    list_published,
)
from mailer.press.content import HTML_LANGUAGES
from mailer.press.wording import clauses
from mailer.web.database import get_session
from mailer.web.portal import blueprint
from mailer.web.portal.corrections import list_earlier
from mailer.web.portal.home import LATEST
from mailer.web.portal.keeping import kept_briefly
from mailer.web.portal.reading import feed_token, for_readers, keep_token, may_read
from mailer.web.portal.robots import may_be_indexed
from mailer.web.portal.subscribing import make_sign_up_form
from mailer.web.portal.web_editions import body_of, list_cards, picture_of, show, text_of
from mailer.web.sign_ups import sign_up_wording

blueprint.add_app_template_global(links.newsletter_url, "newsletter_url")

# Characters of an article that stand under a link to it on another site.
SUMMARY = 160


@blueprint.get("/n/<slug>/")
def newsletter(slug: str) -> ResponseReturnValue:
    """What it is, how often it comes, who is responsible; the sign-up form; the latest issues."""
    session = get_session()
    found = newsletters.get_newsletter_by_slug(session, slug)
    kept = keep_token(found)
    if kept is not None:
        return kept
    # The page is for everybody, what was sent for those who may read it.
    may_be_indexed()
    is_readable = may_read(found)
    published = list_published(session, found.id, limit=LATEST, has_retracted=True) if is_readable else []
    lists = newsletters.list_lists(session, newsletter_id=found.id, is_public=True)
    years = count_published_by_year(session, found.id)
    return render_template(
        "portal/newsletter.html",
        newsletter=found,
        form=make_sign_up_form(lists),
        lists=lists,
        is_pressed=is_pressed(session),
        wording=sign_up_wording(lists),
        language=HTML_LANGUAGES.get(found.language, found.language),
        issues=list_cards(session, found, published),
        is_readable=is_readable,
        feed_token=feed_token(found),
        years=years,
        latest_year=next(iter(years), None),
        count=sum(years.values()),
        recent=count_published_since(session, found.id, now(session) - dt.timedelta(days=365)),
    )


@blueprint.get("/n/<slug>/archive/<int:year>")
@for_readers
@kept_briefly
def year(newsletter: Newsletter, year: int) -> ResponseReturnValue:
    """The issues of one year."""
    session = get_session()
    years = count_published_by_year(session, newsletter.id)
    if year not in years:
        abort(404)
    return render_template(
        "archive/year.html",
        newsletter=newsletter,
        year=year,
        years=years,
        feed_token=feed_token(newsletter),
        issues=list_cards(session, newsletter, list_published(session, newsletter.id, year=year, has_retracted=True)),
    )


@blueprint.get("/n/<slug>/issues/")
def issues(slug: str) -> ResponseReturnValue:
    """Where somebody arrives who cuts an issue's address short."""
    return redirect(url_for("portal.newsletter", slug=slug))


@blueprint.get("/n/<slug>/issues/<int:issue_id>")
@for_readers
@kept_briefly
def issue(newsletter: Newsletter, issue_id: int) -> ResponseReturnValue:
    """The web edition, as it was sent, for good."""
    session = get_session()
    sent, edition = get_published(session, newsletter.id, issue_id)
    earlier, later = find_neighbours(session, sent)
    return render_template(
        "archive/issue.html",
        newsletter=newsletter,
        edition=show(newsletter, sent, edition),
        sent_at=sent.first_sent_at,
        corrected_at=None,
        correction=edition.masthead.get("correction", ""),
        earlier_editions=list_earlier(session, newsletter, sent, edition),
        clauses=clauses,
        feed_token=feed_token(newsletter),
        pdf_url=url_for("portal.print_edition_of", slug=newsletter.slug, issue_id=sent.id),
        earlier=list_cards(session, newsletter, [earlier])[0] if earlier else None,
        later=list_cards(session, newsletter, [later])[0] if later else None,
    )


@blueprint.get("/n/<slug>/issues/<int:issue_id>/articles/<int:article_id>")
@for_readers
@kept_briefly
def article(newsletter: Newsletter, issue_id: int, article_id: int) -> ResponseReturnValue:
    """One article by itself: where an entry of a mail's contents leads."""
    session = get_session()
    sent, edition, frozen = get_published_article(session, newsletter.id, issue_id, article_id)
    shown = show(newsletter, sent, edition)
    articles = shown.content.articles
    place = next(at for at, each in enumerate(articles) if each.key == frozen.article_id)
    return render_template(
        "archive/article.html",
        newsletter=newsletter,
        edition=shown,
        sent_at=sent.first_sent_at,
        clauses=clauses,
        article=articles[place],
        body=body_of(articles[place], shown.content),
        summary=text_of(frozen.body, edition)[:SUMMARY],
        picture=picture_of(frozen.body),
        feed_token=feed_token(newsletter),
        earlier=articles[place - 1] if place else None,
        later=articles[place + 1] if place + 1 < len(articles) else None,
    )
