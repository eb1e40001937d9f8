import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mailer.accounts.auditing import AuditFilter, list_audit_entries, record
from mailer.accounts.models import AuditEntry


def test_an_act_is_recorded_with_who_what_and_where_from(session, make_account):
    li = make_account("li")
    record(
        session, by=li, action="relay.changed", subject_type="relay", subject_id=7, ip="2001:db8::1", fields=["host"]
    )
    session.commit()
    session.expunge_all()
    (entry,) = list_audit_entries(session, AuditFilter())
    assert (entry.account_id, entry.actor, entry.action) == (li.id, "li", "relay.changed")
    assert (entry.subject_type, entry.subject_id, entry.ip) == ("relay", 7, "2001:db8::1")
    assert entry.details == {"fields": ["host"]}
    assert abs(entry.at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_the_trail_keeps_the_name_as_it_was_then(session, make_account):
    li = make_account("li")
    record(session, by=li, action="list.created", subject_type="list", subject_id=1)
    session.commit()
    li.name = "Li Wei"
    session.commit()
    assert list_audit_entries(session, AuditFilter())[0].actor == "li"


def test_what_was_rolled_back_was_not_done(session):
    record(session, by=None, action="list.created", subject_type="list", subject_id=1)
    session.flush()
    session.rollback()
    assert list_audit_entries(session, AuditFilter()) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'me'", "DELETE FROM audit_entries"])
def test_the_database_refuses_to_change_the_trail(session, statement):
    record(session, by=None, action="list.created", subject_type="list", subject_id=1)
    session.commit()
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(statement))
    session.rollback()
    assert session.query(AuditEntry).count() == 1


@pytest.fixture
def trail(session, make_account):
    """Six entries: list 1 and list 2 by two people and the service."""
    people = [make_account("li"), make_account("wang"), None]
    for number, by in enumerate(people * 2):
        action = "list.created" if number < 3 else "list.changed"
        record(session, by=by, action=action, subject_type="list", subject_id=1 + number % 2)
        session.flush()
    session.commit()
    return people


def test_the_newest_act_comes_first(session, trail):
    ids = [entry.id for entry in list_audit_entries(session, AuditFilter())]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 6


def test_the_trail_is_narrowed_by_each_of_its_columns(session, trail):
    li = trail[0]
    assert {entry.actor for entry in list_audit_entries(session, AuditFilter(account_id=li.id))} == {"li"}
    assert len(list_audit_entries(session, AuditFilter(action="list.changed"))) == 3
    assert len(list_audit_entries(session, AuditFilter(subject_type="list", subject_id=2))) == 3
    assert list_audit_entries(session, AuditFilter(subject_type="relay")) == []
    assert len(list_audit_entries(session, AuditFilter(account_id=li.id, action="list.changed"))) == 1


def test_the_trail_is_narrowed_by_time_including_the_start_and_excluding_the_end(session, trail):
    entries = list(reversed(list_audit_entries(session, AuditFilter())))
    wanted = AuditFilter(since=entries[1].at, until=entries[3].at)
    assert [entry.id for entry in reversed(list_audit_entries(session, wanted))] == [entries[1].id, entries[2].id]


def test_pages_neither_skip_nor_repeat_while_the_trail_grows(session, trail):
    first = list_audit_entries(session, AuditFilter(), limit=2)
    record(session, by=None, action="list.archived", subject_type="list", subject_id=1)
    session.commit()
    second = list_audit_entries(session, AuditFilter(), before_id=first[-1].id, limit=2)
    third = list_audit_entries(session, AuditFilter(), before_id=second[-1].id, limit=50)
    ids = [entry.id for entry in (*first, *second, *third)]
    assert len(ids) == len(set(ids)) == 6
