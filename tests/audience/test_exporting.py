import csv
import io

from mailer.audience.exporting import COLUMNS, Selection, export_refusals, export_subscriptions
from mailer.audience.headings import Source, Standing
from mailer.audience.import_models import ImportRefusal, ImportRun
from mailer.audience.layouts import propose
from mailer.audience.models import Segment, Subscriber
from mailer.audience.rules import SubscriptionState
from mailer.audience.spreadsheets import as_csv, as_xlsx
from mailer.audience.tables import detect_shape, read_rows
from mailer.db import now
from tests.web.admin_scene import make_list, make_readers


def table(rows) -> list[dict[str, str]]:
    text = b"".join(as_csv(COLUMNS, rows)).decode()
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
    assert len(table(export_subscriptions(session, Selection(list_id=weekly.id)))) == 2
    assert table(export_subscriptions(session, Selection(list_id=weekly.id + 1))) == []
    (row,) = table(export_subscriptions(session, Selection(state=SubscriptionState.UNSUBSCRIBED)))
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
    assert list(export_refusals(session, run.id, {"No.": "Never."})) == [(3, "=cmd|x", "Never.")]


def test_the_export_is_narrowed_by_a_part_of_the_address_and_by_a_segment(session):
    make_readers(session, make_list(session), 3)
    (row,) = table(export_subscriptions(session, Selection(search="Reader1")))
    assert row["email"] == "reader1@example.org"
    segment = Segment(name="x", tree={"is": "domain", "test": "equals", "value": "nowhere.test"})
    assert table(export_subscriptions(session, Selection(segment=segment), issue_times=lambda *_: None)) == []


def test_what_was_exported_is_recognised_and_leavers_in_it_are_not_brought_back(session):
    weekly = make_list(session)
    readers = make_readers(session, weekly, 3)
    readers[0].subscriptions[0].state = SubscriptionState.UNSUBSCRIBED
    readers[1].subscriptions[0].unsubscribed_at = now(session)
    readers[1].attributes = {"city": "北京"}
    session.commit()
    for write in (as_csv, as_xlsx):
        file = io.BytesIO(b"".join(write(COLUMNS, export_subscriptions(session))))
        (_, head), *rows = read_rows(file, detect_shape(file))
        layout = propose(head)
        read = [layout.read(line, cells) for line, cells in rows]
        assert layout.source is Source.MAILER
        assert [row.standing for row in read] == [Standing.LEFT, Standing.SUBSCRIBED, Standing.SUBSCRIBED]
        assert (read[1].attributes, read[1].locale) == ({"city": "北京"}, "zh_CN")
