"""An issue: its page, its masthead, and the order of its articles."""

from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import MailingState
from mailer.errors import RuleError
from mailer.newsletters import get_newsletter
from mailer.newsroom import correcting, editing
from mailer.newsroom.approval import NOT_YOURS, get_turn, list_reviews
from mailer.newsroom.chain import chain_of
from mailer.newsroom.commenting import count_open, list_threads
from mailer.newsroom.compiling import get_content
from mailer.newsroom.editions import list_editions
from mailer.newsroom.house import get_house_rules, names_of
from mailer.newsroom.models import Issue
from mailer.newsroom.plain_text import count_characters
from mailer.newsroom.rules import Act, IssueState, can, expires_at
from mailer.newsroom.signatories import list_signatories
from mailer.newsroom.sources import list_sources
from mailer.newsroom.versions import list_removed
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import IssueForm, NoteForm
from mailer.web.desk.rights import may_edit, may_send_issues_of, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.failures import say
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

FIELDS = (
    "title", "year", "number", "total_number", "volume", "published_on", "publisher", "editor", "phone", "colophon",
    "subject", "preheader", "correction",
)  # fmt: skip


@blueprint.get("/issues/<int:issue_id>")
def issue(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    found = editing.get_issue(session, issue_id)
    present = {article.id for article in found.articles}
    return render_template(
        "desk/issue.html",
        issue=found,
        newsletter=get_newsletter(session, found.newsletter_id),
        content=get_content(session, found),
        remarks=editing.numbering_remarks(session, found),
        reviews=list_reviews(session, issue_id),
        editions=list_editions(session, issue_id),
        sources=list_sources(session, issue_id),
        removed=list_removed(session, issue_id),
        mailings=session.scalars(select(Mailing).where(Mailing.issue_id == issue_id).order_by(Mailing.id.desc())).all(),
        count_characters=count_characters,
        can=lambda act: can(found.state, Act(act)),
        note_form=NoteForm(),
        comments=count_open(session, issue_id),
        threads=[thread for thread in list_threads(session, issue_id) if thread.comment.article_id not in present],
        **next_step(found),
    )


def next_step(found: Issue) -> dict[str, object]:
    """What `next_act` of the templates asks for: whose turn it is, and what this account may do."""
    session, me = get_session(), get_account()
    rules = get_house_rules(session, found.newsletter_id)
    return {
        "turn": get_turn(session, found, me),
        "not_yours": NOT_YOURS,
        "has_nobody": found.state == IssueState.IN_REVIEW
        and not list_signatories(session, found, get_newsletter(session, found.newsletter_id)),
        # Each signature with those who may give it, where the newsletter names them.
        "chain": [(step, names_of(session, step.account_ids)) for step in chain_of(rules.steps)],
        "may_send_it": may_send_issues_of(session, found.newsletter_id, me),
        "senders": names_of(session, rules.sender_ids),
        "scheduled": list_scheduled(session, found.id),
        "expires_at": expires_at(found.approved_at, rules.approval_days),
    }


def list_scheduled(session: Session, issue_id: int) -> Sequence[Mailing]:
    """The issue's mailings that wait for their time, the next first."""
    return session.scalars(
        select(Mailing)
        .where(Mailing.issue_id == issue_id, Mailing.state == MailingState.SCHEDULED)
        .order_by(Mailing.scheduled_at)
    ).all()


@blueprint.post("/newsletters/<int:newsletter_id>/issues")
@only(may_edit)
def issue_new(newsletter_id: int) -> ResponseReturnValue:
    made = editing.create_issue(get_session(), newsletter_id, by=get_account())
    commit()
    flash(gettext("A new issue, with the next number. Now add articles."), "success")
    return redirect(url_for("desk.issue", issue_id=made.id))


@blueprint.route("/issues/<int:issue_id>/edit", methods=["GET", "POST"])
@only(may_edit)
def issue_edit(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    found = editing.get_issue(session, issue_id)
    form = IssueForm(obj=found)
    if not form.is_submitted():
        form.revision.data = str(found.masthead_revision)
    elif form.validate():
        try:
            _change(found, form)
        except RuleError as error:
            session.rollback()
            form.refuse(error)
            # What was typed stays in the form; sending it once more overwrites the colleague's, knowingly.
            form.revision.data = str(editing.get_issue(session, issue_id).masthead_revision)
        else:
            return redirect(url_for("desk.issue", issue_id=issue_id))
    content = get_content(session, found)
    page = render_template(
        "desk/issue_edit.html",
        form=form,
        issue=found,
        newsletter=get_newsletter(session, found.newsletter_id),
        content=content,
        remarks=editing.numbering_remarks(session, found),
    )
    return page, REFUSED if form.is_submitted() else 200


def _change(found: Issue, form: IssueForm) -> None:
    was, state = found.revision, found.state
    editing.change_issue(
        get_session(),
        found,
        revision=int(form.revision.data or 0),
        by=get_account(),
        **{name: form[name].data for name in FIELDS},
    )
    commit()
    flash(gettext("Saved.") if found.revision != was else gettext("Nothing was changed."), "success")
    tell_withdrawn(found, state)


def tell_withdrawn(found: Issue, before: str) -> None:
    """Says aloud that a change has taken a submission or an approval back."""
    if found.state != before:
        flash(gettext("This change has withdrawn the issue: submit it again when it is ready."), "warning")
        tell_stopped(found.id)


def tell_stopped(issue_id: int) -> None:
    """Says aloud that a mailing of an issue that was taken back goes no further (`dispatch.halting`)."""
    under_way = (MailingState.SCHEDULED, MailingState.PREPARING, MailingState.SENDING)
    query = select(Mailing.id).where(Mailing.issue_id == issue_id, Mailing.state.in_(under_way)).limit(1)
    if get_session().scalar(query) is not None:
        flash(gettext("Its mailing, which was scheduled or being sent, stops within seconds."), "warning")


@blueprint.post("/issues/<int:issue_id>/correct")
@only(may_edit)
def issue_correct(issue_id: int) -> ResponseReturnValue:
    session = get_session()
    with commit_or_tell():
        correcting.begin(session, editing.get_issue(session, issue_id), request.form.get("note", ""), by=get_account())
        flash(gettext("The issue is a draft again. Mend it and submit it; what was sent stays as it was."), "success")
        tell_stopped(issue_id)
    return redirect(url_for("desk.issue", issue_id=issue_id))


@blueprint.post("/issues/<int:issue_id>/order")
@only(may_edit)
def issue_order(issue_id: int) -> ResponseReturnValue:
    found = editing.get_issue(get_session(), issue_id)
    state = found.state
    try:
        order = [int(part) for part in request.form.get("order", "").split(",")]
    except ValueError:
        abort(400)
    with commit_or_tell():
        editing.order_articles(get_session(), found, order=order, by=get_account())
        tell_withdrawn(found, state)
    return redirect(url_for("desk.issue", issue_id=issue_id, _anchor="contents"))


@blueprint.post("/issues/<int:issue_id>/warnings")
@only(may_edit)
def issue_warnings_aside(issue_id: int) -> ResponseReturnValue:
    editing.put_warnings_aside(get_session(), editing.get_issue(get_session(), issue_id), by=get_account())
    commit()
    return redirect(url_for("desk.issue", issue_id=issue_id))


@blueprint.post("/issues/<int:issue_id>/delete")
@only(may_edit)
def issue_delete(issue_id: int) -> ResponseReturnValue:
    found = editing.get_issue(get_session(), issue_id)
    newsletter_id = found.newsletter_id
    try:
        editing.delete_issue(get_session(), found, by=get_account())
    except RuleError as error:
        get_session().rollback()
        flash(say(error), "error")
        return redirect(url_for("desk.issue", issue_id=issue_id))
    commit()
    flash(gettext("The issue is deleted."), "success")
    return redirect(url_for("desk.newsletter", newsletter_id=newsletter_id))
