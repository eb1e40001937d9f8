"""The capturing mailbox, as its own process, spoken to over a real SMTP connection."""

import asyncio
import email
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.embedded.mailbox import MOST_BYTES, BulkSMTP, Keeper
from mailer.embedded.processes import wait_until
from mailer.embedded.service import find_free_port
from mailer.maildir import Maildir

MESSAGE = (
    b"From: news@example.org\r\nTo: a@example.org\r\nSubject: =?utf-8?b?56ys5Lmd5pyf?=\r\n"
    b"\r\n.leading dot\r\n..two\r\nend\r\n"
)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    number = find_free_port()
    command = [sys.executable, "-m", "mailer.embedded.mailbox", str(tmp_path / "mail"), str(number)]
    with subprocess.Popen(command) as process:
        try:
            assert wait_until(lambda: is_listening(number) or process.poll() is not None, 20)
            assert process.poll() is None
            yield number
        finally:
            process.terminate()
            assert process.wait(10) == 0, "SIGTERM ends it in order"


@pytest.fixture
def client(port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        yield client


@pytest.fixture
def maildir(tmp_path: Path) -> Maildir:
    return Maildir(tmp_path / "mail")


def test_a_message_arrives_byte_for_byte_under_its_envelope(client: smtplib.SMTP, maildir: Maildir) -> None:
    client.ehlo("sender.example")
    client.sendmail("bounce+1@example.org", ["li.fang@example.org"], MESSAGE)
    [(key, content)] = maildir.read_all()
    assert content.endswith(MESSAGE), "dots are unstuffed, line ends are kept"
    parsed = email.message_from_bytes(content)
    assert parsed["Return-Path"] == "<bounce+1@example.org>"
    assert parsed["Delivered-To"] == "li.fang@example.org"
    assert "from sender.example ([127.0.0.1])" in parsed["Received"]
    assert maildir.get(key).summary.subject == "第九期"


def test_each_recipient_has_a_copy_of_their_own(client: smtplib.SMTP, maildir: Maildir) -> None:
    client.sendmail("", ["a@example.org", "b@example.org"], MESSAGE)
    parsed = [email.message_from_bytes(content) for _, content in maildir.read_all()]
    assert sorted(each["Delivered-To"] for each in parsed) == ["a@example.org", "b@example.org"]
    assert {each["Return-Path"] for each in parsed} == {"<>"}


def test_what_it_offers_it_keeps(client: smtplib.SMTP, port: int, maildir: Maildir) -> None:
    client.ehlo()
    assert {"size", "8bitmime", "smtputf8", "pipelining"} <= client.esmtp_features.keys()
    envelope = "MAIL FROM:<a@example.org> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<读者@例子.example>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw, raw.makefile("rb") as replies:
        raw.sendall(b"EHLO pipelined.example\r\n")
        lines = [replies.readline()]
        while not lines[-1].startswith(b"250 "):
            lines.append(replies.readline())
        raw.sendall(envelope.encode())
        codes = [replies.readline()[:3] for _ in range(3)]
        raw.sendall("Subject: 直接八位\r\n\r\n正文\r\n.\r\nQUIT\r\n".encode())
        codes += [replies.readline()[:3] for _ in range(2)]
    assert codes == [b"250", b"250", b"354", b"250", b"221"]
    [(_, content)] = maildir.read_all()
    assert "Delivered-To: 读者@例子.example".encode() in content
    assert "正文".encode() in content


def test_many_messages_over_one_connection_all_arrive(client: smtplib.SMTP, maildir: Maildir) -> None:
    for number in range(300):
        client.sendmail("news@example.org", [f"reader{number}@example.org"], MESSAGE)
    recipients = {email.message_from_bytes(content)["Delivered-To"] for _, content in maildir.read_all()}
    assert len(recipients) == 300


def test_too_large_a_message_and_too_many_recipients_are_refused_with_a_reason(client: smtplib.SMTP) -> None:
    client.ehlo()
    assert client.mail("news@example.org", ["SIZE=999999999"])[0] == 552
    client.rset()
    client.mail("news@example.org")
    for number in range(1000):
        assert client.rcpt(f"reader{number}@example.org")[0] == 250
    code, reply = client.rcpt("one.more@example.org")
    assert (code, reply) == (452, b"4.5.3 Too many recipients")


def test_a_mailbox_that_cannot_be_written_defers(client: smtplib.SMTP, maildir: Maildir) -> None:
    maildir.folder.write_text("a file stands in the way")
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        client.sendmail("news@example.org", ["a@example.org"], MESSAGE)
    assert refusal.value.smtp_code == 452


def test_a_busy_port_is_one_sentence(port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mailer.embedded.mailbox", str(tmp_path / "other"), str(port)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert second.returncode == 1
    assert second.stderr.splitlines() == [f"Port {port}, where the mailbox would listen, is in use."]


def test_an_empty_message_is_a_message(client: smtplib.SMTP, maildir: Maildir) -> None:
    client.ehlo()
    client.mail("news@example.org")
    client.rcpt("a@example.org")
    assert client.docmd("DATA")[0] == 354
    assert client.docmd(".")[0] == 250
    [(_, content)] = maildir.read_all()
    assert email.message_from_bytes(content).get_payload() == ""


def test_data_out_of_its_turn_is_refused_and_the_conversation_goes_on(client: smtplib.SMTP, maildir: Maildir) -> None:
    assert client.docmd("DATA")[0] == 503
    client.ehlo()
    assert client.docmd("DATA")[0] == 503
    client.mail("news@example.org")
    client.rcpt("a@example.org")
    assert client.docmd("DATA", "now")[0] == 501
    assert client.data(MESSAGE)[0] == 250
    assert maildir.count() == 1


def test_a_message_that_turns_out_too_large_is_refused_and_the_next_one_taken(
    client: smtplib.SMTP, maildir: Maildir
) -> None:
    client.ehlo()
    client.mail("news@example.org")
    client.rcpt("a@example.org")
    assert client.docmd("DATA")[0] == 354
    assert client.sock
    lines = (b"x" * 1022 + b"\r\n") * 1024
    for _ in range(MOST_BYTES // len(lines) + 1):
        client.sock.sendall(lines)
    assert client.docmd(".") == (552, b"5.3.4 Too large a message")
    client.sendmail("news@example.org", ["a@example.org"], MESSAGE)
    assert maildir.count() == 1


def unstuffed(stuffed: bytes) -> bytes:
    """As RFC 5321 section 4.5.2 says it, a line at a time."""
    return b"\r\n".join(line.removeprefix(b".") for line in stuffed.split(b"\r\n"))


@given(
    lines=st.lists(st.text(alphabet=".a\r\n", max_size=5).map(str.encode), max_size=12),
    following=st.sampled_from([b"", b"QUIT\r\n", b"MAIL FROM:<a@example.org>\r\n.\r\n"]),
    cuts=st.lists(st.integers(0, 80), max_size=6),
)
def test_content_ends_at_the_final_dot_however_the_network_cuts_it(
    lines: list[bytes], following: bytes, cuts: list[int]
) -> None:
    sent = b"".join(line + b"\r\n" for line in lines) + b".\r\n" + following
    content, _, rest = (b"\r\n" + sent).partition(b"\r\n.\r\n")
    pieces = [sent[start:end] for start, end in pairwise([0, *sorted(cuts), len(sent)])]

    async def receive() -> tuple[bytes | None, bytes]:
        server = BulkSMTP(Keeper(Maildir(Path("unused"))), decode_data=False, loop=asyncio.get_running_loop())
        server._reader = asyncio.StreamReader(limit=2**20)
        reading = asyncio.ensure_future(server._read_content())
        for piece in pieces:
            server._reader.feed_data(piece)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        got = await reading
        server._reader.feed_eof()
        return got, await server._reader.read()

    assert asyncio.run(receive()) == (unstuffed(content)[2:] + (b"\r\n" if len(content) > 0 else b""), rest)
