import itertools
import threading

import pytest

from mailer.accounts import change_roles, count_active_admins, disable, enable
from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.db import session_scope
from mailer.errors import RuleError


def last_act(session):
    session.flush()
    return list_audit_entries(session, AuditFilter())[0]


def test_roles_are_changed_and_the_trail_says_from_what_to_what(session, make_account):
    admin, li = make_account("admin", roles=(Role.ADMIN,)), make_account("li")
    change_roles(session, li, ["approver", "editor"], by=admin, ip="127.0.0.1")
    session.commit()
    session.expire_all()
    assert li.roles == [Role.EDITOR, Role.APPROVER]
    entry = last_act(session)
    assert (entry.action, entry.subject_id, entry.actor) == ("account.roles_changed", li.id, "admin")
    assert entry.details == {"before": ["editor"], "after": ["editor", "approver"]}


def test_the_same_roles_again_leave_no_trace(session, make_account):
    admin = make_account("admin", roles=(Role.ADMIN,))
    change_roles(session, admin, ["admin"], by=admin)
    session.flush()
    assert list_audit_entries(session, AuditFilter()) == []


def test_an_account_keeps_at_least_one_role(session, make_account):
    li = make_account("li")
    with pytest.raises(RuleError, match="at least one role"):
        change_roles(session, li, [], by=None)


def test_disabling_ends_sessions_and_enabling_does_not_bring_them_back(session, make_account):
    li = make_account("li")
    before = li.credential_version
    disable(session, li, by=None)
    assert li.state == AccountState.DISABLED
    assert li.credential_version == before + 1
    enable(session, li, by=None)
    session.commit()
    assert li.state == AccountState.ACTIVE
    assert li.credential_version == before + 1
    assert [entry.action for entry in list_audit_entries(session, AuditFilter())] == [
        "account.enabled",
        "account.disabled",
    ]


@pytest.mark.parametrize(("act", "state"), [(disable, AccountState.DISABLED), (enable, AccountState.ACTIVE)])
def test_what_is_done_already_cannot_be_done_again(session, make_account, act, state):
    with pytest.raises(RuleError, match="not in a state"):
        act(session, make_account("li", state=state), by=None)


def test_an_account_disabled_before_it_had_a_password_is_invited_when_enabled(session, make_account):
    li = make_account("li", state=AccountState.INVITED)
    disable(session, li, by=None)
    enable(session, li, by=None)
    session.commit()
    assert li.state == AccountState.INVITED


@pytest.mark.parametrize("act", [disable, lambda s, a, by: change_roles(s, a, ["editor"], by=by)])
@pytest.mark.parametrize("other_state", [AccountState.INVITED, AccountState.DISABLED])
def test_the_last_active_admin_is_never_lost(session, make_account, act, other_state):
    """An invited or disabled admin cannot administer anything, and so does not count."""
    last = make_account("last", roles=(Role.ADMIN, Role.EDITOR))
    make_account("other", roles=(Role.ADMIN,), state=other_state)
    with pytest.raises(RuleError, match="last active admin"):
        act(session, last, by=last)
    session.rollback()
    session.refresh(last)
    assert last.state == AccountState.ACTIVE
    assert Role.ADMIN in last.roles


def test_an_admin_may_go_when_another_stays(session, make_account):
    first, second = make_account("first", roles=(Role.ADMIN,)), make_account("second", roles=(Role.ADMIN,))
    disable(session, first, by=second)
    session.commit()
    assert count_active_admins(session) == 1


@pytest.mark.parametrize("way", ["disable", "demote"])
def test_two_admins_who_remove_each_other_at_once_leave_one(database, make_account, way):
    """Both transactions have read the other as an active admin before either has changed anything."""
    ids = [make_account("first", roles=(Role.ADMIN,)).id, make_account("second", roles=(Role.ADMIN,)).id]
    ready, outcomes = threading.Barrier(2, timeout=20), []

    def remove(by_id: int, whom_id: int) -> None:
        try:
            with session_scope() as session:
                by, whom = session.get_one(Account, by_id), session.get_one(Account, whom_id)
                ready.wait()
                if way == "disable":
                    disable(session, whom, by=by)
                else:
                    change_roles(session, whom, ["editor"], by=by)
            outcomes.append("done")
        except RuleError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=remove, args=pair) for pair in itertools.permutations(ids)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["This is the last active admin. Make somebody else an admin first.", "done"]
    with session_scope() as session:
        assert count_active_admins(session) == 1
