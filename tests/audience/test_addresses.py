import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer import addresses
from mailer.audience.addresses import Address, mend, parse_address, readable
from mailer.errors import RuleError

MENDED = [
    ("ann@example.org", "ann@example.org"),
    ("  ann@example.org\u00a0", "ann@example.org"),
    ("ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ann@example.org"),
    ("ann＠example。org", "ann@example.org"),
    ("ann @ example . org", "ann@example.org"),
    ("ann@example.org\u3000", "ann@example.org"),
    ("\ufeffann@exam\u200bple.org", "ann@example.org"),
    ("mailto:ann@example.org", "ann@example.org"),
    ("MAILTO:ann%2Bnews@example.org?subject=Hello", "ann+news@example.org"),
    ("张三 <ann@example.org>", "ann@example.org"),
    ("<ann@example.org>", "ann@example.org"),
    ("＜ann@example.org＞", "ann@example.org"),
    ('"Ann, Dr." <ann@example.org>', "ann@example.org"),
    ("“ann@example.org”", "ann@example.org"),
    ("ann@example.org。", "ann@example.org"),
    ("ann@example.org;", "ann@example.org"),
    ("Ann@EXAMPLE.org", "Ann@example.org"),
    ("张三@例子.测试", "张三@xn--fsqu00a.xn--0zwm56d"),
    ("ann@reader.test", "ann@reader.test"),
]


@pytest.mark.parametrize(("typed", "email"), MENDED)
def test_what_people_type_and_paste_is_mended(typed: str, email: str) -> None:
    assert parse_address(typed).email == email


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "ann", "ann@", "@example.org", "ann@@example.org", "ann@example", "ann smith@example.org",
        "ann@example.org bob@example.org", "ann@example.org,bob@example.org", "ann@[127.0.0.1]", "ann@localhost",
        "ann@printer.local", "ann@nowhere.invalid", "ann..b@example.org", ".ann@example.org", "ann@exa mple.org",
        "ann@-example.org", "a" * 65 + "@example.org", "ann@" + "a" * 64 + ".org", "ann\x00@example.org",
        "ann@example.org\r\nBcc: bob@example.org", "ann@test",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse_address(typed)
    assert str(caught.value).endswith((".", "!"))


def test_the_compared_form_ignores_case_and_script_of_the_domain() -> None:
    assert parse_address("ANN@Example.ORG").key == "ann@example.org"
    assert parse_address("a@例子.测试").key == parse_address("A@XN--FSQU00A.xn--0zwm56d").key
    assert parse_address("Straße@example.org").key == parse_address("STRASSE@example.org").key
    # The two ways of writing é in Unicode are one.
    assert parse_address("e\u0301@example.org").key == parse_address("\u00e9@example.org").key


def test_an_address_is_shown_in_its_own_script_and_sent_to_in_ascii() -> None:
    address = parse_address("ann@例子.测试")
    assert address == Address("ann@xn--fsqu00a.xn--0zwm56d", "ann@xn--fsqu00a.xn--0zwm56d", "xn--fsqu00a.xn--0zwm56d")
    assert readable(address.email) == "ann@例子.测试"
    assert readable("ann@example.org") == "ann@example.org"
    assert readable("ann@xn--.org") == "ann@xn--.org"


LOCAL = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)


@given(local=LOCAL, blank=st.sampled_from(["", " ", "\u00a0", "\u3000", "\t", "\u200b"]))
def test_reading_an_address_twice_is_reading_it_once(local: str, blank: str) -> None:
    first = parse_address(f"{blank}{local}{blank}@{blank}example.org{blank}")
    assert first == parse_address(first.email)
    assert first.key == parse_address(first.key).key
    assert first.domain == "example.org"


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_clear_refusal(text: str) -> None:
    try:
        address = parse_address(text)
    except RuleError:
        return
    assert address.email.count("@") == 1
    assert address.domain.isascii()
    assert not any(sign.isspace() or not sign.isprintable() for sign in address.email)
    assert parse_address(address.email) == address


@given(
    st.one_of(
        st.from_regex(addresses._PLAIN, fullmatch=True),
        st.from_regex(r"[A-Za-z0-9.+_-]{1,70}@[A-Za-z0-9.-]{1,80}", fullmatch=True),
        st.emails(),
        st.text(max_size=30),
    )
)
def test_the_short_way_of_plain_addresses_leads_where_the_long_one_does(text: str) -> None:
    def judged(judge: Callable[[str], addresses.Address]) -> object:
        try:
            return judge(text)
        except RuleError as error:
            return error.message

    assert judged(parse_address) == judged(lambda text: addresses._judge(mend(text)))
