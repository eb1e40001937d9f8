import threading
import time

import pytest
from sqlalchemy import select

from mailer.accounts import (
    accept_invitation,
    create_account,
    create_first_admin,
    disable,
    find_account_by_email,
    get_account,
    get_account_by_token,
    invite,
    invite_again,
)
from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.accounts.inviting import make_password
from mailer.accounts.models import Account
from mailer.accounts.passwords import verify_password
from mailer.accounts.rules import AccountState, Role
from mailer.db import session_scope
from mailer.errors import LinkError, NotFoundError, RuleError
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind
from tests.accounts.conftest import PASSWORD


def token_of(letter: Letter) -> str:
    return letter.parameters["url"].rsplit("/", 1)[1]


def letters(session) -> list[Letter]:
    session.commit()
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def invite_li(session, by=None) -> Account:
    return invite(session, email="Li.Wei@Example.org", name="李伟", roles=["approver", "editor"], by=by)


def test_an_invited_account_waits_for_its_holder_and_a_letter_is_written(session, make_account):
    admin = make_account("admin", roles=(Role.ADMIN,))
    account = invite_li(session, by=admin)
    (letter,) = letters(session)
    assert account.state == AccountState.INVITED
    assert account.roles == [Role.EDITOR, Role.APPROVER]
    assert account.password_hash is None
    assert (letter.kind, letter.address, letter.locale) == (LetterKind.INVITE, "Li.Wei@example.org", "zh_CN")
    assert letter.parameters["inviter"] == "admin"
    assert letter.parameters["url"].startswith("http://127.0.0.1:8000/account/invite/")
    entry = list_audit_entries(session, AuditFilter())[0]
    assert (entry.action, entry.actor, entry.details) == (
        "account.invited",
        "admin",
        {"roles": ["editor", "approver"]},
    )


def test_an_invitation_that_is_rolled_back_leaves_no_letter(session):
    invite_li(session)
    session.rollback()
    assert letters(session) == []


def test_the_holder_sets_a_password_and_is_active(session):
    account = invite_li(session)
    version = account.credential_version
    (letter,) = letters(session)
    accepted = accept_invitation(session, token_of(letter), PASSWORD)
    session.commit()
    assert accepted is account
    assert account.state == AccountState.ACTIVE
    assert account.credential_version == version + 1
    assert verify_password(account.password_hash, PASSWORD).is_right


def test_an_invitation_works_once(session):
    invite_li(session)
    (letter,) = letters(session)
    accept_invitation(session, token_of(letter), PASSWORD)
    session.commit()
    with pytest.raises(LinkError, match="used or replaced"):
        accept_invitation(session, token_of(letter), "another long password")


def test_a_password_that_will_not_do_leaves_the_link_working(session):
    invite_li(session)
    (letter,) = letters(session)
    with pytest.raises(RuleError, match="at least 10"):
        accept_invitation(session, token_of(letter), "short")
    session.rollback()
    assert accept_invitation(session, token_of(letter), PASSWORD).state == AccountState.ACTIVE


def test_inviting_again_voids_the_first_link(session):
    account = invite_li(session)
    first = letters(session)[0]
    invite_again(session, account, by=None)
    second = letters(session)[1]
    with pytest.raises(LinkError):
        get_account_by_token(session, "invite", token_of(first))
    assert get_account_by_token(session, "invite", token_of(second)) is account


def test_only_the_invited_are_invited_again(session, make_account):
    with pytest.raises(RuleError, match="Only an account that has not set a password"):
        invite_again(session, make_account("li"), by=None)


def test_a_disabled_account_cannot_accept_its_invitation(session):
    account = invite_li(session)
    (letter,) = letters(session)
    disable(session, account, by=None)
    session.commit()
    with pytest.raises(LinkError):
        accept_invitation(session, token_of(letter), PASSWORD)


def test_an_old_link_says_that_it_has_expired(session, monkeypatch):
    invite_li(session)
    (letter,) = letters(session)
    week = time.time() + 7 * 86_400 + 60
    monkeypatch.setattr("mailer.links.time.time", lambda: week)
    with pytest.raises(LinkError, match="expired"):
        get_account_by_token(session, "invite", token_of(letter))


@pytest.mark.parametrize("token", ["", "x", "AAAA", "é", "../../etc/passwd", "A" * 4000])
def test_a_link_that_is_not_ours_is_refused(session, token):
    with pytest.raises(LinkError):
        get_account_by_token(session, "invite", token)


def test_an_invitation_is_no_password_reset(session):
    invite_li(session)
    (letter,) = letters(session)
    with pytest.raises(LinkError):
        get_account_by_token(session, "reset", token_of(letter))


@pytest.mark.parametrize("email", ["li@example.org", "LI@EXAMPLE.ORG", " li＠example．org\u00a0"])
def test_an_address_has_one_account(session, make_account, email):
    make_account("li", state=AccountState.DISABLED)
    with pytest.raises(RuleError, match="already"):
        invite(session, email=email, name="Li", roles=["editor"], by=None)
    # The transaction goes on: nothing else of the request is lost.
    assert invite(session, email="wang@example.org", name="Wang", roles=["editor"], by=None).id


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email": "nobody"}, "@"),
        ({"email": "a@b@c"}, "not a valid email"),
        ({"name": " \u200b "}, "Enter a name"),
        ({"roles": []}, "at least one role"),
        ({"locale": "tlh"}, "languages offered"),
    ],
)
def test_what_is_missing_or_wrong_is_said(session, change, words):
    wanted = {"email": "li@example.org", "name": "Li", "roles": ["editor"], "locale": "en", "by": None} | change
    with pytest.raises(RuleError, match=words):
        invite(session, **wanted)
    assert letters(session) == []


def test_an_account_made_at_the_terminal_can_sign_in_at_once(session):
    account = create_account(session, email="li@example.org", name="Li", roles=["editor"], password=PASSWORD)
    assert account.state == AccountState.ACTIVE
    assert verify_password(account.password_hash, PASSWORD).is_right
    assert letters(session) == []


def test_the_terminal_has_no_weaker_passwords(session):
    with pytest.raises(RuleError, match="at least 10"):
        create_account(session, email="li@example.org", name="Li", roles=["editor"], password="secret")


def test_generated_passwords_are_long_different_and_without_lookalikes():
    passwords = {make_password() for _ in range(200)}
    assert len(passwords) == 200
    assert all(len(password) == 23 and not set(password) & set("01oil") for password in passwords)


def test_there_is_one_first_admin(session):
    password = create_first_admin(session, "admin@example.org", "Admin")
    session.commit()
    admin = find_account_by_email(session, "admin@example.org")
    assert admin is not None
    assert admin.roles == list(Role)
    assert verify_password(admin.password_hash, password).is_right
    with pytest.raises(RuleError, match="an admin already"):
        create_first_admin(session, "second@example.org", "Second")


def test_two_servers_that_start_at_once_make_one_admin(database):
    ready, outcomes = threading.Barrier(2, timeout=20), []

    def start(name: str) -> None:
        try:
            with session_scope() as session:
                ready.wait()
                create_first_admin(session, f"{name}@example.org", name)
            outcomes.append("made")
        except RuleError:
            outcomes.append("refused")

    threads = [threading.Thread(target=start, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["made", "refused"]


def test_an_unknown_account_is_said_to_be_unknown(session):
    with pytest.raises(NotFoundError):
        get_account(session, 4711)
    assert find_account_by_email(session, "nobody@example.org") is None
    assert find_account_by_email(session, "no address at all") is None
