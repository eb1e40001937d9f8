import itertools

import pytest

from mailer.dispatch.rules import (
    DELIVERY_TRANSITIONS,
    HAS_ISSUE,
    MAILING_TRANSITIONS,
    OUTCOME_EVENTS,
    PENDING,
    DeliveryEvent,
    DeliveryState,
    MailingEvent,
    MailingState,
    Outcome,
    next_delivery_state,
    next_mailing_state,
)
from mailer.errors import RuleError

# Written out once more, by hand, from docs/design.md: the test fails when code and design drift apart.
MAILING = {
    "draft": {"schedule": "scheduled", "launch": "preparing", "cancel": "cancelled"},
    "scheduled": {
        "schedule": "scheduled",
        "unschedule": "draft",
        "overdue": "draft",
        "refuse": "draft",
        "launch": "preparing",
        "cancel": "cancelled",
    },
    "preparing": {"prepared": "sending", "refuse": "draft", "cancel": "cancelled"},
    "sending": {"pause": "paused", "drained": "finished", "reopen": "sending", "cancel": "cancelled"},
    "paused": {"resume": "sending", "drained": "finished", "reopen": "paused", "cancel": "cancelled"},
    "finished": {"reopen": "sending"},
    "cancelled": {"drained": "cancelled"},
}
DELIVERY = {
    "queued": {"claim": "claimed", "skip": "skipped"},
    "claimed": {
        "accept": "accepted",
        "reject": "rejected",
        "defer": "queued",
        "lose": "unknown",
        "release": "queued",
        "skip": "skipped",
        "expire": "expired",
    },
    "unknown": {"send_again": "queued", "keep": "unknown"},
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(MailingState, MailingEvent)))
def test_every_event_in_every_state_of_a_mailing(state: MailingState, event: MailingEvent) -> None:
    expected = MAILING.get(state, {}).get(event)
    if expected is None:
        with pytest.raises(RuleError):
            next_mailing_state(state, event)
    else:
        assert next_mailing_state(state, event) == expected


@pytest.mark.parametrize(("state", "event"), list(itertools.product(DeliveryState, DeliveryEvent)))
def test_every_event_in_every_state_of_a_delivery(state: DeliveryState, event: DeliveryEvent) -> None:
    expected = DELIVERY.get(state, {}).get(event)
    if expected is None:
        with pytest.raises(RuleError):
            next_delivery_state(state, event)
    else:
        assert next_delivery_state(state, event) == expected


def test_states_read_as_plain_text_from_the_database_are_understood() -> None:
    assert next_mailing_state("draft", MailingEvent.LAUNCH) is MailingState.PREPARING  # type: ignore[arg-type]
    assert next_delivery_state("unknown", DeliveryEvent.KEEP) is DeliveryState.UNKNOWN  # type: ignore[arg-type]


def test_what_was_accepted_rejected_skipped_or_expired_stays_so() -> None:
    for state in (DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SKIPPED, DeliveryState.EXPIRED):
        assert not [event for (start, event) in DELIVERY_TRANSITIONS if start is state]


def test_only_a_person_leads_out_of_unknown() -> None:
    assert {event for (state, event) in DELIVERY_TRANSITIONS if state is DeliveryState.UNKNOWN} == {
        DeliveryEvent.SEND_AGAIN,
        DeliveryEvent.KEEP,
    }


def test_every_outcome_has_its_event_and_every_state_can_be_reached() -> None:
    assert set(OUTCOME_EVENTS) == set(Outcome)
    assert set(DELIVERY_TRANSITIONS.values()) == set(DeliveryState)
    assert set(MAILING_TRANSITIONS.values()) == set(MailingState)


def test_a_mailing_ends_only_when_no_delivery_can_move_by_itself() -> None:
    by_itself = {
        state for (state, event) in DELIVERY_TRANSITIONS if event not in {DeliveryEvent.SEND_AGAIN, DeliveryEvent.KEEP}
    }
    assert by_itself == set(PENDING)
    assert set(PENDING) < set(HAS_ISSUE)
