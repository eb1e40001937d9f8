import csv
import io

from mailer.audience.exporting import COLUMNS, export_refusals, export_subscriptions
from mailer.audience.models import ImportRefusal, ImportRun, Subscriber
from mailer.audience.rules import SubscriptionState
from mailer.db import now
from tests.web.admin_scene import make_list, make_readers


def table(lines) -> list[dict[str, str]]:
    text = "".join(lines)
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_line_for_each_subscription_in_the_order_of_addresses(session):
    weekly = make_list(session)
    make_readers(session, weekly, 3)
    rows = table(export_subscriptions(session))
    assert [row["email"] for row in rows] == ["reader0@example.org", "reader1@example.org", "reader2@example.org"]
    assert set(rows[0]) == set(COLUMNS)
    assert (rows[0]["newsletter"], rows[0]["list"], rows[0]["state"]) == ("科技参考", "Weekly", "confirmed")


def test_the_export_is_narrowed_by_list_and_state(session):
    weekly = make_list(session)
    readers = make_readers(session, weekly, 2)
    readers[0].subscriptions[0].state = SubscriptionState.UNSUBSCRIBED
    session.commit()
    assert len(table(export_subscriptions(session, list_id=weekly.id))) == 2
    assert table(export_subscriptions(session, list_id=weekly.id + 1)) == []
    (row,) = table(export_subscriptions(session, state=SubscriptionState.UNSUBSCRIBED))
    assert row["email"] == "reader0@example.org"


def test_erased_readers_are_left_out(session):
    readers = make_readers(session, make_list(session), 2)
    readers[0].erased_at = now(session)
    session.commit()
    assert [row["email"] for row in table(export_subscriptions(session))] == ["reader1@example.org"]


def test_what_a_spreadsheet_would_run_is_made_plain(session):
    (reader,) = make_readers(session, make_list(session), 1)
    for name in ("=1+1", "+1", "-1", "@x", "\tx"):
        reader.name = name
        session.commit()
        (row,) = table(export_subscriptions(session))
        assert row["name"] == f"'{name}"


def test_names_with_commas_quotes_and_lines_stay_one_cell(session):
    (reader,) = make_readers(session, make_list(session), 1)
    reader.name = 'Li, "Wei"\nof the board'
    session.commit()
    (row,) = table(export_subscriptions(session))
    assert row["name"] == reader.name


def test_an_address_is_written_as_people_write_it(session):
    (reader,) = make_readers(session, make_list(session), 1)
    reader.email = "li@xn--fsqu00a.xn--fiqs8s"
    session.commit()
    (row,) = table(export_subscriptions(session))
    assert row["email"] == "li@例子.中国"
    assert session.get(Subscriber, reader.id).email == "li@xn--fsqu00a.xn--fiqs8s"


def test_the_report_of_refusals_has_line_value_and_reason(session):
    weekly = make_list(session)
    run = ImportRun(list_id=weekly.id, filename="x.csv", basis="consent", state="finished")
    session.add(run)
    session.flush()
    session.add(ImportRefusal(run_id=run.id, line=3, value="=cmd|x", email_key="=cmd|x", reason="No."))
    session.flush()
    report = export_refusals(session, run.id, ("Line", "Value", "Reason"), {"No.": "Never."})
    text = "".join(report).removeprefix("\ufeff")
    assert list(csv.reader(io.StringIO(text))) == [["Line", "Value", "Reason"], ["3", "'=cmd|x", "Never."]]
