import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.dispatch.smtp.message import path, stuff
from mailer.press.message import assemble
from mailer.press.slots import NAME, UNSUBSCRIBE_URL, slot
from tests.press.samples import DATE, IDENTITY, ISSUE_URL


def received(stuffed: bytes) -> bytes:
    """What a receiver keeps of DATA: up to the first line with a single dot, one leading dot less per line."""
    stream = stuffed + b".\r\n"
    content, end, rest = (b"\r\n" + stream).partition(b"\r\n.\r\n")
    assert end, "the final dot was not found"
    assert rest == b"", "something was left after the final dot: it would be taken for commands"
    return re.sub(rb"\r\n\.", b"\r\n", content + b"\r\n")[2:]


def canonical(content: bytes) -> bytes:
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    return lines if not lines or lines.endswith(b"\r\n") else lines + b"\r\n"


bodies = st.lists(
    st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"..", b"a", b".\r\n", b"\n.\n", b"\r.\r"]), max_size=30
).map(b"".join)


@given(bodies)
@example(b".")
@example(b"\r\n.\r\n")
@example(b"a\n.\nMAIL FROM:<evil@example.org>\n")
@example(b"a\r\n.\rRCPT")
@example(b"soft=\r\n.break")
def test_whatever_is_stuffed_arrives_whole_and_ends_nowhere_else(content: bytes) -> None:
    assert received(stuff(content)) == canonical(content)


@given(bodies)
def test_no_receiver_that_takes_bare_breaks_for_lines_can_be_fooled(content: bytes) -> None:
    stuffed = stuff(content)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", stuffed)
    assert not re.search(rb"(\A|\r\n)\.(\r\n|\Z)", stuffed)


def test_content_without_dots_is_not_copied() -> None:
    content = b"Subject: x\r\n\r\nHello\r\n"
    assert stuff(content) is content


printable = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60)
dotted = st.lists(st.one_of(printable, st.sampled_from([".", "..", "\n.\n", "\r\n.\r\n"])), max_size=8).map("".join)


@given(html=dotted, text=dotted, name=printable)
def test_what_the_press_makes_needs_no_stuffing(html: str, text: str, name: str) -> None:
    template = assemble(".Subject", html + slot(NAME), text + slot(NAME), "zh_CN", IDENTITY, ISSUE_URL)
    filled = template.fill(
        to="reader@example.org",
        to_name=name,
        message_id="<.1@example.org>",
        date=DATE,
        slots={UNSUBSCRIBE_URL: "https://news.example.org/.u"},
    )
    message = b"".join(filled)
    assert stuff(message) == message


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("", b""),
        ("reader@example.org", b"reader@example.org"),
        ("Reader.Name+tag@example.org", b"Reader.Name+tag@example.org"),
        ("reader@例子.test", b"reader@xn--fsqu00a.test"),
        ("读者@example.org", "读者@example.org".encode()),
        ('"odd name"@example.org', b'"odd name"@example.org'),
        ("bounce-1=a=b@example.org", b"bounce-1=a=b@example.org"),
        ("reader@[127.0.0.1]", b"reader@[127.0.0.1]"),
        ("root@localhost", b"root@localhost"),
        ("o'brien@example.org", b"o'brien@example.org"),
    ],
)
def test_an_address_is_written_as_typed_and_its_domain_in_ascii(address: str, written: bytes) -> None:
    assert path(address) == written


@pytest.mark.parametrize(
    "address",
    [
        "reader",
        "@example.org",
        "reader@",
        "a b@example.org",
        "a\r\nRCPT TO:<x@example.org>@example.org",
        "a@example.org>\r\nDATA",
        "a@example.org> SIZE=1",
        "<a@example.org>",
        "a@b@example.org",
        "a@exam ple.org",
        "a\x00@example.org",
        '"a\r\nb"@example.org',
        "a@-example.org",
        "a@例子..test",
        "a@" + "x" * 330 + ".org",
        "a\u00a0b@example.org",
    ],
)
def test_what_cannot_be_written_in_smtp_is_refused(address: str) -> None:
    assert path(address) is None


@given(st.text(max_size=60))
def test_no_address_breaks_out_of_its_brackets(address: str) -> None:
    written = path(address)
    assert written is None or not re.search(rb"[\r\n\x00<>]|(?<!\")\x20(?!.*\")", written)
