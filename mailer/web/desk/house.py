"""How a newsletter's newsroom works: signatures, how long an approval lasts, who may send, words, proofreaders; and who
stands in for whom.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from mailer.accounts import list_accounts
from mailer.accounts.lookup import get_account as get_account_by_id
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.errors import RuleError
from mailer.newsletters import get_newsletter
from mailer.newsroom import deputies
from mailer.newsroom.chain import MOST_STEPS, SigningStep, chain_of
from mailer.newsroom.house import get_house_rules
from mailer.newsroom.house_writing import change_house_rules
from mailer.newsroom.models import Deputy
from mailer.settings import get_settings
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.desk.forms import DeputyForm, HouseForm
from mailer.web.desk.rights import may_approve, may_govern, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.forms import REFUSED
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


@blueprint.route("/newsletters/<int:newsletter_id>/rules", methods=["GET", "POST"])
@only(may_govern)
def newsletter_rules(newsletter_id: int) -> ResponseReturnValue:
    session = get_session()
    newsletter = get_newsletter(session, newsletter_id)
    form = HouseForm()
    people = _choices(session)
    for field in (form.senders, *(form[f"accounts_{number}"] for number in range(1, MOST_STEPS + 1))):
        field.choices = people
    if not form.is_submitted():
        _show(form, session, newsletter_id)
    elif form.validate():
        try:
            change_house_rules(
                session,
                newsletter_id,
                by=get_account(),
                steps=_steps(form),
                approval_days=form.approval_days.data,
                sender_ids=form.senders.data or [],
                sensitive_words=form.sensitive_words.data or "",
                proofreaders=form.proofreaders.data or "",
            )
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("Saved."), "success")
            return redirect(url_for("desk.newsletter_rules", newsletter_id=newsletter_id))
    page = render_template("desk/rules.html", form=form, newsletter=newsletter, most_steps=MOST_STEPS)
    return page, REFUSED if form.is_submitted() else 200


def _choices(session: Session) -> list[SelectChoice]:
    """Those who can sign in. A chosen account that cannot any more is left out, and saving then leaves it out too."""
    return [
        SelectChoice(account.id, account.name)
        for account in list_accounts(session)
        if account.state == AccountState.ACTIVE
    ]


def _show(form: HouseForm, session: Session, newsletter_id: int) -> None:
    rules = get_house_rules(session, newsletter_id)
    chain = chain_of(rules.steps)
    form.count.data = str(len(chain))
    for number, step in enumerate(chain, 1):
        form[f"name_{number}"].data = step.name
        form[f"role_{number}"].data = str(step.role)
        form[f"accounts_{number}"].data = list(step.account_ids)
    form.approval_days.data = rules.approval_days
    form.senders.data = rules.sender_ids
    form.sensitive_words.data = rules.sensitive_words
    form.proofreaders.data = rules.proofreaders


def _steps(form: HouseForm) -> list[SigningStep]:
    return [
        SigningStep(
            form[f"name_{number}"].data or "",
            Role(form[f"role_{number}"].data),
            tuple(form[f"accounts_{number}"].data or ()),
        )
        for number in range(1, int(form.count.data or 1) + 1)
    ]


@blueprint.route("/deputies", methods=["GET", "POST"])
@only(lambda account: may_approve(account) or may_govern(account))
def deputies_page() -> ResponseReturnValue:
    """An approver names a deputy; an admin does it for anybody."""
    session, me = get_session(), get_account()
    is_admin = may_govern(me)
    form = DeputyForm()
    people = _choices(session)
    form.account.choices = people if is_admin else [SelectChoice(me.id, me.name)]
    form.deputy.choices = people
    if not form.is_submitted():
        form.account.data = me.id
    elif form.validate():
        try:
            deputies.appoint(
                session,
                get_account_by_id(session, form.account.data),
                get_account_by_id(session, form.deputy.data),
                starts_at=_day(form.first_day.data),
                ends_at=_day(form.last_day.data + dt.timedelta(days=1)),
                by=me,
            )
        except RuleError as error:
            session.rollback()
            form.refuse(error)
        else:
            commit()
            flash(gettext("Agreed. The deputy signs in that time what you may sign."), "success")
            return redirect(url_for("desk.deputies_page"))
    page = render_template(
        "desk/deputies.html",
        form=form,
        appointments=deputies.list_appointments(session, of=None if is_admin else me.id),
        days=_days,
        may_dismiss=lambda deputy: is_admin or deputy.account_id == me.id,
    )
    return page, REFUSED if form.is_submitted() else 200


def _day(day: dt.date) -> dt.datetime:
    """The beginning of a day where the service is at home."""
    return dt.datetime.combine(day, dt.time(), tzinfo=ZoneInfo(get_settings().time_zone))


def _days(deputy: Deputy) -> str:
    """From which day to which, as they were agreed; one that was ended early ends at its hour."""
    zone = ZoneInfo(get_settings().time_zone)
    first, end = deputy.starts_at.astimezone(zone), deputy.ends_at.astimezone(zone)
    last = (end - dt.timedelta(microseconds=1)).date()
    return f"{first:%Y-%m-%d}" if last <= first.date() else f"{first:%Y-%m-%d} – {last:%Y-%m-%d}"


@blueprint.post("/deputies/<int:deputy_id>/dismiss")
def deputy_dismiss(deputy_id: int) -> ResponseReturnValue:
    me: Account = get_account()
    if not (may_approve(me) or may_govern(me)):
        abort(403)
    with commit_or_tell(gettext("Nobody stands in any more.")):
        deputies.dismiss(get_session(), deputy_id, by=me, only_of=None if may_govern(me) else me.id)
    return redirect(url_for("desk.deputies_page"))
