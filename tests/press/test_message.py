"""Messages are judged by their bytes, as a receiving system would."""

import datetime as dt
import email
import email.policy
import re
from dataclasses import replace
from email.message import EmailMessage, Message
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CompositionError
from mailer.press.compiling import compile_edition
from mailer.press.message import MessageTemplate, assemble
from mailer.press.slots import (
    ADDRESS,
    NAME,
    PREFERENCES_URL,
    READER,
    UNSUBSCRIBE_URL,
    fill_html,
    fill_text,
    own_slot,
    own_values,
    slot,
)
from tests.press.samples import DATE, IDENTITY, ISSUE_URL, PIXEL_URL, VALUES, click_url, make_content

SUBJECT = make_content().subject
LETTERS = st.characters(blacklist_categories=("Cs", "Cc"))
NAMES = st.text(LETTERS, max_size=40)


def make_template(html: str = "<p>正文</p>", text: str = "正文\n", **changes: object) -> MessageTemplate:
    return assemble(SUBJECT, html, text, "zh_CN", replace(IDENTITY, **changes), ISSUE_URL)


def fill(template: MessageTemplate, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "to": "lilei@example.com",
        "to_name": "李雷",
        "message_id": "<7.1.abc@example.org>",
        "date": DATE,
        "slots": VALUES,
        **changes,
    }
    return b"".join(template.fill(**arguments))  # type: ignore[arg-type]


def parse(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def edition_message() -> bytes:
    """A whole tracked edition as it goes to one reader."""
    compiled = compile_edition(make_content(), click_url=click_url, pixel_url=PIXEL_URL)
    template = assemble(compiled.subject, compiled.html, compiled.text, compiled.language, IDENTITY, ISSUE_URL)
    return fill(template)


def test_every_header_of_a_bulk_mail_is_there_once(edition_message: bytes) -> None:
    message: Message = email.message_from_bytes(edition_message, policy=email.policy.compat32)
    expected = {
        "Reply-To": "editors@example.org",
        "Date": "Fri, 28 Mar 2025 00:30:00 +0000",
        "Message-ID": "<7.1.abc@example.org>",
        "MIME-Version": "1.0",
        "Content-Language": "zh-CN",
        "List-Unsubscribe": f"<{VALUES[UNSUBSCRIBE_URL]}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": "<https://news.example.org/n/water/>",
        "List-Owner": "<mailto:owner@example.org>",
        "List-Help": "<https://news.example.org/n/water/help>",
        "List-Post": "NO",
        "Archived-At": f"<{ISSUE_URL}>",
        "Feedback-ID": "7:1:water:mailer",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
    }
    for name, value in expected.items():
        assert message.get_all(name) == [value], name
    assert len(message.items()) == len(expected) + 5


def test_a_modern_parser_reads_names_subject_and_list(edition_message: bytes) -> None:
    message = parse(edition_message)
    assert message["Subject"] == SUBJECT
    assert message["From"].addresses[0].display_name == "水利信息摘编编辑部"
    assert message["From"].addresses[0].addr_spec == "bulletin@example.org"
    assert message["To"].addresses[0].display_name == "李雷"
    assert message["To"].addresses[0].addr_spec == "lilei@example.com"
    assert message["List-Id"].endswith("<all.water.example.org>")
    assert not message.defects
    for leaf in message.walk():
        assert not leaf.defects


def test_a_one_click_client_finds_the_address_by_its_line(edition_message: bytes) -> None:
    header = edition_message.split(b"\r\n\r\n")[0].decode("ascii")
    assert re.search(r"^List-Unsubscribe: <(https://[^>]+)>\r$", header, re.MULTILINE)
    assert re.search(r"^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$", header, re.MULTILINE)


def test_both_parts_are_base64_in_an_alternative_with_the_text_first(edition_message: bytes) -> None:
    message = parse(edition_message)
    assert message.get_content_type() == "multipart/alternative"
    kinds = [
        (leaf.get_content_type(), leaf.get_content_charset(), leaf["Content-Transfer-Encoding"])
        for leaf in message.iter_parts()
    ]
    assert kinds == [("text/plain", "utf-8", "base64"), ("text/html", "utf-8", "base64")]


def test_the_bytes_have_no_long_line_bare_line_end_or_leading_dot(edition_message: bytes) -> None:
    assert edition_message.isascii()
    assert edition_message.endswith(b"\r\n")
    lines = edition_message.split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert all(len(line) <= 78 for line in lines)
    assert not any(line.startswith(b".") for line in lines)
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ ]*\?=", edition_message))


