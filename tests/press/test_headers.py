import email
import email.policy
import re
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CompositionError
from mailer.press import headers

# Everything a person may type into one line.
LINES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=200)
WORD = re.compile(r"=\?utf-8\?B\?[A-Za-z0-9+/]*=*\?=")


def lines_of(field: str) -> list[str]:
    assert field.endswith("\r\n")
    return field[:-2].split("\r\n")


def parse(field: str, policy: email.policy.Policy = email.policy.default) -> email.message.Message:
    return email.message_from_bytes(field.encode() + b"\r\n", policy=policy)


@given(LINES)
def test_a_subject_of_any_characters_comes_back_as_it_was(value: str) -> None:
    field = headers.unstructured("Subject", value)
    assert all(len(line) <= 76 for line in lines_of(field))
    assert all(len(word) <= 75 for word in WORD.findall(field))
    raw = parse(field, email.policy.compat32)["Subject"].replace("\r\n", "")
    assert str(make_header(decode_header(raw))) == value


@given(LINES.filter(str.strip))
def test_every_encoded_word_holds_whole_characters(value: str) -> None:
    for word in headers.encoded_words(value, 40):
        assert len(word) <= 75
        assert decode_header(word)[0][0].decode("utf-8")


@given(LINES.map(str.strip).filter(lambda name: "\\" not in name))
def test_a_display_name_of_any_characters_comes_back_with_its_address(name: str) -> None:
    field = headers.mailbox("From", name, "bulletin@example.org")
    assert all(len(line) <= 78 for line in lines_of(field))
    # The default policy puts a blank between encoded-words of a name (a bug of Python's); the old one does not.
    display, address = parseaddr(parse(field, email.policy.compat32)["From"].replace("\r\n", ""))
    assert address == "bulletin@example.org"
    assert str(make_header(decode_header(display))) == name
    assert parse(field)["From"].addresses[0].addr_spec == "bulletin@example.org"


def test_a_long_chinese_subject_is_folded_between_encoded_words() -> None:
    field = headers.unstructured("Subject", "水利信息摘编：" + "河套灌区春灌全面展开" * 8)
    lines = lines_of(field)
    assert len(lines) > 3
    assert all(line.startswith(" =?utf-8?B?") for line in lines[1:])


def test_a_plain_subject_is_folded_between_words_and_not_encoded() -> None:
    value = "Science Policy Review, No. 3: how a province builds its innovation system, step by step"
    field = headers.unstructured("Subject", value)
    assert "=?" not in field
    assert parse(field)["Subject"] == value


@pytest.mark.parametrize("value", ["=?utf-8?B?AAAA?=", "two  blanks", "x" * 100, " led by a blank"])
def test_what_a_reader_would_misunderstand_is_encoded(value: str) -> None:
    field = headers.unstructured("Subject", value)
    assert WORD.search(field)
    assert parse(field)["Subject"] == value


@pytest.mark.parametrize("value", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0b", "a\tb", "a\x7f"])
def test_a_control_character_is_refused_in_every_field(value: str) -> None:
    with pytest.raises(CompositionError):
        headers.unstructured("Subject", value)
    with pytest.raises(CompositionError):
        headers.mailbox("To", value, "reader@example.org")
    with pytest.raises(CompositionError):
        headers.mailbox("To", "", f"{value}@example.org")
    with pytest.raises(CompositionError):
        headers.url("List-Unsubscribe", f"https://example.org/{value}")
    with pytest.raises(CompositionError):
        headers.message_id(f"{value}@example.org")
    with pytest.raises(CompositionError):
        headers.list_id(f"{value}.example.org")


def test_a_broken_character_is_refused() -> None:
    with pytest.raises(CompositionError):
        headers.unstructured("Subject", "half a pair \ud83d")


def test_a_name_with_specials_is_quoted() -> None:
    field = headers.mailbox("To", 'Li, "Lei" (QA)', "lilei@example.org")
    assert field == 'To: "Li, \\"Lei\\" (QA)" <lilei@example.org>\r\n'


def test_an_address_without_a_name_stands_bare() -> None:
    assert headers.mailbox("To", "  ", "lilei@example.org") == "To: lilei@example.org\r\n"


def test_an_international_domain_goes_out_in_a_labels() -> None:
    assert headers.header_address("info@例子.example") == "info@xn--fsqu00a.example"
    assert headers.header_address("info@EXAMPLE.org") == "info@EXAMPLE.org"


def test_a_chinese_local_part_stays_as_typed_and_asks_for_smtputf8() -> None:
    assert headers.header_address("王芳@例子.example") == "王芳@xn--fsqu00a.example"
    assert headers.needs_smtputf8("王芳@example.org")
    assert not headers.needs_smtputf8("wangfang@例子.example")


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "@example.org", "a b@example.org", "a@b@example.org", "a@exa mple.org", "a@<>", "a@-x.org"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(CompositionError):
        headers.header_address(address)


def test_a_quoted_local_part_is_an_address() -> None:
    assert headers.header_address('"a b"@example.org') == '"a b"@example.org'


def test_a_long_unsubscribe_address_stays_whole_on_its_line() -> None:
    address = "https://news.example.org/u/" + "x" * 300
    field = headers.url("List-Unsubscribe", address, is_folded=False)
    assert field == f"List-Unsubscribe: <{address}>\r\n"
    assert parse(field)["List-Unsubscribe"] == f"<{address}>"


def test_other_long_addresses_begin_a_line_of_their_own() -> None:
    address = "https://news.example.org/n/" + "x" * 45
    assert lines_of(headers.url("Archived-At", address)) == ["Archived-At:", f" <{address}>"]


@pytest.mark.parametrize("address", ["", "news.example.org", "https://x/ y", "https://x/<y>", "https://例子.example/"])
def test_an_address_that_would_need_encoding_is_refused(address: str) -> None:
    with pytest.raises(CompositionError):
        headers.url("List-Archive", address)


def test_an_address_beyond_the_hard_limit_is_refused() -> None:
    with pytest.raises(CompositionError):
        headers.url("List-Archive", "https://example.org/" + "x" * 1000)
    with pytest.raises(CompositionError):
        headers.url("List-Unsubscribe", "https://example.org/" + "x" * 1000, is_folded=False)


def test_a_message_id_may_come_with_or_without_brackets() -> None:
    assert headers.message_id("1.a@example.org") == headers.message_id("<1.a@example.org>")


@pytest.mark.parametrize("value", ["", "no-host", "a@b>x", "a b@c"])
def test_a_malformed_message_id_is_refused(value: str) -> None:
    with pytest.raises(CompositionError):
        headers.message_id(value)


@pytest.mark.parametrize(
    "value", ["", "nodots", "https://list.example.org", "a..example.org", "x" * 250 + ".example.org"]
)
def test_a_malformed_list_id_is_refused(value: str) -> None:
    with pytest.raises(CompositionError):
        headers.list_id(value)
