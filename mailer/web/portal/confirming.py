"""Behind the confirmation letter's link: a page with a button, and what comes of pressing it."""

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import links
from mailer.audience import confirming
from mailer.audience.subscribing import ask_again
from mailer.errors import LinkError, RuleError
from mailer.newsletters.models import Newsletter
from mailer.newsroom.editions import count_published_by_year
from mailer.web.database import commit, get_session
from mailer.web.failures import say
from mailer.web.limits import limiter
from mailer.web.portal import blueprint
from mailer.web.portal.requests import again_wording, confirm_wording, evidence
from mailer.web.sign_ups import latest_issue


@blueprint.route("/confirm/<token>", methods=["GET", "POST"])
def confirm(token: str) -> ResponseReturnValue:
    """GET shows the button and changes nothing, for scanners follow links; POST confirms, and twice is once."""
    session = get_session()
    try:
        if request.method == "POST":
            found = confirming.confirm(session, token, latest_issue=latest_issue, **evidence(confirm_wording()))
            commit()
        else:
            found = confirming.find_confirmation(session, token)
    except LinkError:
        return _over(token)
    if not found.open and not found.confirmed:
        return _over(token)
    return render_template(
        "portal/confirm.html",
        token=token,
        found=found,
        is_done=not found.open,
        wording=confirm_wording(),
        readable=[each for each in dict.fromkeys(one.newsletter for one in found.confirmed) if _has_issues(each)],
        preferences_url=url_for("portal.preferences", token=links.make_preferences_token(found.subscriber.id)),
    )


def _has_issues(newsletter: Newsletter) -> bool:
    """Whether there is anything to be read yet, now or behind a link in the mail."""
    return bool(count_published_by_year(get_session(), newsletter.id))


def _over(token: str) -> ResponseReturnValue:
    """Too old, or used: said kindly, and a new letter is one button away. What never was ours stays a 404."""
    _, list_ids = links.read_confirm_token(token, is_expired_good=True)
    page = render_template("portal/confirm_over.html", token=token, list_ids=list_ids, wording=again_wording())
    return page, 410


@blueprint.post("/confirm/<token>/again")
@limiter.limit("10 per hour")
def send_again(token: str) -> ResponseReturnValue:
    """Another letter for a link that is over. The answer is the same when the day's letters are used up."""
    _, list_ids = links.read_confirm_token(token, is_expired_good=True)
    try:
        ask_again(get_session(), token, **evidence(again_wording()))
    except RuleError as error:
        page = render_template("portal/confirm_over.html", token=None, list_ids=list_ids, detail=say(error))
        return page, 410
    commit()
    return render_template("portal/letter_sent.html")