def test_nothing_of_the_press_is_left_in_what_the_reader_gets(edition_message: bytes) -> None:
    message = parse(edition_message)
    for kind in ("html", "plain"):
        content = part(message, kind)
        assert "~mailer" not in content
        assert VALUES[UNSUBSCRIBE_URL] in content
        assert VALUES[PREFERENCES_URL] in content
        assert "lilei@example.com" in content
    assert f"https://news.example.org/o/{VALUES[READER]}.gif" in part(message, "html")


@given(
    name=NAMES, other=st.text(LETTERS, max_size=30), html=st.text(LETTERS, max_size=200), times=st.sampled_from([1, 99])
)
def test_filling_gives_what_building_from_filled_text_would(name: str, other: str, html: str, times: int) -> None:
    html, text = (
        escape(html * times) + slot(NAME) + "<br>" + slot(PREFERENCES_URL) + html[:7],
        f"{slot(NAME)}\n{html}\n{slot(ADDRESS)}\n",
    )
    slots = {**VALUES, PREFERENCES_URL: other}
    message = parse(fill(make_template(html, text), to_name=name, slots=slots))
    values = {NAME: name.strip() or "读者", ADDRESS: "lilei@example.com", **slots}
    raw_html = message.get_body(("html",)).get_payload(decode=True)  # type: ignore[union-attr]
    raw_text = message.get_body(("plain",)).get_payload(decode=True)  # type: ignore[union-attr]
    assert raw_html == fill_html(html, values).encode()
    assert raw_text == fill_text(text, values).replace("\n", "\r\n").encode()


def test_what_all_readers_share_is_not_copied_into_each_message() -> None:
    body = "<p>同样的正文</p>" * 400
    template = make_template(body + slot(NAME) + body, body + slot(ADDRESS))
    sent = {"message_id": "<7.1.abc@example.org>", "date": DATE, "slots": VALUES}
    one = template.fill(to="lilei@example.com", to_name="李雷", **sent)  # type: ignore[arg-type]
    other = template.fill(to="reader@例子.test", to_name="韩梅", **sent)  # type: ignore[arg-type]
    shared = {id(piece): len(piece) for piece in one}.items() & {id(piece): len(piece) for piece in other}.items()
    assert sum(length for _, length in shared) > 0.95 * sum(map(len, one))
    assert template.copied_bytes < 0.05 * sum(map(len, one))
    assert all(piece.isascii() for piece in (*one[1:], *other[1:]))


def test_only_the_first_piece_may_be_outside_ascii() -> None:
    """It is the only one that the wire looks at before it says BODY=8BITMIME."""
    body = "<p>同样的正文</p>" * 400
    template = make_template(body + slot(NAME), body, reply_to="编辑部@example.org")
    header, *rest = template.fill(
        to="lilei@example.com", to_name="李雷", message_id="<7.1.abc@example.org>", date=DATE, slots=VALUES
    )
    assert "编辑部@example.org".encode() in header
    assert all(piece.isascii() for piece in rest)


def test_values_are_never_markup() -> None:
    template = make_template(f'<a href="{slot(PREFERENCES_URL)}">{slot(NAME)}</a>', slot(NAME))
    raw = fill(
        template, to_name="<script>alert(1)</script>", slots={**VALUES, PREFERENCES_URL: 'https://x/"onclick="y'}
    )
    html = part(parse(raw), "html")
    assert "<script>" not in html
    assert html == '<a href="https://x/&quot;onclick=&quot;y">&lt;script&gt;alert(1)&lt;/script&gt;</a>'
    assert part(parse(raw), "plain") == "<script>alert(1)</script>"


def test_a_reader_without_a_name_is_called_one() -> None:
    raw = fill(make_template(slot(NAME), slot(NAME)), to_name=" ")
    assert part(parse(raw), "html") == "读者"
    assert parse(raw)["To"].addresses[0].display_name == ""
    english = assemble("No. 7", slot(NAME), slot(NAME), "en", IDENTITY, ISSUE_URL)
    assert part(parse(fill(english, to_name="")), "plain") == "reader"
    assert parse(fill(english))["Content-Language"] == "en"


@given(name=NAMES, department=st.text(LETTERS, max_size=30), fallback=st.text(LETTERS, max_size=30))
def test_what_a_reader_has_told_stands_in_the_message_and_else_the_fallback(
    name: str, department: str, fallback: str
) -> None:
    html = f"<p>{own_slot('department', fallback)}的{own_slot(NAME, fallback)}{own_slot('city')}</p>"
    attributes = {"department": department, "other": "x"}
    message = parse(fill(make_template(html, html), to_name=name, attributes=attributes))
    values = own_values(name, "lilei@example.com", attributes) | {NAME: name.strip() or "读者"}
    assert message.get_body(("html",)).get_payload(decode=True) == fill_html(html, values).encode()  # type: ignore[union-attr]
    assert message.get_body(("plain",)).get_payload(decode=True) == fill_text(html, values).encode()  # type: ignore[union-attr]


