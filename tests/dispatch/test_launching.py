import datetime as dt

import pytest
from sqlalchemy import select, text

from mailer.accounts.models import Account, AuditEntry
from mailer.db import now
from mailer.dispatch import launching
from mailer.dispatch.models import Mailing
from mailer.dispatch.preparing import prepare
from mailer.dispatch.rules import MailingState
from mailer.errors import NotFoundError, RuleError
from tests.dispatch.conftest import House


def acts(house: House) -> list[str]:
    return list(
        house.session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject_type == "mailing").order_by(AuditEntry.id)
        )
    )


def create(house: House, **changes: object) -> Mailing:
    options = {"edition_id": house.edition.id, "list_ids": [house.lists[0].id], "by": None} | changes
    return launching.create_mailing(house.session, **options)  # type: ignore[arg-type]


def test_a_mailing_begins_as_a_draft_whose_message_ids_are_decided(house: House) -> None:
    account = Account(email="e@example.org", email_key="e@example.org", name="编辑", roles=["editor"])
    house.session.add(account)
    house.session.flush()
    mailing = create(house, by=account, rate=2.5, list_ids=[house.lists[0].id] * 2)
    assert (mailing.state, mailing.issue_id, mailing.created_by) == ("draft", house.issue.id, account.id)
    assert mailing.message_domain == "example.org"
    assert len(mailing.message_key) == 12
    assert [chosen.list_id for chosen in mailing.lists] == [house.lists[0].id]
    assert acts(house) == ["mailing.created"]


def test_only_the_latest_edition_of_an_approved_issue_is_sent(house: House) -> None:
    old = house.edition
    newer = house.new_edition()
    with pytest.raises(RuleError, match="later edition"):
        create(house, edition_id=old.id)
    house.issue.state = "draft"  # type: ignore[assignment]
    house.session.commit()
    with pytest.raises(RuleError, match="approv"):
        create(house, edition_id=newer.id)
    with pytest.raises(NotFoundError):
        create(house, edition_id=4711)


def test_its_lists_are_its_newsletters_own_open_and_at_least_one(house: House) -> None:
    with pytest.raises(RuleError, match="at least one"):
        create(house, list_ids=[])
    with pytest.raises(NotFoundError):
        create(house, list_ids=[house.lists[0].id, 4711])
    other = type(house.newsletter)(slug="b", title="B", sender_name="B", sender_address="b@example.org")
    house.session.add(other)
    house.session.flush()
    foreign = type(house.lists[0])(newsletter_id=other.id, slug="x", name="X")
    house.session.add(foreign)
    house.session.flush()
    with pytest.raises(RuleError, match="another newsletter"):
        create(house, list_ids=[house.lists[0].id, foreign.id])
    house.lists[1].archived_at = now(house.session)
    with pytest.raises(RuleError, match="archived"):
        create(house, list_ids=[house.lists[1].id])


@pytest.mark.parametrize("rate", [0, -1.0, float("nan"), 1e9])
def test_a_rate_is_a_positive_number(house: House, rate: float) -> None:
    with pytest.raises(RuleError, match="rate"):
        create(house, rate=rate)


def test_scheduled_unscheduled_scheduled_again_and_sent_now(house: House) -> None:
    mailing, session = create(house), house.session
    tomorrow = now(session) + dt.timedelta(days=1)
    launching.schedule(session, mailing, tomorrow)
    launching.schedule(session, mailing, tomorrow + dt.timedelta(hours=1))
    assert (mailing.state, mailing.scheduled_at) == ("scheduled", tomorrow + dt.timedelta(hours=1))
    launching.unschedule(session, mailing)
    assert (mailing.state, mailing.scheduled_at) == ("draft", None)
    with pytest.raises(RuleError, match="not scheduled"):
        launching.unschedule(session, mailing)
    launching.schedule(session, mailing, tomorrow)
    launching.send_now(session, mailing)
    assert mailing.state == MailingState.PREPARING
    assert mailing.launched_at is not None
    with pytest.raises(RuleError, match="started already"):
        launching.send_now(session, mailing)
    session.commit()
    assert acts(house) == [
        "mailing.created",
        "mailing.scheduled",
        "mailing.scheduled",
        "mailing.unscheduled",
        "mailing.scheduled",
        "mailing.launched",
    ]


