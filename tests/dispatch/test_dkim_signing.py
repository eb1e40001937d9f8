"""Every signature is judged by dkimpy, which has no line in common with ours."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.dispatch.dkim.rules import record_name, record_value
from mailer.dispatch.dkim.signing import (
    OVERSIGNED,
    VALID_SECONDS,
    Algorithm,
    Signer,
    SigningKey,
    relax_body,
    relax_field,
)
from mailer.press.letters import KINDS, compose_letter
from mailer.press.message import MessageTemplate, assemble
from mailer.press.slots import NAME, READER, UNSUBSCRIBE_URL, slot
from tests.dispatch.dkim_checking import verify
from tests.press.samples import DATE, IDENTITY, VALUES
from tests.press.test_letters import PARAMETERS, SENDER

GOLDEN = Path(__file__).parents[1] / "press" / "golden"
RSA = SigningKey("example.org", "spring-rsa", Algorithm.RSA, generate_private_key(65_537, 2048))
ED25519 = SigningKey("example.org", "spring-ed25519", Algorithm.ED25519, Ed25519PrivateKey.generate())
BOTH = (ED25519, RSA)
RECORDS = {
    f"{record_name(key.domain, key.selector)}.".encode(): record_value(
        key.algorithm, base64.b64encode(key.private.public_key().public_bytes(encoding, form)).decode()
    ).encode()
    for key, encoding, form in (
        (RSA, Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (ED25519, Encoding.Raw, PublicFormat.Raw),
    )
}
HTML = f'<p>你好，{slot(NAME)}</p><p>{"量子通信试验取得进展。" * 40}</p><a href="{slot(UNSUBSCRIBE_URL)}">退订</a>'
TEXT = f"{'量子通信试验取得进展。' * 30}\n\n你好，{slot(NAME)}\n退订：{slot(UNSUBSCRIBE_URL)}\n"


def make_template(subject: str = "科技参考 2026年第1期", text: str = TEXT, html: str = HTML) -> MessageTemplate:
    return assemble(subject, html, text, "zh_CN", IDENTITY, "https://news.example.org/n/water/issues/7")


def fill(template: MessageTemplate, *, name: str = "李雷", to: str = "lilei@example.com", number: int = 7) -> bytes:
    pieces = template.fill(
        to=to, to_name=name, message_id=f"<{number}.key@example.org>", date=DATE,
        slots={**VALUES, READER: f"reader-{number}"},
    )  # fmt: skip
    return b"".join(pieces)


def signer_of(template: MessageTemplate, *keys: SigningKey) -> Signer:
    return Signer(keys or BOTH, fixed_header=template.fixed_header, body_prefix=template.body_prefix)


def tags_of(message: bytes) -> list[dict[str, str]]:
    """The tags of each signature field, blanks out."""
    header = re.sub(rb"\r\n[ \t]+", b" ", message.partition(b"\r\n\r\n")[0]).decode()
    fields = [line.partition(":")[2] for line in header.split("\r\n") if line.startswith("DKIM-Signature:")]
    return [
        {name.strip(): re.sub(r"\s", "", value) for name, _, value in (tag.partition("=") for tag in field.split(";"))}
        for field in fields
    ]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.eml")), ids=lambda path: path.stem)
def test_every_themes_message_passes_with_both_algorithms(path: Path) -> None:
    assert verify(Signer(BOTH).sign(path.read_bytes()), RECORDS) == [True, True]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_every_letter_passes(kind: str, locale: str) -> None:
    raw = compose_letter(kind, locale, PARAMETERS[kind], SENDER, "lilei@example.com", "9@example.org", DATE)
    signed = Signer(BOTH).sign(raw)
    assert signed.endswith(raw)
    assert verify(signed, RECORDS) == [True, True]


def test_the_rsa_signature_comes_first_and_each_names_its_key() -> None:
    first, second = tags_of(Signer(BOTH).sign(fill(make_template())))
    assert (first["a"], first["s"], second["a"], second["s"]) == (
        "rsa-sha256", "spring-rsa", "ed25519-sha256", "spring-ed25519",
    )  # fmt: skip
    for tags in (first, second):
        assert (tags["v"], tags["c"], tags["d"]) == ("1", "relaxed/relaxed", "example.org")
        assert "l" not in tags
        assert int(tags["x"]) - int(tags["t"]) == VALID_SECONDS


def test_what_readers_and_providers_go_by_is_signed() -> None:
    listed = tags_of(Signer(BOTH).sign(fill(make_template())))[0]["h"].split(":")
    assert set(listed) >= {
        "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to", "list-id",
        "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
    }  # fmt: skip
    assert all(listed.count(name) == 2 for name in OVERSIGNED if name != "cc")
    assert listed.count("cc") == 1
    assert all(listed.count(name) == 1 for name in set(listed) - set(OVERSIGNED))


def test_signature_fields_are_folded() -> None:
    signed = Signer(BOTH).sign(fill(make_template()))
    ours = signed.partition(b"Date:")[0].split(b"\r\n")
    assert max(len(line) for line in ours) <= 76
    assert b"".join(ours).isascii()


@settings(max_examples=60)
@given(
    subject=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=120),
    name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=60),
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=200),
    local=st.sampled_from(["lilei", "o'brien+news", '"a b"', "李雷", "x" * 64]),
)
def test_whatever_headers_and_parts_hold_it_passes(subject: str, name: str, text: str, local: str) -> None:
    template = make_template(subject, text + slot(NAME) + text, HTML)
    signer = signer_of(template)
    for number in (1, 2):
        message = fill(template, name=name, to=f"{local}@example.com", number=number)
        assert verify(signer.sign(message), RECORDS) == [True, True]


@pytest.mark.parametrize("text", ["", "一", TEXT, "没有任何空位。" * 50, slot(NAME), slot(NAME) + "尾"])
def test_what_is_hashed_once_is_the_beginning_of_every_message(text: str) -> None:
    template = make_template(text=text)
    signer, plain = signer_of(template), Signer(BOTH)
    for number, name in enumerate(("李雷", "韩梅梅", "Li", ""), start=1):
        message = fill(template, name=name, number=number)
        body = message.partition(b"\r\n\r\n")[2]
        assert body.startswith(template.body_prefix)
        assert message.endswith(template.fixed_header + body)
        ours, theirs = (tags_of(some.sign(message))[0] for some in (signer, plain))
        assert (
            ours["bh"]
            == theirs["bh"]
            == base64.b64encode(hashlib.sha256(Relaxed.canonicalize_body(body)).digest()).decode()
        )
        assert verify(signer.sign(message), RECORDS) == [True, True]
    assert len(make_template(text="没有任何空位。" * 50).body_prefix) > 1000


TAMPERINGS: dict[str, Callable[[bytes], bytes]] = {
    "subject": lambda raw: raw.replace(b"Subject: ", b"Subject: Re: "),
    "from": lambda raw: raw.replace(b"<bulletin@example.org>", b"<bulletin@example.com>"),
    "a second from": lambda raw: b"From: x@example.com\r\n" + raw,
    "a second subject": lambda raw: b"Subject: win\r\n" + raw,
    "a second to": lambda raw: b"To: x@example.com\r\n" + raw,
    "a cc": lambda raw: b"Cc: x@example.com\r\n" + raw,
    "to": lambda raw: raw.replace(b"lilei@example.com", b"other@example.com"),
    "date": lambda raw: raw.replace(b"Date: ", b"Date: Mon, "),
    "unsubscribe": lambda raw: raw.replace(b"List-Unsubscribe: <https://", b"List-Unsubscribe: <http://"),
    "one-click": lambda raw: raw.replace(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""),
    "type": lambda raw: raw.replace(b"multipart/alternative", b"multipart/mixed"),
    "body": lambda raw: raw.replace(b"charset=utf-8", b"charset=utf-7"),
    "the end": lambda raw: raw + b"more\r\n",
    "lifetime": lambda raw: re.sub(rb"x=(\d+)", lambda match: b"x=%d" % (int(match[1]) + 1), raw),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_message_that_was_changed_fails(what: str) -> None:
    template = make_template()
    signed = signer_of(template).sign(fill(template))
    changed = TAMPERINGS[what](signed)
    assert changed != signed
    assert verify(changed, RECORDS) == [False, False]


def test_what_servers_on_the_way_may_do_does_no_harm() -> None:
    signed = Signer(BOTH).sign(fill(make_template()))
    relayed = b"Received: from a by b; Mon, 1 Jan 2026 00:00:00 +0000\r\n" + signed.replace(
        b"Subject: ", b"subject:  \t"
    ).replace(b"Precedence: bulk", b"Precedence: list")
    assert verify(relayed + b"\r\n\r\n", RECORDS) == [True, True]


def test_a_signature_tells_when_it_was_made_and_when_it_is_over() -> None:
    message = fill(make_template())
    (tags, _) = tags_of(b"".join(Signer(BOTH).fields(message, at=1_700_000_000)) + message)
    assert (tags["t"], tags["x"]) == ("1700000000", "1700604800")


def test_other_keys_under_the_names_fail() -> None:
    wrong = (
        SigningKey(RSA.domain, RSA.selector, RSA.algorithm, generate_private_key(65_537, 2048)),
        SigningKey(ED25519.domain, ED25519.selector, ED25519.algorithm, Ed25519PrivateKey.generate()),
    )
    assert verify(Signer(wrong).sign(fill(make_template())), RECORDS) == [False, False]


def test_without_a_key_nothing_is_added() -> None:
    message = fill(make_template())
    assert Signer(()).sign(message) == message


def test_a_message_of_another_template_is_hashed_from_its_beginning() -> None:
    mine, other = make_template(), make_template("别的", "别的正文", "<p>别的</p>")
    signer = signer_of(mine)
    assert verify(signer.sign(fill(mine)), RECORDS) == [True, True]
    assert verify(signer.sign(fill(other)), RECORDS) == [True, True]


def test_a_message_without_a_body_passes() -> None:
    assert verify(Signer(BOTH).sign(b"From: a@example.org\r\nSubject: x\r\n\r\n"), RECORDS) == [True, True]


def test_fields_of_one_name_are_signed_from_the_bottom_up() -> None:
    message = b"List-Help: <https://b.example>\r\nFrom: a@example.org\r\nList-Help: <https://a.example>\r\n\r\nx\r\n"
    signed = Signer(BOTH).sign(message)
    assert verify(signed, RECORDS) == [True, True]
    assert verify(signed.replace(b"https://b.", b"https://c."), RECORDS) == [False, False]


@given(st.binary(max_size=60) | st.text(" \t\r\na.", max_size=40).map(str.encode))
def test_bodies_are_relaxed_as_dkimpy_does_it(body: bytes) -> None:
    # As SMTP carries it: a body that is there at all ends with a line's end.
    body = re.sub(rb"\r\n|\r|\n", b"\r\n", body + b"\r\n")
    assert relax_body(body) == Relaxed.canonicalize_body(body)


@given(st.from_regex(rb"[A-Za-z-]{1,12}[ \t]{0,2}:([ \ta-z\xe4\xbd\xa0]|\r\n[ \t])*", fullmatch=True))
def test_fields_are_relaxed_as_dkimpy_does_it(field: bytes) -> None:
    name, value = field.split(b":", 1)
    ((theirs_name, theirs_value),) = Relaxed.canonicalize_headers([(name, value + b"\r\n")])
    assert relax_field(field) == (theirs_name.decode(), theirs_name + b":" + theirs_value)


def test_dkimpy_agrees_that_both_keys_are_sound() -> None:
    assert dkim.evaluate_pk(b"x", RECORDS[b"spring-rsa._domainkey.example.org."])[1] == 2048
