import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from mailer.accounts import ask_reset, authenticate, change_password, change_profile, disable, reset_password
from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.accounts.rules import AccountState
from mailer.errors import LinkError, RuleError
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind
from tests.accounts.conftest import PASSWORD

NEW_PASSWORD = "another four quiet words"


def acts(session) -> list[str]:
    session.flush()
    return [entry.action for entry in list_audit_entries(session, AuditFilter())]


def reset_letter(session) -> Letter:
    session.commit()
    return session.scalars(select(Letter).order_by(Letter.id.desc())).first()


def reset_token(session, email="li@example.org") -> str:
    ask_reset(session, email)
    return reset_letter(session).parameters["url"].rsplit("/", 1)[1]


@pytest.mark.parametrize("typed", ["li@example.org", "Li@EXAMPLE.org", " ｌｉ＠example．org "])
def test_address_and_password_sign_in_however_the_address_is_typed(session, make_account, typed):
    li = make_account("li")
    assert authenticate(session, typed, PASSWORD, ip="127.0.0.1") is li
    assert li.last_sign_in_at is not None
    assert acts(session) == ["account.signed_in"]


@pytest.mark.parametrize(
    ("email", "password"),
    [("li@example.org", "wrong"), ("li@example.org", ""), ("wang@example.org", PASSWORD), ("no address", PASSWORD)],
)
def test_a_wrong_address_or_password_is_refused_and_recorded(session, make_account, email, password):
    li = make_account("li")
    assert authenticate(session, email, password) is None
    assert li.last_sign_in_at is None
    entry = list_audit_entries(session, AuditFilter())[0]
    assert entry.action == "account.sign_in_failed"
    assert entry.subject_id == (li.id if email == li.email else None)
    assert entry.details == {}


@pytest.mark.parametrize("state", [AccountState.INVITED, AccountState.DISABLED])
def test_who_is_not_active_cannot_sign_in_even_with_the_right_password(session, make_account, state):
    make_account("li", state=state)
    assert authenticate(session, "li@example.org", PASSWORD) is None


def test_a_sign_in_renews_a_hash_of_older_parameters(session, make_account):
    li = make_account("li")
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    li.password_hash = old
    session.commit()
    version = li.credential_version
    assert authenticate(session, "li@example.org", PASSWORD) is li
    assert li.password_hash != old
    # Other sessions go on: the password is the same.
    assert li.credential_version == version
    assert authenticate(session, "li@example.org", PASSWORD) is li


def test_an_unknown_address_costs_a_hash_like_a_known_one(session, make_account, monkeypatch):
    """Counted, not timed: one argon2 verification each, whoever asks for whatever."""
    make_account("li")
    make_account("invited", state=AccountState.INVITED)
    verified = []
    original = PasswordHasher.verify

    def count(self, stored, password):
        verified.append(stored.split("$")[3])
        return original(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", count)
    for email in ("li@example.org", "invited@example.org", "nobody@example.org", "no address"):
        authenticate(session, email, "wrong password")
    assert len(verified) == 4
    assert len(set(verified)) == 1


def test_a_changed_password_ends_sessions_and_needs_the_present_one(session, make_account):
    li = make_account("li")
    version = li.credential_version
    with pytest.raises(RuleError, match="not your present password"):
        change_password(session, li, current="wrong", new=NEW_PASSWORD)
    with pytest.raises(RuleError, match="at least 10"):
        change_password(session, li, current=PASSWORD, new="short")
    assert li.credential_version == version
    change_password(session, li, current=PASSWORD, new=NEW_PASSWORD)
    session.commit()
    assert li.credential_version == version + 1
    assert authenticate(session, "li@example.org", PASSWORD) is None
    assert authenticate(session, "li@example.org", NEW_PASSWORD) is li


def test_a_forgotten_password_is_reset_by_letter(session, make_account):
    li = make_account("li", locale="en")
    token = reset_token(session)
    letter = reset_letter(session)
    assert (letter.kind, letter.address, letter.locale) == (LetterKind.RESET, "li@example.org", "en")
    assert authenticate(session, "li@example.org", PASSWORD) is li
    version = li.credential_version
    assert reset_password(session, token, NEW_PASSWORD) is li
    session.commit()
    assert li.credential_version == version + 1
    assert authenticate(session, "li@example.org", PASSWORD) is None
    assert authenticate(session, "li@example.org", NEW_PASSWORD) is li


@pytest.mark.parametrize("state", [None, AccountState.INVITED, AccountState.DISABLED])
def test_asking_for_a_reset_writes_nothing_for_those_who_cannot_sign_in(session, make_account, state):
    if state is not None:
        make_account("li", state=state)
    ask_reset(session, "li@example.org")
    ask_reset(session, "no address at all")
    assert reset_letter(session) is None
    assert acts(session) == []


def test_a_reset_link_works_once_and_voids_its_siblings(session, make_account):
    make_account("li")
    first, second = reset_token(session), reset_token(session)
    reset_password(session, second, NEW_PASSWORD)
    session.commit()
    for token in (first, second):
        with pytest.raises(LinkError):
            reset_password(session, token, "yet another password")


def test_a_refused_password_leaves_the_reset_link_working(session, make_account):
    make_account("li")
    token = reset_token(session)
    with pytest.raises(RuleError):
        reset_password(session, token, "li@example.org")
    session.rollback()
    reset_password(session, token, NEW_PASSWORD)


def test_disabling_voids_a_reset_link(session, make_account):
    li = make_account("li")
    token = reset_token(session)
    disable(session, li, by=None)
    session.commit()
    with pytest.raises(LinkError):
        reset_password(session, token, NEW_PASSWORD)


def test_the_holder_changes_name_and_language(session, make_account):
    li = make_account("li")
    change_profile(session, li, name=" 李  伟 ", locale="en")
    assert (li.name, li.locale) == ("李 伟", "en")
    entry = list_audit_entries(session, AuditFilter())[0]
    assert (entry.action, entry.details) == ("account.profile_changed", {"changed": ["name", "locale"]})
    change_profile(session, li, name="李 伟", locale="en")
    assert acts(session) == ["account.profile_changed"]


@pytest.mark.parametrize(("name", "locale"), [("", "en"), ("   ", "en"), ("Li", "fr"), ("Li", "")])
def test_a_profile_without_name_or_with_an_unknown_language_is_refused(session, make_account, name, locale):
    with pytest.raises(RuleError):
        change_profile(session, make_account("li"), name=name, locale=locale)
