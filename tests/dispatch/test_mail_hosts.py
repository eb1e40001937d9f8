"""Domains that take no mail: asked of a real name server on loopback, and what follows from its answers."""

from collections.abc import Iterator

import dns.rcode
import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience import entrance
from mailer.audience.door_models import MailDomain
from mailer.audience.importing import run_import, start_import
from mailer.audience.mail_domains import takes_no_mail
from mailer.audience.models import Subscriber
from mailer.audience.rules import DomainVerdict, Verdict
from mailer.dispatch import mail_hosts
from mailer.errors import RuleError
from mailer.newsletters.models import List
from tests.conftest import forget_settings
from tests.dispatch.name_server import NameServer

ZONE = {
    "example.org": {"MX": ["10 mail.example.org."]},
    "null.example": {"MX": ["0 ."]},
    "plain.example": {"A": ["192.0.2.1"]},
    "six.example": {"AAAA": ["2001:db8::1"]},
    "empty.example": {},
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """It is the DNS, and domains are asked about."""
    with NameServer({}, others=ZONE) as server:
        monkeypatch.setenv("MAILER_DNS_SERVER", server.address)
        monkeypatch.setenv("MAILER_CHECK_MX", "true")
        forget_settings()
        yield server
        monkeypatch.undo()
        forget_settings()


@pytest.fixture
def weekly(session: Session) -> List:
    newsletter = newsletters.create_newsletter(
        session, slug="tech", title="科技参考", sender_name="编辑部", sender_address="editor@example.org"
    )
    made = newsletters.create_list(session, newsletter, slug="weekly", name="周报")
    session.commit()
    return made


def knock(session: Session, weekly: List, email: str) -> Verdict:
    verdict = entrance.enter(session, entrance.Knock(email=email, list_ids=[weekly.id], locale="en", wording="x"))
    session.commit()
    return verdict


def verdicts(session: Session) -> dict[str, DomainVerdict | None]:
    session.rollback()
    session.expire_all()
    return {row.domain: row.verdict for row in session.scalars(select(MailDomain))}


@pytest.mark.parametrize(
    ("domain", "verdict"),
    [
        ("example.org", "accepts"),
        ("plain.example", "accepts"),
        ("six.example", "accepts"),
        ("null.example", "refuses"),
        ("empty.example", "refuses"),
        ("missing.example", "refuses"),
    ],
)
def test_what_the_dns_says_of_a_domain(server: NameServer, domain: str, verdict: str) -> None:
    assert mail_hosts.look_up(domain) == verdict


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, None])
def test_a_broken_or_silent_dns_says_nothing(
    monkeypatch: pytest.MonkeyPatch, server: NameServer, rcode: dns.rcode.Rcode | None
) -> None:
    monkeypatch.setattr(mail_hosts, "PATIENCE", 0.2)
    server.rcode = rcode
    assert mail_hosts.look_up("example.org") == DomainVerdict.UNKNOWN


def test_who_makes_the_same_mistake_again_is_told(
    session: Session, weekly: List, server: NameServer, redis: str
) -> None:
    assert knock(session, weekly, "ann@missing.example") is Verdict.LET_IN
    assert knock(session, weekly, "ann@example.org") is Verdict.LET_IN
    assert verdicts(session) == {"missing.example": None, "example.org": None}
    assert mail_hosts.check_domains() == 2
    assert verdicts(session) == {"missing.example": "refuses", "example.org": "accepts"}
    with pytest.raises(RuleError, match=r"No mail arrives at missing\.example"):
        knock(session, weekly, "bob@missing.example")
    session.rollback()
    assert knock(session, weekly, "bob@example.org") is Verdict.LET_IN
    asked = len(server.asked)
    assert mail_hosts.check_domains() == 0
    assert len(server.asked) == asked


def test_a_refusal_is_asked_about_again_and_believed_no_longer_than_two_days(
    session: Session, weekly: List, server: NameServer, redis: str
) -> None:
    knock(session, weekly, "ann@missing.example")
    mail_hosts.check_domains()
    server.others["missing.example"] = {"MX": ["10 mail.missing.example."]}
    session.execute(text("UPDATE mail_domains SET next_check_at = now()"))
    session.commit()
    mail_hosts.check_domains()
    assert verdicts(session) == {"missing.example": "accepts"}
    session.execute(text("UPDATE mail_domains SET verdict = 'refuses', checked_at = now() - interval '3 days'"))
    session.commit()
    assert not takes_no_mail(session, "missing.example")


def test_silence_does_not_overrule_what_was_said(
    session: Session, weekly: List, server: NameServer, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_hosts, "PATIENCE", 0.2)
    knock(session, weekly, "ann@missing.example")
    mail_hosts.check_domains()
    server.rcode = dns.rcode.SERVFAIL
    session.execute(text("UPDATE mail_domains SET next_check_at = now()"))
    session.commit()
    assert mail_hosts.check_domains() == 1
    assert verdicts(session) == {"missing.example": "refuses"}


def test_domains_of_imports_are_asked_about_and_those_of_nobody_forgotten(
    session: Session, weekly: List, server: NameServer
) -> None:
    run = start_import(
        session, list_id=weekly.id, filename="x.csv", content=b"a@plain.example\nb@plain.example\nc@null.example",
        basis="consent", by=None,
    )  # fmt: skip
    session.commit()
    run_import(run.id)
    assert mail_hosts.check_domains() == 2
    assert verdicts(session) == {"plain.example": "accepts", "null.example": "refuses"}
    session.execute(text("UPDATE mail_domains SET next_check_at = now()"))
    session.execute(delete(Subscriber).where(Subscriber.domain == "null.example"))
    session.commit()
    mail_hosts.check_domains()
    assert verdicts(session) == {"plain.example": "accepts"}


def test_nobody_is_asked_about_where_it_is_not_wanted(
    session: Session, weekly: List, server: NameServer, redis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_CHECK_MX", "false")
    forget_settings()
    assert knock(session, weekly, "ann@missing.example") is Verdict.LET_IN
    assert mail_hosts.check_domains() == 0
    assert (verdicts(session), server.asked) == ({}, [])
