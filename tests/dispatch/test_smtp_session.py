"""How a session begins: greeting, EHLO, TLS, signing in. Against real sockets, on both event loops."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.dispatch.rules import Outcome
from mailer.dispatch.smtp.reply import Reply
from mailer.dispatch.smtp.session import Offers, Session, open_session
from mailer.dispatch.smtp.transmission import RelayAddress
from mailer.errors import DeferredError
from tests.dispatch.sink import DROP, Flood, Sink, Slow, Then
from tests.dispatch.wire import HASTY, LOOPS, PATIENT, Certificate, envelope, make_certificate, transmit


@pytest.fixture(params=sorted(LOOPS))
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def enter(relay: RelayAddress, loop: str = "uvloop", *, is_hasty: bool = False) -> Session:
    async def run() -> Session:
        session = await open_session(relay, HASTY if is_hasty else PATIENT)
        await session.connection.quit(5)
        return session

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(run())


def fault_of(relay: RelayAddress, loop: str = "uvloop", *, is_hasty: bool = False) -> DeferredError:
    with pytest.raises(DeferredError) as caught:
        enter(relay, loop, is_hasty=is_hasty)
    return caught.value


def test_a_greeting_of_many_lines_is_read_to_its_end(loop: str) -> None:
    with Sink(greeting="220 sink.test\nno spam\nready") as sink:
        session = enter(RelayAddress.from_url(sink.url), loop)
    assert session.greeting == "sink.test\nno spam\nready"
    assert {"PIPELINING", "SIZE", "8BITMIME"} <= session.offers.keywords
    assert session.offers.size == 10485760
    assert sink.commands[-1] == "QUIT"


def test_the_ehlo_name_is_ours_or_an_address_literal(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(RelayAddress.from_url(sink.url, ehlo_name="out.example.org"))
    monkeypatch.setattr("socket.gethostname", lambda: "no-full-name")
    enter(RelayAddress.from_url(sink.url))
    monkeypatch.setattr("socket.gethostname", lambda: "news.example.org")
    enter(RelayAddress.from_url(sink.url))
    enter(RelayAddress.from_url(sink.url, ehlo_name="bad name.example.org\r\nDATA"))
    said = [command for command in sink.commands if command.startswith("EHLO")]
    assert said == ["EHLO out.example.org", "EHLO [127.0.0.1]", "EHLO news.example.org", "EHLO [127.0.0.1]"]


def test_a_server_without_ehlo_is_greeted_the_old_way(sink: Sink, loop: str) -> None:
    sink.answer("ehlo", "502 5.5.1 Not implemented")
    (result,) = transmit(RelayAddress.from_url(sink.url), [envelope()], loop=loop)
    assert result.outcome is Outcome.ACCEPTED
    assert [command.split(" ")[0] for command in sink.commands] == ["EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert sink.messages[0].parameters == ""


@pytest.mark.parametrize(
    ("lines", "keywords", "size", "mechanisms"),
    [
        ((b"mx",), set(), 0, set()),
        ((b"mx", b"size 1000", b"Auth plain LOGIN"), {"SIZE", "AUTH"}, 1000, {"PLAIN", "LOGIN"}),
        ((b"mx", b"SIZE"), {"SIZE"}, 0, set()),
        ((b"mx", b"SIZE 0"), {"SIZE"}, 0, set()),
        ((b"mx", b"SIZE lots"), {"SIZE"}, 0, set()),
        ((b"mx", b"SIZE " + b"9" * 5000), {"SIZE"}, 0, set()),
        ((b"mx", b"AUTH=LOGIN", b"AUTH PLAIN"), {"AUTH"}, 0, {"LOGIN", "PLAIN"}),
        ((b"mx", b"", b"\xff\xfe X"), {"", "\ufffd\ufffd"}, 0, set()),
    ],
)
def test_what_ehlo_offers_is_read_with_patience(
    lines: tuple[bytes, ...], keywords: set[str], size: int, mechanisms: set[str]
) -> None:
    assert Offers.read(Reply(250, lines)) == Offers(frozenset(keywords), size, frozenset(mechanisms))


# --- turned away ---


@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
def test_a_relay_that_turns_us_away_is_quoted(sink: Sink, loop: str, stage: str) -> None:
    sink.answer(stage, "554 5.7.1 Go away\nand stay there")
    fault = fault_of(RelayAddress.from_url(sink.url), loop)
    assert (fault.stage, fault.code, fault.enhanced) == (stage, 554, "5.7.1")
    assert fault.reply == "5.7.1 Go away\nand stay there"


def test_nobody_listening_is_said_so(loop: str) -> None:
    with Sink() as sink:
        port = sink.port
    fault = fault_of(RelayAddress.from_url(f"smtp://127.0.0.1:{port}"), loop)
    assert fault.stage == "connect"
    assert "refused" in fault.reply.lower()


@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (DROP, "lost"),
        (Slow(0.25, "220 one byte at a time"), "in time"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not an SMTP reply"),
        (Flood(b"220-" + b"x" * 1000 + b"\r\n"), "longer than any honest one"),
        (Flood(b"2" * 100_000), "longer than any honest one"),
    ],
)
def test_a_server_that_says_nothing_sensible_is_left(
    sink: Sink, loop: str, stage: str, answer: Slow | Flood | bytes, words: str
) -> None:
    sink.answer(stage, answer)
    fault = fault_of(RelayAddress.from_url(sink.url), loop, is_hasty=isinstance(answer, Slow))
    assert fault.stage == stage
    assert words in fault.reply
    # A gigabyte was on offer: no more of it was taken than the sockets hold.
    assert sink.written < 50_000_000


# --- TLS ---


@pytest.mark.parametrize("is_implicit", [True, False])
def test_mail_goes_by_tls_when_told_so(certificate: Certificate, loop: str, *, is_implicit: bool) -> None:
    with Sink(tls=certificate.context, is_implicit_tls=is_implicit) as sink:
        relay = RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file))
        results = transmit(relay, [envelope(number) for number in range(30)], loop=loop)
    assert {(result.outcome, result.is_tls) for result in results} == {(Outcome.ACCEPTED, True)}
    assert {message.is_tls for message in sink.messages} == {True}


@pytest.mark.parametrize("is_implicit", [True, False])
def test_long_mail_goes_by_tls_too(certificate: Certificate, loop: str, *, is_implicit: bool) -> None:
    content = b"Subject: x\r\n\r\n" + b"line of text\r\n" * 100_000
    with Sink(tls=certificate.context, is_implicit_tls=is_implicit) as sink:
        relay = RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file))
        results = transmit(relay, [envelope(1, content=content), envelope(2, content=content)], loop=loop)
    assert [result.outcome for result in results] == [Outcome.ACCEPTED] * 2
    assert [message.content for message in sink.messages] == [content] * 2


@pytest.mark.parametrize("is_implicit", [True, False])
@pytest.mark.parametrize(
    ("name", "days", "is_trusted", "words"),
    [
        ("127.0.0.1", 1, False, "unable to get local issuer certificate"),
        ("127.0.0.2", 1, True, "IP address mismatch"),
        ("127.0.0.1", -1, True, "expired"),
    ],
)
def test_a_wrong_certificate_is_not_accepted(
    tmp_path: Path, loop: str, name: str, days: int, words: str, *, is_implicit: bool, is_trusted: bool
) -> None:
    wrong = make_certificate(tmp_path, name=name, days=days)
    with Sink(tls=wrong.context, is_implicit_tls=is_implicit, users={"user": "secret"}) as sink:
        relay = RelayAddress.from_url(sink.url, ca_file=str(wrong.ca_file) if is_trusted else None)
        fault = fault_of(relay, loop)
        (result,) = transmit(relay, [envelope()], loop=loop)
        sink.wait_for(lambda: sink.open == 0)
    assert fault.stage == "starttls"
    assert words in fault.reply
    assert (result.outcome, result.reply_class, result.is_relay_fault) == (Outcome.DEFERRED, "tls", True)
    assert not [command for command in sink.commands if command.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_authorities_that_cannot_be_read_are_a_fault_of_the_relay(certificate: Certificate, scheme: str) -> None:
    with Sink(tls=certificate.context, is_implicit_tls=scheme == "smtps") as sink:
        results = transmit(RelayAddress.from_url(sink.url, ca_file="missing.pem"), [envelope(n) for n in range(3)])
    assert {(r.outcome, r.reply_class, r.is_relay_fault) for r in results} == {(Outcome.DEFERRED, "tls", True)}
    assert "missing.pem" in results[0].reply


def test_a_certificate_may_go_unchecked_where_that_is_said(certificate: Certificate) -> None:
    with Sink(tls=certificate.context, is_implicit_tls=True) as sink:
        assert enter(RelayAddress.from_url(sink.url, is_verified=False)).is_tls


@pytest.mark.parametrize("greeting", [b"220 plain speaker\r\n", b"\x00\x01\x02 garbage"])
def test_tls_that_fails_is_a_fault_of_the_relay(loop: str, greeting: bytes) -> None:
    with Sink() as sink:
        sink.answer("greeting", Then(greeting, DROP))
        fault = fault_of(RelayAddress.from_url(f"smtps://127.0.0.1:{sink.port}"), loop)
    assert fault.stage == "starttls"


def test_without_starttls_on_offer_nothing_is_said_in_the_clear(sink: Sink, loop: str) -> None:
    relay = RelayAddress.from_url(f"smtp+starttls://user:secret@127.0.0.1:{sink.port}")
    fault = fault_of(relay, loop)
    assert fault.stage == "starttls"
    assert "does not offer STARTTLS" in fault.reply
    assert [command for command in sink.commands if not command.startswith(("EHLO", "QUIT"))] == []


def test_a_refused_starttls_is_quoted(certificate: Certificate) -> None:
    with Sink(tls=certificate.context) as sink:
        sink.answer("starttls", "454 4.7.0 TLS not available")
        fault = fault_of(RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file)))
    assert (fault.stage, fault.code) == ("starttls", 454)


@pytest.mark.parametrize("injected", [b"250 injected\r\n", b"250-half a"])
def test_words_slipped_in_before_tls_are_not_believed(certificate: Certificate, loop: str, injected: bytes) -> None:
    # RFC 3207 section 6; the family of CVE-2021-38371 and its like.
    with Sink(tls=certificate.context) as sink:
        sink.answer("starttls", b"220 Go ahead\r\n" + injected)
        fault = fault_of(RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file)), loop)
    assert fault.stage == "starttls"
    assert "unasked" in fault.reply


def test_a_handshake_that_never_comes_is_not_waited_for(certificate: Certificate, loop: str) -> None:
    with Sink(tls=certificate.context) as sink:
        sink.answer("starttls", "220 Go ahead, but I will not")
        hurry = HASTY.__class__(tls=0.3, greeting=20, command=20)

        async def run() -> None:
            await open_session(RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file)), hurry)

        with pytest.raises(DeferredError) as caught, asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
            runner.run(run())
    assert caught.value.stage == "starttls"


# --- signing in ---


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("has_tls", [True, False])
def test_each_way_of_signing_in_works(certificate: Certificate, mechanism: str, *, has_tls: bool) -> None:
    users = {"news@example.org": "pässwörd 密码"}
    with Sink(users=users, mechanisms=mechanism, tls=certificate.context if has_tls else None) as sink:
        relay = RelayAddress(
            "main",
            "127.0.0.1",
            sink.port,
            security="starttls" if has_tls else "none",
            username="news@example.org",
            password="pässwörd 密码",
            ca_file=str(certificate.ca_file),
        )
        (result,) = transmit(relay, [envelope()])
    assert result.outcome is Outcome.ACCEPTED
    assert sink.messages[0].username == "news@example.org"


def test_without_tls_the_password_is_not_shown_where_that_can_be_helped(certificate: Certificate) -> None:
    with Sink(users={"user": "secret"}) as sink:
        enter(RelayAddress.from_url(sink.url))
        assert "AUTH CRAM-MD5" in sink.commands
        assert not any(base64.b64encode(b"secret").decode() in command for command in sink.commands)
    with Sink(users={"user": "secret"}, tls=certificate.context) as sink:
        enter(RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file)))
        assert f"AUTH PLAIN {base64.b64encode(bytes(1) + b'user' + bytes(1) + b'secret').decode()}" in sink.commands


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_wrong_password_is_a_fault_of_the_relay(mechanism: str) -> None:
    with Sink(users={"user": "right"}, mechanisms=mechanism) as sink:
        relay = RelayAddress("main", "127.0.0.1", sink.port, username="user", password="wrong")
        fault = fault_of(relay)
        (result,) = transmit(relay, [envelope()])
    assert (fault.stage, fault.code) == ("auth", 535)
    assert (result.outcome, result.reply_class, result.is_relay_fault) == (Outcome.DEFERRED, "relay_access", True)
    assert sink.messages == []


@pytest.mark.parametrize(
    ("mechanisms", "words"), [("XOAUTH2 GSSAPI", "no way of signing in"), ("CRAM-MD5", "challenge cannot be read")]
)
def test_a_relay_we_cannot_sign_in_to_says_why(mechanisms: str, words: str) -> None:
    with Sink(users={"user": "secret"}, mechanisms=mechanisms) as sink:
        sink.answer("auth", b"334 not base64!\r\n")
        fault = fault_of(RelayAddress.from_url(sink.url))
    assert fault.stage == "auth"
    assert words in fault.reply
