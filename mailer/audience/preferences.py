"""What a reader may choose behind a mailed link, without a password: lists, language, name, what their lists ask."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from mailer import links
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import Act, SubscriptionState
from mailer.audience.subscribing import NAME_LENGTH
from mailer.audience.subscriptions import Change, Evidence, apply, find_subscriber, lock_subscriber
from mailer.audience.suppressing import take_back_departure
from mailer.errors import LinkError, RuleError
from mailer.i18n import LOCALES, N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsletters.rules import ANSWER_LENGTH, Question, Visibility, check_text, question_of


@dataclass(frozen=True, slots=True)
class Choice:
    """A list that the reader can see, and how they stand to it."""

    list: List
    state: SubscriptionState | None

    @property
    def is_chosen(self) -> bool:
        """Whether issues of it are sent to them."""
        return self.state is SubscriptionState.CONFIRMED


@dataclass(frozen=True, slots=True)
class Preferences:
    """A reader, every list there is to choose, and what their lists ask of them."""

    subscriber: Subscriber
    choices: tuple[Choice, ...]

    @property
    def questions(self) -> tuple[Question, ...]:
        """What the lists they receive want to know, each thing once."""
        asked = [
            question_of(entry)
            for choice in self.choices
            if choice.is_chosen
            for entry in choice.list.required_attributes
        ]
        return tuple({question.key: question for question in reversed(asked)}.values())[::-1]


def get_preferences(session: Session, token: str) -> Preferences:
    """Behind a preferences link. Raises `LinkError`, also for a reader who was erased."""
    subscriber = find_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    return Preferences(subscriber, tuple(_choices(session, subscriber.id)))


def _choices(session: Session, subscriber_id: int) -> Sequence[Choice]:
    """Public lists, and the private ones this reader is on or was on."""
    query = (
        select(List, Subscription.state)
        .join(List.newsletter)
        .options(joinedload(List.newsletter))
        .outerjoin(Subscription, (Subscription.list_id == List.id) & (Subscription.subscriber_id == subscriber_id))
        .where(or_(List.visibility == Visibility.PUBLIC, Subscription.id.is_not(None)))
        .where(or_(List.archived_at.is_(None) & Newsletter.archived_at.is_(None), _is_on))
        .order_by(Newsletter.title, Newsletter.id, List.position, List.id)
    )
    return [Choice(each, SubscriptionState(state) if state else None) for each, state in session.execute(query)]


# A list that is archived stays in view only as long as the reader can leave it.
_is_on = func.coalesce(Subscription.state, "").in_([SubscriptionState.CONFIRMED, SubscriptionState.UNCONFIRMED])


def save_preferences(
    session: Session,
    token: str,
    *,
    list_ids: Collection[int],
    locale: str,
    name: str,
    attributes: Mapping[str, str] | None = None,
    wording: str = "",
    ip: str | None = None,
    user_agent: str = "",
) -> list[Change]:
    """Saves everything on the page: ticked lists are joined at once (the link was mailed, so the mailbox is theirs),
    unticked ones are left. Of `attributes` those are kept that their lists ask for; an empty one is forgotten. Gives
    back what changed. Raises `LinkError`, and `RuleError` for a list they cannot see.
    """
    subscriber = lock_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    if locale not in LOCALES:
        raise RuleError(N_("There is no such language."))
    subscriber.name = check_text(name, length=NAME_LENGTH)
    subscriber.locale = locale
    subscriber.attributes = _answer(Preferences(subscriber, tuple(_choices(session, subscriber.id))), attributes or {})
    changes = _choose(session, subscriber, set(list_ids), Evidence(wording, ip, user_agent))
    session.flush()
    return changes


def _answer(found: Preferences, given: Mapping[str, str]) -> dict[str, Any]:
    """The reader's attributes with the answers; what no list of theirs asks for is not theirs to set."""
    kept = dict(found.subscriber.attributes)
    for question in found.questions:
        if question.key in given:
            answer = check_text(given[question.key], length=ANSWER_LENGTH)
            kept.pop(question.key, None)
            if answer:
                kept[question.key] = answer
    return kept


def _choose(session: Session, subscriber: Subscriber, wanted: set[int], evidence: Evidence) -> list[Change]:
    choices = {choice.list.id: choice for choice in _choices(session, subscriber.id)}
    if wanted - choices.keys():
        raise RuleError(N_("This list is not open for sign-up any more. Please choose another one."))
    joined = {each for each in wanted if not choices[each].is_chosen}
    # A sign-up that still waits for its confirmation is no ticked list: leaving the box empty does not cancel it.
    left = {each for each, choice in choices.items() if choice.is_chosen} - wanted
    if any(choices[each].list.archived_at or choices[each].list.newsletter.archived_at for each in joined):
        raise RuleError(N_("This list is not open for sign-up any more. Please choose another one."))
    changes = apply(session, subscriber, joined, Act.CHOOSE, evidence, source="portal")
    if joined:
        take_back_departure(session, subscriber.email_key)
    changes += apply(session, subscriber, left, Act.LEAVE, evidence, source="portal")
    return [change for change in changes if change.is_real]
