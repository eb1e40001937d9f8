"""What becomes of a mailing whose issue is taken back, changed, corrected or expired before its last message left."""

import datetime as dt

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailer.accounts.models import Account, AuditEntry
from mailer.db import now
from mailer.dispatch import launching
from mailer.dispatch.claiming import claim, recheck
from mailer.dispatch.halting import HALTED, halt
from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.preparing import prepare
from mailer.dispatch.settling import send_again
from mailer.dispatch.sweeping import sweep
from mailer.errors import RuleError
from mailer.letters.models import Letter
from mailer.newsroom import approval
from mailer.newsroom.models import HouseRules, Issue, Review
from mailer.newsroom.rules import IssueState
from tests.dispatch.conftest import House
from tests.newsroom.making import make_account

DAY = dt.timedelta(days=1)


def person(session: Session, name: str = "Deng") -> Account:
    made = make_account(session, name)
    made.locale = "en"
    session.flush()
    return made


def created(house: House, by: Account | None = None) -> Mailing:
    return launching.create_mailing(house.session, edition_id=house.edition.id, list_ids=[house.lists[0].id], by=by)


def withdraw(house: House, by: Account | None = None) -> None:
    approval.withdraw(house.session, house.issue, by=by, note="日期有误")
    house.session.commit()


def told(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(select(Letter).where(Letter.kind == "notice").order_by(Letter.id))
    return [(letter.address, " ".join(letter.parameters["lines"])) for letter in rows]


def last_act(session: Session) -> tuple[str, str]:
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.subject_type == "mailing").order_by(AuditEntry.id.desc()).limit(1)
    ).one()
    return entry.action, entry.details.get("reason", "")


def claimed(house: House, mailing: Mailing) -> list[int]:
    batch = claim(house.session, mailing.id, key="j", token="t", quotas={"other": 10}, batch=10, lease=60)
    house.session.commit()
    return [one.delivery_id for one in batch.claims]


def test_whoever_scheduled_what_was_taken_back_is_told_at_once_and_not_when_its_time_comes(house: House) -> None:
    session = house.session
    deng, anna = person(session), person(session, "Anna")
    mailing = created(house, deng)
    launching.schedule(session, mailing, now(session) + DAY, by=deng)
    session.commit()
    assert halt(session) == []
    withdraw(house, by=anna)
    assert halt(session) == [mailing.id]
    assert (mailing.state, mailing.scheduled_at) == ("draft", None)
    assert "withdrawn" in mailing.pause_reason
    assert last_act(session) == ("mailing.not_launched", mailing.pause_reason)
    ((address, lines),) = told(session)
    assert address == deng.email
    assert "does not go out" in lines
    assert mailing.pause_reason in lines
    assert halt(session) == []


def test_who_took_it_back_themselves_gets_no_letter_about_it(house: House) -> None:
    deng = person(house.session)
    mailing = created(house, deng)
    launching.schedule(house.session, mailing, now(house.session) + DAY, by=deng)
    withdraw(house, by=deng)
    assert halt(house.session) == [mailing.id]
    assert told(house.session) == []


@pytest.mark.parametrize("late", [dt.timedelta(seconds=1), dt.timedelta(hours=7)])
def test_a_mailing_that_does_not_go_out_at_its_time_tells_who_scheduled_it(house: House, late: dt.timedelta) -> None:
    """Its approval ran out by a rule that was written after the scheduling; or nobody was there to send it in time."""
    session = house.session
    deng = person(session)
    mailing = created(house, deng)
    launching.schedule(session, mailing, now(session) + DAY, by=deng)
    if late < dt.timedelta(hours=1):
        session.add(HouseRules(newsletter_id=house.newsletter.id, approval_days=1))
        house.issue.approved_at = now(session) - DAY
    mailing.scheduled_at = now(session) - late
    session.commit()
    launching.launch_due(session, mailing)
    assert mailing.state == "draft"
    ((address, lines),) = told(session)
    assert address == deng.email
    assert mailing.pause_reason in lines


@pytest.mark.parametrize(("left", "is_sent"), [(0, False), (1, True)])
def test_an_approval_that_ends_in_the_second_of_the_launch_sends_nothing(
    house: House, left: int, is_sent: bool
) -> None:
    session = house.session
    session.add(HouseRules(newsletter_id=house.newsletter.id, approval_days=1))
    mailing = created(house)
    session.commit()
    house.issue.approved_at = now(session) - DAY + dt.timedelta(microseconds=left)
    session.flush()
    if is_sent:
        launching.send_now(session, mailing)
        return
    with pytest.raises(RuleError, match="expired"):
        launching.send_now(session, mailing)
    with pytest.raises(RuleError, match="expired"):
        launching.schedule(session, mailing, now(session) + dt.timedelta(microseconds=1))
    assert mailing.state == "draft"


