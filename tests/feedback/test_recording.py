import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.audience.models import Engagement
from mailer.feedback.events import Event
from mailer.feedback.models import Click, Open
from mailer.feedback.recording import record
from mailer.feedback.rules import Verdict
from tests.factories import SENT_AT, Sent, make_sent_mailing

SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 Version/17.4 Safari/605.1.15"


def event(sent: Sent, key: str, *, after: float = 600, link: int | None = None, agent: str = SAFARI) -> Event:
    return Event(
        event_key=key,
        at=SENT_AT + dt.timedelta(seconds=after),
        delivery_id=sent.deliveries[0].id,
        method="GET",
        user_agent=agent,
        ip="192.0.2.7",
        link=None if link is None else (sent.edition.id, link),
    )


def test_an_open_is_kept_with_its_verdict_and_told_to_the_audience(session: Session) -> None:
    sent = make_sent_mailing(session)
    assert record(session, event(sent, "a")) is True
    kept = session.scalars(select(Open)).one()
    assert (kept.delivery_id, kept.verdict, kept.user_agent, kept.ip) == (
        sent.deliveries[0].id, Verdict.HUMAN, SAFARI, "192.0.2.7",
    )  # fmt: skip
    facts = session.scalars(select(Engagement)).one()
    assert facts.last_open_at == kept.at
    assert facts.last_click_at is None


def test_an_event_handed_in_twice_counts_once(session: Session) -> None:
    sent = make_sent_mailing(session)
    assert [record(session, event(sent, "a", link=1)) for _ in range(2)] == [True, False]
    assert len(session.scalars(select(Click)).all()) == 1


def test_a_machines_open_is_kept_apart_and_is_no_engagement(session: Session) -> None:
    sent = make_sent_mailing(session)
    record(session, event(sent, "a", agent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"))
    assert session.scalars(select(Open.verdict)).one() == Verdict.MACHINE
    assert session.scalars(select(Engagement)).all() == []


def test_a_click_on_a_link_of_another_edition_leaves_nothing(session: Session) -> None:
    sent = make_sent_mailing(session)
    strange = event(sent, "a", link=1)
    foreign = Event(strange.event_key, strange.at, strange.delivery_id, "GET", SAFARI, None, (sent.edition.id + 1, 1))
    assert record(session, foreign) is False
    assert record(session, event(sent, "b", link=99)) is False
    assert session.scalars(select(Click)).all() == []


def test_an_unknown_delivery_leaves_nothing(session: Session) -> None:
    sent = make_sent_mailing(session)
    lost = event(sent, "a")
    assert record(session, Event("a", lost.at, 999_999, "GET", SAFARI, None)) is False


def test_three_links_within_ten_seconds_make_all_three_a_machines(session: Session) -> None:
    sent = make_sent_mailing(session)
    for seconds, link in ((600, 1), (603, 2), (606, 3)):
        record(session, event(sent, f"k{link}", after=seconds, link=link))
    assert {click.verdict for click in session.scalars(select(Click))} == {Verdict.MACHINE}


def test_three_links_in_a_quarter_of_an_hour_stay_a_persons(session: Session) -> None:
    sent = make_sent_mailing(session)
    for seconds, link in ((600, 1), (900, 2), (1200, 3)):
        record(session, event(sent, f"k{link}", after=seconds, link=link))
    assert {click.verdict for click in session.scalars(select(Click))} == {Verdict.HUMAN}


def test_a_newsletter_that_only_counts_keeps_nobody(session: Session) -> None:
    sent = make_sent_mailing(session, tracking="counts")
    assert record(session, event(sent, "a")) is True
    kept = session.scalars(select(Open)).one()
    assert (kept.delivery_id, kept.ip, kept.user_agent) == (None, None, "")
    assert session.scalars(select(Engagement)).all() == []


def test_a_newsletter_that_does_not_track_keeps_nothing(session: Session) -> None:
    sent = make_sent_mailing(session, tracking="off")
    assert record(session, event(sent, "a")) is False
    assert session.scalars(select(Open)).all() == []
