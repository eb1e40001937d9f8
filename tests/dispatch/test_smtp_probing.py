from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.dispatch.relays.probing import ADVICE, FAILURES, probe_now
from mailer.dispatch.smtp.transmission import RelayAddress
from tests.dispatch.sink import DROP, HANG, Answer, Sink
from tests.dispatch.wire import HASTY, make_certificate


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def test_a_relay_that_works_is_said_to_work(sink: Sink) -> None:
    found = probe_now(RelayAddress.from_url(sink.url, name="main"))
    assert found.is_ok
    assert (found.stage, found.code, found.is_tls) == ("noop", 250, False)
    assert found.greeting == "sink.test ESMTP ready"
    assert "PIPELINING" in found.offers
    assert found.in_words("en") == "The relay main takes mail."
    assert [command.split(" ")[0] for command in sink.commands] == ["EHLO", "NOOP", "QUIT"]
    assert sink.messages == []


def test_tls_and_signing_in_are_part_of_it(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with Sink(tls=certificate.context, users={"user": "secret"}) as sink:
        found = probe_now(RelayAddress.from_url(sink.url, ca_file=str(certificate.ca_file)))
    assert (found.is_ok, found.is_tls) == (True, True)


@pytest.mark.parametrize(
    ("stage", "answer", "words"),
    [
        ("greeting", "554 5.7.1 Go away", "554 5.7.1 Go away"),
        ("greeting", DROP, "lost"),
        ("greeting", HANG, "in time"),
        ("greeting", b"HTTP/1.1 400 Bad Request\r\n", "not an SMTP reply"),
        ("ehlo", "550 5.7.1 Who?", "550 5.7.1 Who?"),
        ("noop", DROP, "lost"),
        ("noop", "421 4.3.2 Shutting down", "421 4.3.2 Shutting down"),
    ],
)
def test_each_way_to_fail_is_said_with_what_to_do(sink: Sink, stage: str, answer: Answer, words: str) -> None:
    sink.answer(stage, answer)
    found = probe_now(RelayAddress.from_url(sink.url, name="main"), timeouts=HASTY)
    assert not found.is_ok
    assert found.stage == stage
    assert words in found.in_words("en")
    assert "main" in found.in_words("en")
    assert found.in_words("en").endswith(ADVICE[stage])
    sink.wait_for(lambda: sink.open == 0)


def test_nobody_there_a_wrong_password_and_missing_tls_are_told_apart(tmp_path: Path) -> None:
    with Sink() as sink:
        away = sink.url
        no_tls = probe_now(RelayAddress.from_url(sink.url.replace("smtp:", "smtp+starttls:")))
    nobody = probe_now(RelayAddress.from_url(away))
    with Sink(users={"user": "right"}) as sink:
        password = probe_now(RelayAddress.from_url(sink.url.replace("right", "wrong")))
    with Sink(tls=make_certificate(tmp_path).context, is_implicit_tls=True) as sink:
        untrusted = probe_now(RelayAddress.from_url(sink.url))
        no_file = probe_now(RelayAddress.from_url(sink.url, ca_file=str(tmp_path / "missing.pem")))
    assert [found.stage for found in (nobody, no_tls, password, untrusted, no_file)] == [
        "connect",
        "starttls",
        "auth",
        "starttls",
        "starttls",
    ]
    assert "certificate" in untrusted.in_words("en")
    assert "missing.pem" in no_file.in_words("en")
    assert "wrong" not in repr(password)


def test_every_step_has_its_words() -> None:
    assert set(FAILURES) == set(ADVICE) == {"connect", "greeting", "ehlo", "starttls", "auth", "noop"}
