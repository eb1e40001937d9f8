import pytest
from argon2 import PasswordHasher

from mailer.accounts.passwords import hash_chosen_password, hash_password, verify_password
from mailer.errors import RuleError


def test_a_hash_is_argon2id_and_salted():
    first, second = hash_password("a quiet river"), hash_password("a quiet river")
    assert first.startswith("$argon2id$")
    assert first != second


def test_the_right_password_is_right_and_needs_no_new_hash():
    verification = verify_password(hash_password("a quiet river"), "a quiet river")
    assert verification.is_right
    assert verification.renewed is None


@pytest.mark.parametrize("typed", ["a quiet rivers", "A quiet river", "", "a quiet river\0"])
def test_a_wrong_password_is_wrong(typed):
    assert not verify_password(hash_password("a quiet river"), typed).is_right


def test_a_full_width_password_matches_its_plain_form():
    assert verify_password(hash_password("quiet123456"), "ｑｕｉｅｔ１２３４５６").is_right


def test_a_hash_of_older_parameters_is_renewed():
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("a quiet river")
    verification = verify_password(old, "a quiet river")
    assert verification.is_right
    assert verification.renewed is not None
    assert verification.renewed != old
    assert verify_password(verification.renewed, "a quiet river").renewed is None


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$broken"])
def test_without_a_usable_hash_nothing_is_right(stored):
    assert not verify_password(stored, "nobody's password").is_right


def test_a_password_longer_than_allowed_is_wrong_even_if_it_begins_rightly():
    stored = PasswordHasher().hash("x" * 257)
    assert not verify_password(stored, "x" * 257).is_right
    assert not verify_password(stored, "x" * 1_000_000).is_right


def test_a_chosen_password_that_will_not_do_is_refused_with_the_reason():
    with pytest.raises(RuleError, match="at least 10 characters"):
        hash_chosen_password("short", email="li@example.org", name="Li")
