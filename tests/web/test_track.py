"""The pixel and the click always answer, and a click leads only where the edition leads."""

import pytest
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.feedback.models import Click, Open
from mailer.feedback.spooling import SPOOL, absorb
from tests.conftest import forget_settings
from tests.factories import Sent, make_sent_mailing
from tests.web.conftest import Visitor

SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1"


@pytest.fixture
def sent(session: Session) -> Sent:
    return make_sent_mailing(session)


def path_of(address: str) -> str:
    return address.removeprefix("http://127.0.0.1:8000")


def pixel(sent: Sent) -> str:
    return path_of(links.pixel_url(links.make_reader_token(sent.deliveries[0].id)))


def click(sent: Sent, reader: str | None = None) -> str:
    target = links.LinkTarget(sent.edition.id, 1, "https://example.org/1")
    return path_of(links.click_url(target, reader or links.make_reader_token(sent.deliveries[0].id)))


def test_the_pixel_is_a_picture_that_nobody_keeps_and_an_open_is_recorded(
    visitor: Visitor, session: Session, sent: Sent
) -> None:
    answer = visitor.client.get(pixel(sent), headers={"User-Agent": SAFARI})
    assert (answer.status_code, answer.mimetype) == (200, "image/gif")
    assert answer.data.startswith(b"GIF89a")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    kept = session.scalars(select(Open)).one()
    assert (kept.delivery_id, kept.verdict, kept.ip) == (sent.deliveries[0].id, "human", "127.0.0.1")


def test_a_forged_pixel_is_a_picture_too_and_leaves_nothing(visitor: Visitor, session: Session, sent: Sent) -> None:
    assert visitor.client.get("/o/forged.gif").status_code == 200
    assert session.scalars(select(Open)).all() == []


def test_a_head_of_the_pixel_is_a_machines(visitor: Visitor, session: Session, sent: Sent) -> None:
    visitor.client.head(pixel(sent), headers={"User-Agent": SAFARI})
    assert session.scalars(select(Open.verdict_reason)).one() == "method"


def test_a_click_is_recorded_and_leads_to_the_signed_address(visitor: Visitor, session: Session, sent: Sent) -> None:
    answer = visitor.client.get(click(sent), headers={"User-Agent": SAFARI})
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://example.org/1")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert session.scalars(select(Click.link_ordinal)).one() == 1


def test_a_click_whose_reader_got_lost_still_arrives(visitor: Visitor, session: Session, sent: Sent) -> None:
    answer = visitor.client.get(click(sent, "cut-off"))
    assert answer.headers["Location"] == "https://example.org/1"
    assert session.scalars(select(Click)).all() == []


def test_there_is_no_open_redirect(visitor: Visitor, sent: Sent) -> None:
    reader = links.make_reader_token(sent.deliveries[0].id)
    answer = visitor.client.get(f"/c/aHR0cHM6Ly9ldmlsLmV4YW1wbGU/{reader}")
    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_a_click_works_while_the_database_is_down_and_is_counted_later(
    visitor: Visitor, session: Session, sent: Sent, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    forget_settings()
    answer = visitor.client.get(click(sent), headers={"User-Agent": SAFARI})
    assert answer.headers["Location"] == "https://example.org/1"
    assert visitor.client.get(pixel(sent), headers={"User-Agent": SAFARI}).status_code == 200
    with Redis.from_url(redis) as client:
        assert client.llen(SPOOL) == 2
    monkeypatch.undo()
    forget_settings()
    assert absorb(session) == 2
    assert session.scalars(select(Click.verdict)).one() == "human"
