"""Who may read a newsletter's archive (`Newsletter.archive_access`), and what the others are told."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import EmailField

from mailer import links, newsletters
from mailer.audience.reading import find_reader, offer_reading
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import ArchiveAccess
from mailer.web import reading_pass
from mailer.web.database import commit, get_session
from mailer.web.even_times import on_the_beat
from mailer.web.forms import REFUSED, Form, lazy, required, strip
from mailer.web.limits import limiter
from mailer.web.locale import gettext
from mailer.web.portal import blueprint
from mailer.web.portal.robots import may_be_indexed
from mailer.web.signing_in import find_account

View = Callable[..., ResponseReturnValue]
# Not 401, which would have to name a scheme of HTTP's own (RFC 9110 section 15.5.2).
CLOSED = 403


class ReadingForm(Form):
    """Where the link goes."""

    email = EmailField(
        lazy(N_("Your email address")),
        filters=[strip],
        validators=[required(N_("Please enter an email address."))],
        render_kw={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"},
    )


def may_read(newsletter: Newsletter) -> bool:
    """Whether this request may see what `newsletter` has sent."""
    if newsletter.archive_access == ArchiveAccess.PUBLIC or find_account() is not None:
        return True
    return newsletter.archive_access == ArchiveAccess.SUBSCRIBERS and _find_reader(newsletter) is not None


def list_readable() -> list[Newsletter]:
    """Every newsletter whose archive this request may read, those that appear no more among them."""
    return [each for each in newsletters.list_newsletters(get_session(), has_archived=True) if may_read(each)]


def _find_reader(newsletter: Newsletter) -> int | None:
    token = reading_pass.read()
    return find_reader(get_session(), newsletter.id, token) if token else None


def feed_token(newsletter: Newsletter) -> str | None:
    """What a feed's address must carry to be read without a cookie; `None` where nothing is needed or possible."""
    if newsletter.archive_access != ArchiveAccess.SUBSCRIBERS:
        return None
    return reading_pass.read() if _find_reader(newsletter) is not None else None


def for_readers(view: View) -> View:
    """For a page of the archive: the view gets the newsletter instead of its short name, once it may be read."""

    @wraps(view)
    def wrapped(slug: str, **place: Any) -> ResponseReturnValue:
        newsletter = newsletters.get_newsletter_by_slug(get_session(), slug)
        kept = keep_token(newsletter)
        if kept is not None:
            return kept
        if newsletter.archive_access == ArchiveAccess.PUBLIC:
            may_be_indexed()
        if not may_read(newsletter):
            return _refuse(newsletter)
        return view(newsletter, **place)

    return wrapped


def for_programs(view: View) -> View:
    """As `for_readers`, for feeds: whoever asks keeps no cookie, follows no form and is refused in one word."""

    @wraps(view)
    def wrapped(slug: str, **place: Any) -> ResponseReturnValue:
        newsletter = newsletters.get_newsletter_by_slug(get_session(), slug)
        if not may_read(newsletter):
            abort(CLOSED)
        return view(newsletter, **place)

    return wrapped


def keep_token(newsletter: Newsletter) -> ResponseReturnValue | None:
    """A token in the address becomes the cookie, and the address is cleaned: it will be copied and passed on. `None`
    where there is none.
    """
    if reading_pass.PARAMETER not in request.args:
        return None
    reader = _find_reader(newsletter) if newsletter.archive_access == ArchiveAccess.SUBSCRIBERS else None
    rest = [(name, value) for name, value in request.args.items(multi=True) if name != reading_pass.PARAMETER]
    response = redirect(
        url_for(str(request.endpoint), **(request.view_args or {})) + (f"?{urlencode(rest)}" if rest else "")
    )
    if reader is not None:
        reading_pass.give(response, newsletter, reader)
    return response


def _refuse(newsletter: Newsletter) -> ResponseReturnValue:
    if newsletter.archive_access == ArchiveAccess.ACCOUNTS:
        return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")))
    return _closed(newsletter, ReadingForm()), CLOSED


def _closed(newsletter: Newsletter, form: ReadingForm) -> str:
    # A page that was asked for by its number may not exist; who may not read is not told.
    is_open = newsletters.list_lists(get_session(), newsletter_id=newsletter.id, is_public=True)
    return render_template("archive/closed.html", newsletter=newsletter, form=form, is_open=is_open)


@blueprint.post("/n/<slug>/reading-link")
@limiter.limit("3 per minute; 20 per hour")
@on_the_beat
def reading_link(slug: str) -> ResponseReturnValue:
    """Mails a link into the archive to whoever subscribes; the answer is the same for everybody."""
    session = get_session()
    newsletter = newsletters.get_newsletter_by_slug(session, slug)
    if newsletter.archive_access != ArchiveAccess.SUBSCRIBERS:
        return redirect(url_for("portal.newsletter", slug=slug), code=303)
    form = ReadingForm()
    if form.validate_on_submit():
        try:
            offer_reading(session, newsletter, form.email.data or "", url=links.newsletter_url(slug))
        except RuleError as error:
            form.refuse(error, "email")
        else:
            commit()
            flash(gettext("If this address subscribes, a letter with a link is on its way to it."), "success")
            return redirect(url_for("portal.newsletter", slug=slug), code=303)
    return _closed(newsletter, form), REFUSED
