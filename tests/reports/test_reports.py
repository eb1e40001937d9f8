import csv
import datetime as dt
import io
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from mailer.audience.spreadsheets import as_csv
from mailer.dispatch.rules import DeliveryState
from mailer.feedback.models import Click, Open
from mailer.feedback.rules import Verdict
from mailer.reports.figures import mailing_figures
from mailer.reports.ledger import COLUMNS, PAGE, export_deliveries, list_deliveries
from mailer.reports.series import opens_and_clicks
from tests.factories import SENT_AT, Sent, make_sent_mailing


def add_open(session: Session, sent: Sent, reader: int, *, hours: float = 1, verdict: Verdict = Verdict.HUMAN) -> None:
    at = SENT_AT + dt.timedelta(hours=hours)
    key = f"o{reader}-{hours}-{verdict}"
    delivery = sent.deliveries[reader].id
    session.add(Open(event_key=key, at=at, mailing_id=sent.mailing.id, delivery_id=delivery, verdict=verdict))


def add_click(session: Session, sent: Sent, reader: int, link: int, *, hours: float = 1) -> None:
    at = SENT_AT + dt.timedelta(hours=hours)
    delivery = sent.deliveries[reader].id
    session.add(
        Click(
            event_key=f"c{reader}-{link}-{hours}", at=at, mailing_id=sent.mailing.id, delivery_id=delivery,
            edition_id=sent.edition.id, link_ordinal=link, verdict=Verdict.HUMAN,
        )
    )  # fmt: skip


def test_people_are_counted_once_and_machines_apart(session: Session) -> None:
    sent = make_sent_mailing(session, readers=4)
    add_open(session, sent, 0)
    add_open(session, sent, 0, hours=5)
    add_open(session, sent, 1, verdict=Verdict.MACHINE)
    add_click(session, sent, 2, 1)
    session.flush()
    figures = mailing_figures(session, sent.mailing.id)
    assert figures.opens.people == {Verdict.HUMAN: 1, Verdict.MACHINE: 1, Verdict.UNSURE: 0}
    assert figures.opens.events[Verdict.HUMAN] == 2
    # Reader 2 clicked with pictures off: a reader all the same.
    assert (figures.readers, figures.accepted, figures.open_share) == (2, 4, 0.5)
    assert [(article.title, article.clicks.readers) for article in figures.articles] == [
        ("第1篇文章", 1),
        ("第2篇文章", 0),
    ]
    assert [(domain.provider, domain.roster, domain.accepted, domain.opened) for domain in figures.domains] == [
        ("other", 4, 4, 1)
    ]


def test_a_mailing_nobody_opened_has_zeros_and_no_division(session: Session) -> None:
    sent = make_sent_mailing(session, readers=0)
    figures = mailing_figures(session, sent.mailing.id)
    assert (figures.readers, figures.open_share, figures.opens.total) == (0, None, 0)
    assert opens_and_clicks(session, sent.mailing.id, ZoneInfo("Asia/Shanghai")).points == []


def test_the_series_runs_by_the_local_hour_without_gaps(session: Session) -> None:
    sent = make_sent_mailing(session)
    add_open(session, sent, 0, hours=0.5)
    add_open(session, sent, 1, hours=0.6, verdict=Verdict.MACHINE)
    add_click(session, sent, 0, 1, hours=2.5)
    session.flush()
    series = opens_and_clicks(session, sent.mailing.id, ZoneInfo("Asia/Shanghai"))
    assert series.step == "hour"
    assert [(point.at.hour, point.opens, point.clicks, point.machines) for point in series.points] == [
        (9, 1, 0, 1), (10, 0, 0, 0), (11, 0, 1, 0),
    ]  # fmt: skip


def test_a_long_series_runs_by_the_local_day(session: Session) -> None:
    sent = make_sent_mailing(session)
    add_open(session, sent, 0, hours=1)
    add_open(session, sent, 1, hours=24 * 5)
    session.flush()
    series = opens_and_clicks(session, sent.mailing.id, ZoneInfo("Asia/Shanghai"))
    assert series.step == "day"
    assert [point.opens for point in series.points] == [1, 0, 0, 0, 0, 1]


def test_pages_of_the_ledger_skip_and_repeat_nobody(session: Session) -> None:
    sent = make_sent_mailing(session, readers=2 * PAGE + 3)
    first = list_deliveries(session, sent.mailing.id)
    second = list_deliveries(session, sent.mailing.id, after=first.after)
    third = list_deliveries(session, sent.mailing.id, after=second.after)
    assert [len(page.deliveries) for page in (first, second, third)] == [PAGE, PAGE, 3]
    seen = [delivery.id for page in (first, second, third) for delivery in page.deliveries]
    assert seen == [delivery.id for delivery in sent.deliveries]
    assert (first.before, third.after) == (None, None)
    back = list_deliveries(session, sent.mailing.id, before=third.before)
    assert [delivery.id for delivery in back.deliveries] == [delivery.id for delivery in second.deliveries]


def test_the_ledger_is_searched_by_address_reply_code_and_state(session: Session) -> None:
    sent = make_sent_mailing(session, readers=3)
    refused = sent.deliveries[1]
    refused.state, refused.code, refused.reply = DeliveryState.REJECTED, 550, "5.1.1 100% unknown_user"
    session.flush()

    def found(**wish: object) -> list[int]:
        return [d.id for d in list_deliveries(session, sent.mailing.id, **wish).deliveries]  # type: ignore[arg-type]

    assert found(search="READER2@") == [refused.id]
    assert found(search="550") == [refused.id]
    assert found(search="100% unknown_") == [refused.id]
    assert found(search="%") == [refused.id]
    assert found(state=DeliveryState.REJECTED) == [refused.id]
    assert found(state=DeliveryState.EXPIRED) == []


def test_the_export_holds_everybody_and_no_formula(session: Session) -> None:
    sent = make_sent_mailing(session, readers=2)
    sent.deliveries[0].reply = "=HYPERLINK(1)"
    add_open(session, sent, 1)
    session.flush()
    text = b"".join(as_csv(COLUMNS, export_deliveries(session, sent.mailing.id))).decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["address"] for row in rows] == ["reader1@example.org", "reader2@example.org"]
    assert rows[0]["reply"] == "'=HYPERLINK(1)"
    assert rows[0]["lists"] == "每期速递"
    assert (rows[0]["opened_at"], rows[1]["opened_at"]) == ("", "2026-03-02T02:00:00+00:00")
