"""What a reader may choose behind a mailed link, without a password: lists, language, name, what their lists ask."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from mailer import links
from mailer.audience.answers import questions_of
from mailer.audience.changes import note_change, snapshot
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import Act, ChangeHow, SubscriptionState
from mailer.audience.subscribing import NAME_LENGTH
from mailer.audience.subscriptions import Change, Evidence, apply, find_subscriber, lock_subscriber
from mailer.audience.suppressing import take_back_departure
from mailer.errors import LinkError, RuleError
from mailer.i18n import LOCALES, N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsletters.questions import check_answer
from mailer.newsletters.rules import Visibility, check_text


@dataclass(frozen=True, slots=True)
class Choice:
    """A list that the reader can see, and how they stand to it."""

    list: List
    state: SubscriptionState | None

    @property
    def is_chosen(self) -> bool:
        """Whether issues of it are sent to them."""
        return self.state is SubscriptionState.CONFIRMED

    @property
    def is_over(self) -> bool:
        """Whether nobody can join it any more."""
        return self.list.archived_at is not None or self.list.newsletter.archived_at is not None


@dataclass(frozen=True, slots=True)
class Preferences:
    """A reader and every list there is to choose."""

    subscriber: Subscriber
    choices: tuple[Choice, ...]


def get_preferences(session: Session, token: str) -> Preferences:
    """Behind a preferences link. Raises `LinkError`, also for a reader who was erased."""
    subscriber = find_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    return Preferences(subscriber, tuple(_choices(session, subscriber.id)))


def _choices(session: Session, subscriber_id: int) -> Sequence[Choice]:
    """Public lists, and the private ones this reader is on or was on; who was taken off one by a directory does not
    belong there any more.
    """
    query = (
        select(List, Subscription.state)
        .join(List.newsletter)
        .options(joinedload(List.newsletter))
        .outerjoin(Subscription, (Subscription.list_id == List.id) & (Subscription.subscriber_id == subscriber_id))
        .where(or_(List.visibility == Visibility.PUBLIC, Subscription.state != SubscriptionState.REMOVED))
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
    back what changed. Raises `LinkError`, `AnswerError`, and `RuleError` for a list they cannot see.
    """
    subscriber = lock_subscriber(session, links.read_preferences_token(token))
    if subscriber is None:
        raise LinkError(N_("This link is not valid."))
    if locale not in LOCALES:
        raise RuleError(N_("There is no such language."))
    before = snapshot(subscriber)
    subscriber.name = check_text(name, length=NAME_LENGTH)
    subscriber.locale = locale
    subscriber.attributes = _answer(session, subscriber, set(list_ids), attributes or {})
    changes = _choose(session, subscriber, set(list_ids), Evidence(wording, ip, user_agent))
    note_change(session, subscriber, before, ChangeHow.PREFERENCES)
    return changes


def _answer(session: Session, subscriber: Subscriber, wanted: set[int], given: Mapping[str, str]) -> dict[str, Any]:
    """The reader's attributes with the answers; what no list that is ticked asks for is not theirs to set.

    An answer that a list needs is asked of who joins it, and cannot be emptied while it is received. Who has been
    on it without one, by an import, is not held up.
    """
    kept = dict(subscriber.attributes)
    choices = [choice for choice in _choices(session, subscriber.id) if choice.list.id in wanted]
    needed_now = {question.key for question in questions_of(choice.list for choice in choices if not choice.is_chosen)}
    for question in questions_of(choice.list for choice in choices):
        known = str(kept.get(question.key, ""))
        said = given.get(question.key, known)
        is_needed = question.is_required and (question.key in needed_now or bool(known))
        # What came by an import and stays as it was is no answer to this form.
        if said != known or (is_needed and not said):
            answer = check_answer(replace(question, is_required=is_needed), said)
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
    if any(choices[each].is_over for each in joined):
        raise RuleError(N_("This list is not open for sign-up any more. Please choose another one."))
    changes = apply(session, subscriber, joined, Act.CHOOSE, evidence, source="portal")
    if joined:
        take_back_departure(session, subscriber.email_key)
    changes += apply(session, subscriber, left, Act.LEAVE, evidence, source="portal")
    return [change for change in changes if change.is_real]
