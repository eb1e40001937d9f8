"""What `mailer doctor` and the system page say about signatures."""

import pytest
from sqlalchemy.orm import Session

from mailer.dispatch.dkim import keys as dkim_keys
from mailer.newsletters.models import Newsletter
from mailer.reports import health
from mailer.reports.health import Verdict
from mailer.settings import get_settings


@pytest.fixture
def house(session: Session, monkeypatch: pytest.MonkeyPatch):
    """A newsletter and letters that both come from example.org."""
    monkeypatch.setenv("MAILER_SENDER_ADDRESS", "service@example.org")
    get_settings.cache_clear()
    session.add(Newsletter(slug="tech", title="T", sender_name="T", sender_address="tech@example.org"))
    session.commit()
    yield session
    monkeypatch.undo()
    get_settings.cache_clear()


def sign(session: Session, domain: str = "example.org") -> None:
    for key in dkim_keys.create_keys(session, domain, by=None):
        dkim_keys.activate(session, key, by=None)
    session.commit()


def test_unsigned_mail_is_a_warning_that_names_the_domains(house: Session) -> None:
    check = health._dkim()
    assert (check.verdict, check.params) == (Verdict.WARNING, {"domains": "example.org"})
    assert "mailer dkim create" in check.advice


def test_keys_that_wait_sign_nothing_yet(house: Session) -> None:
    dkim_keys.create_keys(house, "example.org", by=None)
    house.commit()
    assert health._dkim().verdict is Verdict.WARNING


def test_signed_mail_is_well(house: Session) -> None:
    sign(house)
    assert health._dkim().verdict is Verdict.WELL


def test_keys_that_cannot_be_read_are_a_failure(house: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sign(house)
    monkeypatch.setenv("MAILER_SECRET_KEY", "another secret key, long enough to be accepted")
    get_settings.cache_clear()
    check = health._dkim()
    assert (check.verdict, check.params) == (Verdict.FAILED, {"domains": "example.org"})
    assert "MAILER_SECRET_KEY" in check.message


def test_it_is_among_the_checks_of_the_doctor(house: Session) -> None:
    assert "DKIM" in [check.name for check in health.check_everything()]
