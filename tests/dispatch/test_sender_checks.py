from collections.abc import Callable, Iterator

import dns.rcode
import pytest
from sqlalchemy.orm import Session

from mailer.dispatch.sender_checks import DomainStanding, Record, check_sender, get_standing
from tests.conftest import forget_settings
from tests.dispatch.name_server import NameServer
from tests.newsroom.making import make_newsletter

Ask = Callable[..., DomainStanding | None]


@pytest.fixture
def ask(session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    def standing(server: NameServer, sender: str = "news@news.example.org") -> DomainStanding | None:
        monkeypatch.setenv("MAILER_DNS_SERVER", server.address)
        forget_settings()
        newsletter = make_newsletter(session)
        newsletter.sender_address = sender
        return get_standing(session, newsletter)

    yield standing
    monkeypatch.undo()
    forget_settings()


def said(standing: DomainStanding | None) -> str:
    return " ".join(finding.message_in("en") for finding in check_sender(standing))


def test_records_that_are_there_are_believed(ask: Ask) -> None:
    records = {
        "news.example.org": ["other", "v=spf1 ip4:192.0.2.1 -all"],
        "_dmarc.news.example.org": ["v=DMARC1; p=none"],
    }
    with NameServer(records) as server:
        standing = ask(server)
    assert standing == DomainStanding("news.example.org", Record.PRESENT, Record.PRESENT, None)
    assert "No DKIM key signs for news.example.org" in said(standing)
    assert "SPF" not in said(standing)


def test_dmarc_of_the_domain_above_counts(ask: Ask) -> None:
    with NameServer({"_dmarc.example.org": ["v=DMARC1; p=reject"]}) as server:
        standing = ask(server)
    assert standing is not None
    assert (standing.spf, standing.dmarc) == (Record.MISSING, Record.PRESENT)
    assert "no SPF record" in said(standing)
    assert "_dmarc.org" not in server.asked


def test_what_is_missing_is_said_with_what_to_publish(ask: Ask) -> None:
    with NameServer({}) as server:
        words = said(ask(server))
    assert "no SPF record" in words
    assert "v=DMARC1; p=none" in words


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, None])
def test_a_server_that_does_not_answer_claims_nothing(ask: Ask, rcode: dns.rcode.Rcode | None) -> None:
    with NameServer({}, rcode=rcode) as server:
        standing = ask(server)
    assert standing == DomainStanding("news.example.org", Record.UNANSWERED, Record.UNANSWERED, None)
    assert "not known" in said(standing)
    assert "no SPF" not in said(standing)


def test_a_sender_that_is_no_address_is_an_error(ask: Ask) -> None:
    with NameServer({}) as server:
        assert "no address" in said(ask(server, sender="nonsense"))