def test_a_template_knows_whether_it_shows_attributes() -> None:
    assert make_template(slot(NAME)).has_own is False
    assert make_template(own_slot("department")).has_own is True
    assert make_template("<p></p>", own_slot(NAME, "朋友")).has_own is True


def test_two_readers_get_different_messages_from_one_template() -> None:
    template = make_template(slot(READER) + "不变的正文" * 20 + slot(READER), slot(READER))
    one = fill(template, slots={**VALUES, READER: "one"})
    other = fill(template, slots={**VALUES, READER: "another"})
    assert part(parse(one), "html").count("one") == 2
    assert part(parse(other), "html").count("another") == 2
    assert fill(template, slots={**VALUES, READER: "one"}) == one


@pytest.mark.parametrize(
    "change",
    [
        {"to": "a@example.org\r\nBcc: b@example.org"},
        {"to_name": "李雷\r\nBcc: b@example.org"},
        {"message_id": "<1@example.org>\r\nBcc: b@example.org"},
        {"slots": {**VALUES, UNSUBSCRIBE_URL: "https://example.org/\r\nBcc: b@example.org"}},
    ],
)
def test_no_value_can_begin_another_header(change: dict[str, object]) -> None:
    with pytest.raises(CompositionError):
        fill(make_template(), **change)


@pytest.mark.parametrize(
    "change",
    [
        {"sender_name": "编辑部\r\nBcc: b@example.org"},
        {"sender_address": "b@example.org>\r\nBcc: c@example.org"},
        {"reply_to": "b@example.org\nX: y"},
        {"list_name": "摘编\nX: y"},
        {"list_id": "x.example.org>\r\nX: y"},
        {"archive_url": "https://example.org/\r\nX: y"},
        {"help_url": "javascript alert(1)"},
        {"owner_address": "o@example.org>\r\nX: y"},
        {"feedback_id": "1\r\nX: y"},
    ],
)
def test_no_part_of_an_identity_can_begin_another_header(change: dict[str, object]) -> None:
    with pytest.raises(CompositionError):
        make_template(**change)


def test_what_an_identity_leaves_empty_leaves_no_header() -> None:
    template = make_template(reply_to="", list_name="", archive_url="", help_url="", owner_address="", feedback_id="")
    message = parse(fill(template))
    for name in ("Reply-To", "List-Archive", "List-Help", "List-Owner", "Feedback-ID"):
        assert message[name] is None
    assert message["List-Id"] == "<all.water.example.org>"


def test_a_missing_slot_is_named() -> None:
    template = make_template(slot(READER))
    with pytest.raises(CompositionError) as caught:
        fill(template, slots={UNSUBSCRIBE_URL: "https://example.org/u/1"})
    assert caught.value.problems == ("The slot reader has no value.",)


def test_a_bulk_mail_without_an_unsubscribe_address_is_refused() -> None:
    with pytest.raises(CompositionError):
        fill(make_template(), slots={})


def test_a_slot_in_the_subject_is_refused() -> None:
    with pytest.raises(CompositionError):
        assemble(f"致{slot(NAME)}", "<p></p>", "", "zh_CN", IDENTITY, ISSUE_URL)


def test_a_date_needs_its_zone_and_goes_out_in_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        fill(make_template(), date=dt.datetime(2025, 3, 28, 8, 30))  # noqa: DTZ001
    local = dt.datetime(2025, 3, 28, 8, 30, 0, 999, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert b"\r\nDate: Fri, 28 Mar 2025 00:30:00 +0000\r\n" in b"\r\n" + fill(make_template(), date=local)


def test_an_international_reader_is_addressed_in_utf8_only_where_needed() -> None:
    assert fill(make_template(), to="li@例子.example").isascii()
    raw = fill(make_template(), to="王芳@例子.example")
    assert "王芳@xn--fsqu00a.example".encode() in raw.split(b"\r\n\r\n")[0]


def test_a_long_list_name_is_folded_and_kept() -> None:
    name = "示例市水利信息中心内部参考资料汇编（季度）"
    header = fill(make_template(list_name=name)).split(b"\r\n\r\n")[0]
    assert all(len(line) <= 76 for line in header.split(b"\r\n") if line.startswith((b"List-Id", b" =?")))
    assert b" <all.water.example.org>\r\n" in header + b"\r\n"