def test_what_is_taken_back_before_its_roster_is_frozen_goes_to_nobody(house: House) -> None:
    session = house.session
    house.subscribe(3)
    deng = person(session)
    mailing = created(house, deng)
    launching.send_now(session, mailing, by=deng)
    session.commit()
    withdraw(house, by=person(session, "Anna"))
    assert prepare(mailing.id) is None
    session.expire_all()
    assert (mailing.state, mailing.launched_at, mailing.roster_size) == ("draft", None, None)
    assert session.scalar(select(func.count()).select_from(Delivery)) == 0
    assert house.issue.first_sent_at is None
    assert last_act(session)[0] == "mailing.not_launched"
    assert [address for address, _ in told(session)] == [deng.email]
    # And it stays so: the sweep finds nothing to prepare.
    assert sweep().prepared == []


def sending(house: House, by: Account | None = None) -> Mailing:
    house.subscribe(3)
    mailing = created(house, by)
    launching.send_now(house.session, mailing, by=by)
    house.session.commit()
    prepare(mailing.id)
    house.session.expire_all()
    assert mailing.state == "sending"
    return mailing


def test_an_issue_taken_back_while_it_is_sent_sends_no_further_message(house: House) -> None:
    session = house.session
    deng = person(session)
    mailing = sending(house, deng)
    withdraw(house, by=person(session, "Anna"))
    # Before any sweep: the claim itself asks for the approval.
    assert claimed(house, mailing) == []
    assert sweep().halted == [mailing.id]
    session.expire_all()
    assert (mailing.state, mailing.pause_reason) == ("cancelled", HALTED)
    assert last_act(session) == ("mailing.cancelled", HALTED)
    ((address, lines),) = told(session)
    assert address == deng.email
    assert HALTED in lines
    with pytest.raises(RuleError, match="approval of this issue has been withdrawn"):
        launching.resume(session, mailing, by=deng)
    session.rollback()
    assert house.states(mailing) == {"skipped": 3}


def test_what_a_worker_holds_is_given_back_when_the_issue_is_taken_back(house: House) -> None:
    mailing = sending(house)
    held = claimed(house, mailing)
    assert len(held) == 3
    assert set(recheck(house.session, "j", held)) == set(held)
    house.session.commit()
    withdraw(house)
    assert recheck(house.session, "j", held) == {}


def test_a_paused_mailing_does_not_go_on_with_what_has_been_corrected_since(house: House) -> None:
    session = house.session
    mailing = sending(house)
    launching.pause(session, mailing)
    house.new_edition()
    with pytest.raises(RuleError, match="later edition"):
        launching.resume(session, mailing)
    # Nor one that nobody paused: the newest edition alone is claimed.
    session.execute(update(Mailing).values(state="sending"))
    session.commit()
    assert claimed(house, mailing) == []
    assert halt(session) == [mailing.id]


def test_an_approval_counts_at_the_start_and_a_pause_does_not_end_it(house: House) -> None:
    session = house.session
    mailing = sending(house)
    launching.pause(session, mailing)
    session.add(HouseRules(newsletter_id=house.newsletter.id, approval_days=1))
    house.issue.approved_at = now(session) - 2 * DAY
    session.commit()
    launching.resume(session, mailing)
    session.commit()
    assert halt(session) == []
    assert len(claimed(house, mailing)) == 3


def test_an_unknown_message_of_a_corrected_edition_is_not_sent_again(house: House) -> None:
    session = house.session
    mailing = sending(house)
    delivery = house.deliveries(mailing)[0]
    delivery.state = "unknown"
    session.commit()
    house.new_edition()
    with pytest.raises(RuleError, match="later edition"):
        send_again(session, delivery, None)
    session.rollback()
    assert session.get_one(Issue, house.issue.id).state == IssueState.APPROVED
    assert session.scalars(select(Review)).all() == []


@pytest.mark.parametrize("was", ["sending", "paused"])
def test_the_next_edition_reaches_whom_the_stopped_one_had_still_queued(house: House, was: str) -> None:
    """Also where no sweep has run in between, and whoever had it already has it once."""
    session = house.session
    mailing = sending(house)
    if was == "paused":
        launching.pause(session, mailing)
    first = house.deliveries(mailing)[0]
    first.state, first.settled_at = "accepted", now(session)
    session.commit()
    house.edition = house.new_edition()
    second = created(house)
    launching.send_now(session, second)
    session.commit()
    prepare(second.id)
    assert house.states(mailing) == {"accepted": 1, "skipped": 2}
    assert house.states(second) == {"queued": 2}
    assert house.exclusions(second) == {first.subscriber_id: "already_sent"}
