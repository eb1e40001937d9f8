"""The button behind the confirmation letter's link."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from mailer import links
from mailer.audience.answers import adopt_answers, list_waiting_answers, questions_of
from mailer.audience.correspondence import LatestIssue, find_letter, no_issue, welcome
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import Act, SubscriptionState
from mailer.audience.subscriptions import Evidence, apply, find_subscriber, lock_subscriber
from mailer.audience.suppressing import take_back_departure
from mailer.errors import LinkError
from mailer.i18n import N_
from mailer.newsletters.models import List


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation link is about: its subscriber, and its lists by what the button does (or did) to them.

    `open` can be confirmed, `confirmed` are already, `over` were left since the letter was written. `answers` are what
    the form said to the open lists' questions, by the question's words: confirming makes them the reader's.
    """

    subscriber: Subscriber
    open: tuple[List, ...]
    confirmed: tuple[List, ...]
    over: tuple[List, ...]
    answers: tuple[tuple[str, str], ...] = ()


def find_confirmation(session: Session, token: str) -> Confirmation:
    """What the link is about, for the page with its button; changes nothing. Raises `LinkError`."""
    subscriber_id, list_ids = links.read_confirm_token(token)
    subscriber = find_subscriber(session, subscriber_id)
    if subscriber is None:
        raise LinkError(N_("This link has expired."))
    return _look(session, subscriber, list_ids)


def _look(session: Session, subscriber: Subscriber, list_ids: Iterable[int]) -> Confirmation:
    query = (
        select(List, Subscription.state)
        .join(List.newsletter)
        .options(joinedload(List.newsletter))
        .join(Subscription, (Subscription.list_id == List.id) & (Subscription.subscriber_id == subscriber.id))
        .where(List.id.in_(list(list_ids)))
        .order_by(List.id)
    )
    by_state: dict[str, list[List]] = {state: [] for state in SubscriptionState}
    for each, state in session.execute(query):
        by_state[
            SubscriptionState.UNSUBSCRIBED if each.archived_at or state == SubscriptionState.REMOVED else state
        ].append(each)
    waiting = by_state[SubscriptionState.UNCONFIRMED]
    said = list_waiting_answers(session, subscriber, waiting)
    return Confirmation(
        subscriber,
        open=tuple(waiting),
        confirmed=tuple(by_state[SubscriptionState.CONFIRMED]),
        over=tuple(by_state[SubscriptionState.UNSUBSCRIBED]),
        answers=tuple((each.label, said[each.key]) for each in questions_of(waiting) if each.key in said),
    )


def confirm(
    session: Session,
    token: str,
    *,
    wording: str = "",
    ip: str | None = None,
    user_agent: str = "",
    latest_issue: LatestIssue = no_issue,
) -> Confirmation:
    """The button was pressed. Gives back how things stand now; pressing twice is pressing once. Lists that want it
    welcome their reader, with what `latest_issue` knows.

    A link whose reader has left since does not bring them back: a fresh sign-up does. Raises `LinkError`.
    """
    subscriber_id, list_ids = links.read_confirm_token(token)
    subscriber = lock_subscriber(session, subscriber_id)
    if subscriber is None:
        raise LinkError(N_("This link has expired."))
    wanted = _look(session, subscriber, list_ids).open
    evidence = _evidence(session, subscriber, token, Evidence(wording, ip, user_agent))
    answers = list_waiting_answers(session, subscriber, wanted)
    changes = apply(session, subscriber, [each.id for each in wanted], Act.CONFIRM, evidence, source="portal")
    if any(change.is_real for change in changes):
        adopt_answers(session, subscriber, answers)
        take_back_departure(session, subscriber.email_key)
        welcome(session, subscriber, wanted, latest_issue)
    return _look(session, subscriber, list_ids)


def _evidence(session: Session, subscriber: Subscriber, token: str, seen: Evidence) -> Evidence:
    """With the letter whose link it was: mail logs know it by its Message-ID."""
    letter = find_letter(session, subscriber, links.confirm_url(token))
    if letter is None:
        return seen
    return replace(seen, letter_message_id=letter.message_id, letter_at=letter.created_at)