def test_a_time_that_has_passed_or_says_no_zone_is_no_schedule(house: House) -> None:
    mailing = create(house)
    with pytest.raises(RuleError, match="passed"):
        launching.schedule(house.session, mailing, now(house.session) - dt.timedelta(seconds=1))
    with pytest.raises(ValueError, match="zone"):
        launching.schedule(house.session, mailing, dt.datetime(2099, 1, 1))  # noqa: DTZ001


def test_an_approval_withdrawn_since_stops_the_button(house: House) -> None:
    mailing = create(house)
    house.issue.state = "draft"  # type: ignore[assignment]
    house.session.commit()
    with pytest.raises(RuleError, match="approv"):
        launching.send_now(house.session, mailing)
    house.session.rollback()
    house.session.refresh(mailing)
    assert mailing.state == MailingState.DRAFT


def scheduled(house: House, late: dt.timedelta) -> Mailing:
    mailing = create(house)
    launching.schedule(house.session, mailing, now(house.session) + dt.timedelta(minutes=1))
    mailing.scheduled_at = now(house.session) - late
    house.session.flush()
    return mailing


def test_a_schedule_that_comes_due_is_launched_and_how_late_is_written_down(house: House) -> None:
    mailing = scheduled(house, dt.timedelta(minutes=90))
    launching.launch_due(house.session, mailing)
    assert mailing.state == MailingState.PREPARING
    house.session.commit()
    entry = house.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.actor) == ("mailing.launched", "system")
    assert 5399 <= entry.details["late_seconds"] <= 5410


def test_a_schedule_overdue_for_long_waits_for_a_person_and_says_why(house: House) -> None:
    mailing = scheduled(house, launching.OVERDUE_GRACE + dt.timedelta(minutes=1))
    launching.launch_due(house.session, mailing)
    assert (mailing.state, mailing.scheduled_at) == ("draft", None)
    assert "not running" in mailing.pause_reason
    launching.send_now(house.session, mailing)
    assert mailing.pause_reason == ""


def test_a_schedule_whose_edition_was_replaced_waits_for_a_person(house: House) -> None:
    mailing = scheduled(house, dt.timedelta(seconds=1))
    house.new_edition()
    launching.launch_due(house.session, mailing)
    assert mailing.state == MailingState.DRAFT
    assert "later edition" in mailing.pause_reason


def test_pause_says_why_and_resume_forgets_it(house: House) -> None:
    house.subscribe(1)
    mailing = house.mailing(0)
    with pytest.raises(RuleError, match="being sent"):
        launching.pause(house.session, mailing, "why")
    house.session.rollback()
    prepare(mailing.id)
    launching.pause(house.session, mailing, "Too many complaints.", reply="550 no")
    assert (mailing.state, mailing.pause_reason, mailing.pause_reply) == ("paused", "Too many complaints.", "550 no")
    assert mailing.paused_at is not None
    launching.resume(house.session, mailing)
    assert (mailing.state, mailing.pause_reason, mailing.paused_at) == ("sending", "", None)
    with pytest.raises(RuleError, match="not paused"):
        launching.resume(house.session, mailing)


def test_cancelling_skips_what_is_queued_and_leaves_what_is_on_its_way(house: House) -> None:
    house.subscribe(5)
    mailing = house.mailing(0)
    prepare(mailing.id)
    house.session.execute(
        text(
            "UPDATE deliveries SET state = 'claimed', lease_until = now() + interval '1 minute', claimed_by = 'k/1' "
            "WHERE id = (SELECT min(id) FROM deliveries)"
        )
    )
    house.session.commit()
    launching.cancel(house.session, mailing)
    house.session.commit()
    assert house.states(mailing) == {"claimed": 1, "skipped": 4}
    assert {delivery.reason for delivery in house.deliveries(mailing)[1:]} == {"cancelled"}
    with pytest.raises(RuleError, match="nothing left"):
        launching.cancel(house.session, mailing)


def test_two_people_pressing_send_at_once_launch_once(house: House) -> None:
    from mailer.db import session_scope

    mailing = create(house)
    house.session.commit()
    with session_scope() as other:
        launching.send_now(other, launching.get_mailing(other, mailing.id))
    # Still a draft in this session's eyes; the row is read again under its lock.
    with pytest.raises(RuleError, match="started already"):
        launching.send_now(house.session, mailing)


def test_a_mailing_that_is_not_there_is_said_so(house: House) -> None:
    with pytest.raises(NotFoundError):
        launching.get_mailing(house.session, 4711)
