"""Signing up with a form. Whoever sends it gets the same answer, whatever is known of the address."""

import time
from collections.abc import Collection, Sequence
from urllib.parse import urlencode

from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from mailer import links, newsletters
from mailer.addresses import parse_address, readable
from mailer.audience import entrance
from mailer.audience.admission import is_pressed
from mailer.audience.correspondence import CONFIRM_DAYS
from mailer.audience.proofs import make_challenge
from mailer.audience.rules import Verdict
from mailer.audience.typos import suggest
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsletters.questions import AnswerError
from mailer.newsletters.rules import Visibility
from mailer.newsroom.editions import count_published_by_year, list_published
from mailer.web.database import commit, get_session
from mailer.web.even_times import on_the_beat
from mailer.web.forms import REFUSED
from mailer.web.limits import limiter
from mailer.web.locale import current_locale
from mailer.web.portal import blueprint
from mailer.web.portal.forms import SignUpForm, refuse_answer
from mailer.web.portal.reading import may_read
from mailer.web.portal.web_editions import IssueCard, list_cards
from mailer.web.sign_ups import REFUSALS, latest_issue, sender, sign_up_wording
from mailer.web.stamps import seconds_open


def make_sign_up_form(lists: Sequence[List]) -> SignUpForm:
    """The form that offers these lists; those named in ``?list=`` are ticked. After a slip of the finger it holds what
    was perhaps meant.
    """
    form = SignUpForm()
    form.offer(lists, request.args.getlist("list", type=int))
    if not form.is_submitted() and "suggested" in request.args:
        form.email.data = session.get("suggested")
    return form


@blueprint.route("/subscribe", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
@on_the_beat
def subscribe() -> ResponseReturnValue:
    """For several newsletters at once."""
    return _subscribe(newsletters.list_lists(get_session(), is_public=True), None, request.path)


@blueprint.route("/n/<slug>/subscribe", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
@on_the_beat
def subscribe_to(slug: str) -> ResponseReturnValue:
    """For the lists of one newsletter; its page holds the same form."""
    found = newsletters.get_newsletter_by_slug(get_session(), slug)
    lists = newsletters.list_lists(get_session(), newsletter_id=found.id, is_public=True)
    return _subscribe(lists, found, request.path)


@blueprint.route("/invitation/<token>", methods=["GET", "POST"])
@limiter.limit("10 per minute; 60 per hour", methods=["POST"])
@on_the_beat
def invited(token: str) -> ResponseReturnValue:
    """For a list that is by invitation, with the link that its publisher gives out."""
    found = newsletters.get_list(get_session(), links.read_invitation_token(token))
    is_open = found.archived_at is None and found.newsletter.archived_at is None
    if not is_open or found.visibility == Visibility.PRIVATE:
        raise NotFoundError(N_("There is no such list."))
    return _subscribe([found], found.newsletter, request.path, invitation={found.id})


@blueprint.get("/subscribe/challenge")
@limiter.limit("30 per minute")
def challenge() -> ResponseReturnValue:
    """Work for the browser of a form that asks for a proof."""
    return make_challenge(get_session())


def _subscribe(
    lists: Sequence[List], newsletter: Newsletter | None, action: str, invitation: Collection[int] = ()
) -> ResponseReturnValue:
    form = make_sign_up_form(lists)
    if form.validate_on_submit() and _accept(form, lists, invitation):
        # Kept in the reader's own cookie, so that the next page can say where to look, and a reload sends nothing.
        address = parse_address(form.email.data or "")
        session["signed_up"] = readable(address.email)
        session["suggested"] = suggest(address)
        session["again"] = f"{request.path}?{urlencode({'list': form.lists.data}, doseq=True)}"
        return redirect(url_for("portal.look_in_your_mailbox"), code=303)
    page = render_template(
        "portal/subscribe.html",
        form=form,
        lists=lists,
        newsletter=newsletter,
        action=action,
        latest=_latest(lists),
        is_pressed=is_pressed(get_session()),
        wording=sign_up_wording(lists),
    )
    return page, REFUSED if form.is_submitted() else 200


def _latest(lists: Sequence[List]) -> dict[int, tuple[IssueCard | None, int]]:
    """Newsletter id -> its latest issue and how many there are: what one signs up for, as far as strangers may know."""
    found: dict[int, tuple[IssueCard | None, int]] = {}
    for newsletter in {each.newsletter_id: each.newsletter for each in lists}.values():
        if not may_read(newsletter):
            found[newsletter.id] = (None, 0)
            continue
        cards = list_cards(get_session(), newsletter, list_published(get_session(), newsletter.id, limit=1))
        count = sum(count_published_by_year(get_session(), newsletter.id).values())
        found[newsletter.id] = (cards[0] if cards else None, count)
    return found


def _accept(form: SignUpForm, lists: Sequence[List], invitation: Collection[int]) -> bool:
    """Whether the form was in order; what was not is told in it. Robots are told nothing."""
    knock = entrance.Knock(
        email=form.email.data or "",
        list_ids=[each for each in form.lists.data or () if each in form.offered],
        locale=current_locale(),
        wording=sign_up_wording(lists),
        name=form.name.data or "",
        trap=form.website.data or "",
        seconds=seconds_open(form.stamp.data, time.time()),
        proof=request.form.get("altcha"),
        invited=invitation,
        answers=form.answers,
        **sender(),
    )
    try:
        verdict = entrance.enter(get_session(), knock, latest_issue)
    except entrance.TooQuickError as error:
        form.refuse(error)
        return False
    except AnswerError as error:
        refuse_answer(form, error)
        return False
    except RuleError as error:
        form.refuse(error, "lists" if not knock.list_ids else "email")
        return False
    if verdict is not Verdict.LET_IN:
        get_session().rollback()
        form.refuse(RuleError(REFUSALS[verdict]))
        return False
    commit()
    return True


@blueprint.get("/subscribe/sent")
def look_in_your_mailbox() -> ResponseReturnValue:
    """The same page whatever the address is to us."""
    email = session.get("signed_up")
    if email is None:
        return redirect(url_for("portal.index"))
    return render_template(
        "portal/look_in_your_mailbox.html",
        email=email,
        suggested=session.get("suggested"),
        again=session.get("again", url_for("portal.subscribe")),
        days=CONFIRM_DAYS,
    )
