"""What is kept of a reader because a directory names them: shown to them, and forgotten in time."""

import datetime as dt

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience.directories.models import Directory, DirectoryFinding, DirectoryRun
from mailer.audience.models import SubscriberChange
from mailer.audience.preferences import get_preferences, save_preferences
from mailer.audience.rules import ChangeHow
from mailer.errors import RuleError
from mailer.newsletters.models import List
from mailer.newsletters.rules import Visibility
from mailer.privacy.copying import copy_of
from mailer.privacy.retention import sweep
from mailer.reports.timeline import get_timeline
from tests.audience.conftest import reader
from tests.audience.directories.conftest import Write, sync


def test_a_readers_copy_names_the_directories_that_have_them(
    session: Session, double: List, staff: Directory, write: Write
) -> None:
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    write("bob@example.org")
    sync(session, staff)
    copy = copy_of(session, reader(session).id)
    (member,) = copy["directories"]
    assert (member["directory"], member["value"]) == ("staff", "ann@example.org")
    assert member["joined_at"] < member["removed_at"]
    assert [(each["directory"], each["kind"]) for each in copy["directory_findings"]] == [
        ("staff", "new"), ("staff", "removed"),
    ]  # fmt: skip
    assert [consent["act"] for consent in copy["consents"]] == ["imported", "removed"]


def test_a_report_is_forgotten_in_time_and_its_counts_stay(session: Session, staff: Directory, write: Write) -> None:
    write("ann@example.org")
    run = sync(session, staff)
    sweep(session)
    assert session.scalar(select(func.count()).where(DirectoryFinding.run_id == run.id)) == 1
    session.execute(update(DirectoryRun).values(finished_at=func.now() - dt.timedelta(days=31)))
    assert sweep(session).refusals >= 1
    session.commit()
    assert session.scalar(select(func.count()).select_from(DirectoryFinding)) == 0
    assert session.get_one(DirectoryRun, run.id).counts["new"] == 1


def test_a_private_list_does_not_offer_itself_to_who_was_taken_off_it(
    session: Session, double: List, single: List, staff: Directory, write: Write
) -> None:
    double.visibility = Visibility.PRIVATE
    write("ann@example.org", "bob@example.org")
    sync(session, staff)
    token = links.make_preferences_token(reader(session).id)
    assert [choice.list.id for choice in get_preferences(session, token).choices] == [double.id, single.id]
    write("bob@example.org")
    sync(session, staff)
    assert [choice.list.id for choice in get_preferences(session, token).choices] == [single.id]
    with pytest.raises(RuleError):
        save_preferences(session, token, list_ids=[double.id], locale="zh_CN", name="")


def test_what_a_directory_changed_about_a_reader_is_told_with_its_name(
    session: Session, staff: Directory, write: Write
) -> None:
    write(("ann@example.org", "Ann", "Physics"), ("bob@example.org", "Bob", "Law"))
    sync(session, staff)
    ann = reader(session)
    assert not session.scalars(select(SubscriberChange)).all()
    write(("ann@example.org", "Ann Lee", "Chemistry"), ("bob@example.org", "Bob", "Law"))
    sync(session, staff)
    sync(session, staff)
    (change,) = session.scalars(select(SubscriberChange))
    assert (change.subscriber_id, change.how, change.directory_id) == (ann.id, ChangeHow.DIRECTORY, staff.id)
    (entry,) = [each for each in get_timeline(session, ann).entries if each.kind == "change"]
    assert (entry.what, entry.details["origin"], entry.details["by"]) == ("directory", "staff", "")
    assert ("name", "", "Ann", "Ann Lee") in entry.details["what"]
    assert [values for field, _, *values in entry.details["what"] if field == "attribute"] == [["Physics", "Chemistry"]]
