import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.rules import Act, SubscriptionState, SuppressionReason, next_state, replaces

U, C, L, R = SubscriptionState

# Every state × every act: what becomes of it.
TABLE = {
    Act.SIGN_UP: {None: U, U: U, C: C, L: U, R: U},
    Act.JOIN: {None: C, U: U, C: C, L: U, R: C},
    Act.CONFIRM: {None: None, U: C, C: C, L: L, R: R},
    Act.CHOOSE: {None: C, U: C, C: C, L: C, R: C},
    Act.LEAVE: {None: None, U: L, C: L, L: L, R: L},
    Act.UNDO: {None: None, U: U, C: C, L: C, R: R},
    Act.IMPORT: {None: C, U: C, C: C, L: L, R: C},
    Act.REMOVE: {None: None, U: U, C: R, L: L, R: R},
}


@pytest.mark.parametrize(("act", "state"), list(itertools.product(Act, [None, *SubscriptionState])))
def test_every_act_in_every_state_does_what_the_table_says(act: Act, state: SubscriptionState | None) -> None:
    assert next_state(state, act) == TABLE[act][state]


def test_an_import_leaves_an_unconfirmed_return_as_it_is() -> None:
    assert next_state(U, Act.IMPORT, has_left=True) is U
    assert next_state(U, Act.IMPORT, has_left=False) is C


@pytest.mark.parametrize("act", [Act.SIGN_UP, Act.JOIN, Act.IMPORT, Act.REMOVE, Act.CONFIRM])
def test_nothing_without_proof_of_the_mailbox_makes_a_leaver_a_reader(act: Act) -> None:
    assert next_state(L, act) is not C


def test_a_suppression_is_replaced_by_a_stronger_reason_only() -> None:
    order = [
        SuppressionReason.UNSUBSCRIBED_ALL,
        SuppressionReason.MANUAL,
        SuppressionReason.HARD_BOUNCE,
        SuppressionReason.COMPLAINT,
        SuppressionReason.ERASED,
    ]
    assert set(order) == set(SuppressionReason)
    for old, new in itertools.product(order, order):
        assert replaces(new, old) == (order.index(new) > order.index(old))


@given(st.lists(st.sampled_from([act for act in Act if act not in {Act.CONFIRM, Act.CHOOSE, Act.UNDO}]), max_size=12))
def test_whatever_strangers_and_imports_do_a_leaver_stays_away(acts: list[Act]) -> None:
    state: SubscriptionState | None = L
    for act in acts:
        state = next_state(state, act, has_left=state is U)
        assert state is not C
