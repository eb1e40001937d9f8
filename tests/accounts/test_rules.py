import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.accounts.rules import (
    MAX_NAME,
    AccountEvent,
    AccountState,
    Role,
    clean_name,
    is_acting_admin,
    next_state,
    normalise_password,
    order_roles,
    password_problem,
)

INVITED, ACTIVE, DISABLED = AccountState.INVITED, AccountState.ACTIVE, AccountState.DISABLED
# (state, event) -> the state after it, for an account that has a password where it must have one.
ALLOWED = {
    (INVITED, AccountEvent.ACCEPT): ACTIVE,
    (INVITED, AccountEvent.INVITE_AGAIN): INVITED,
    (INVITED, AccountEvent.DISABLE): DISABLED,
    (ACTIVE, AccountEvent.RESET): ACTIVE,
    (ACTIVE, AccountEvent.DISABLE): DISABLED,
    (DISABLED, AccountEvent.ENABLE): ACTIVE,
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(AccountState, AccountEvent)))
def test_every_state_meets_every_event(state, event):
    assert next_state(state, event, has_password=True) == ALLOWED.get((state, event))


def test_an_account_that_never_had_a_password_is_only_invited_when_enabled_again():
    assert next_state(DISABLED, AccountEvent.ENABLE, has_password=False) == INVITED


def test_roles_are_kept_once_each_and_in_one_order():
    assert order_roles(["admin", "editor", "admin"]) == [Role.EDITOR, Role.ADMIN]


def test_a_word_that_is_no_role_is_refused():
    with pytest.raises(ValueError, match="owner"):
        order_roles(["owner"])


@pytest.mark.parametrize(
    ("state", "roles", "expected"),
    [
        (ACTIVE, ["admin"], True),
        (ACTIVE, ["editor", "admin"], True),
        (ACTIVE, ["editor", "approver"], False),
        (INVITED, ["admin"], False),
        (DISABLED, ["admin"], False),
    ],
)
def test_only_an_active_account_with_the_role_is_an_acting_admin(state, roles, expected):
    assert is_acting_admin(state, roles) is expected


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Li   Wei ", "Li Wei"),
        ("李\u3000伟", "李 伟"),
        ("Li\r\nBcc: everybody@example.org", "Li Bcc: everybody@example.org"),
        ("\u200b\t", ""),
        ("x" * 500, "x" * MAX_NAME),
    ],
)
def test_a_name_is_one_line_without_invisible_signs(typed, kept):
    assert clean_name(typed) == kept


@given(st.text())
def test_a_cleaned_name_is_printable_and_stays_as_it_is(text):
    name = clean_name(text)
    assert name.isprintable()
    assert len(name) <= MAX_NAME
    assert clean_name(name) == name


def problem(password, email="li.wei@example.org", name="Li Wei"):
    found = password_problem(password, email=email, name=name)
    return None if found is None else found[0] % found[1]


@pytest.mark.parametrize(
    "password",
    [
        "kite-river-otter-lamp",
        "只有我自己知道的一句话",
        "all lower case and blanks",
        "8361947205",
        "x" * 3 + "yzab" * 3 + "q7",
        "li.wei likes mountains",
        "Tr0ub4dor&3",
    ],
)
def test_a_long_enough_password_needs_no_kinds_of_characters(password):
    assert problem(password) is None


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least 10"),
        ("nine char", "at least 10"),
        ("只有九个字的一句话", "at least 10"),
        ("x7" * 129, "at most 256"),
        ("password123", "first to be guessed"),
        ("PassWord123", "first to be guessed"),
        ("ｐａｓｓｗｏｒｄ１２３", "first to be guessed"),
        ("woaini1314520", "first to be guessed"),
        ("1111111111111", "first to be guessed"),
        ("1212121212121", "first to be guessed"),
        ("abcdabcdabcd", "first to be guessed"),
        ("abcdefghijklm", "first to be guessed"),
        ("0987654321098", "first to be guessed"),
        ("qwertyuiopqw", "first to be guessed"),
        ("li.wei@example.org", "too easy to guess"),
        ("LI.WEI@EXAMPLE.ORG!", "too easy to guess"),
        ("example.org", "too easy to guess"),
        ("li.wei2024", "too easy to guess"),
        ("!liwei2024", None),
    ],
)
def test_short_common_and_personal_passwords_are_refused(password, words):
    found = problem(password)
    assert (found is None) if words is None else (words in (found or ""))


def test_a_long_name_is_no_password():
    assert "too easy" in (problem("Maximilian1", name="Maximilian") or "")
    assert "too easy" in (problem("maximilianmuster", name="Maximilian Muster") or "")


@given(st.text(max_size=300), st.text(max_size=40), st.text(max_size=40))
def test_no_password_whatever_it_is_breaks_the_rule(password, email, name):
    found = password_problem(password, email=email, name=name)
    if found is None:
        assert 10 <= len(normalise_password(password).casefold()) <= 256
    else:
        assert found[0] % found[1]


def test_the_same_password_typed_on_another_keyboard_is_the_same():
    assert normalise_password("cafe\u0301 １２３") == normalise_password("café 123")
