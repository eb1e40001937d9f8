"""Answers to what lists ask, typed into a form by who knows whom: they wait until the mailbox has said yes.

With double opt-in they lie beside the unconfirmed subscription; the confirmation page shows them, and its button makes
them the reader's. With single opt-in nobody is asked, so that a form may fill in what is not known, and change nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mailer.audience.changes import note_change, snapshot
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import ChangeHow, SubscriptionState
from mailer.audience.subscriptions import Change
from mailer.newsletters.models import List
from mailer.newsletters.questions import Question, check_answers, merge_questions


def questions_of(lists: Iterable[List]) -> tuple[Question, ...]:
    """What these lists ask, each thing once."""
    return merge_questions(each.required_attributes for each in lists)


def check_all(lists: Iterable[List], given: Mapping[str, str]) -> dict[str, str]:
    """The answers to what these lists ask, as they are kept. Raises `AnswerError`."""
    return check_answers(questions_of(lists), given)


def keep_answers(
    session: Session,
    subscriber: Subscriber,
    lists: Sequence[List],
    changes: Collection[Change],
    answers: Mapping[str, str],
) -> None:
    """After a sign-up: `answers` wait beside what became unconfirmed, and fill gaps of a reader who joined at once."""
    waiting = {change.list_id for change in changes if change.new is SubscriptionState.UNCONFIRMED}
    joined = {change.list_id for change in changes if change.is_real} - waiting
    for each in lists:
        if each.id in waiting:
            row = session.scalars(_subscription(subscriber.id, [each.id])).one()
            row.answers = _asked_by([each], answers)
    before = snapshot(subscriber)
    gaps = _asked_by([each for each in lists if each.id in joined], answers)
    subscriber.attributes = gaps | before.attributes
    note_change(session, subscriber, before, ChangeHow.SIGN_UP)


def _asked_by(lists: Sequence[List], answers: Mapping[str, str]) -> dict[str, str]:
    asked = {question.key for question in questions_of(lists)}
    return {key: answer for key, answer in answers.items() if key in asked}


def list_waiting_answers(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> dict[str, str]:
    """Key -> answer that confirming these lists would make the reader's."""
    rows = session.scalars(_subscription(subscriber.id, [each.id for each in lists]))
    return {key: answer for row in rows for key, answer in row.answers.items()}


def adopt_answers(session: Session, subscriber: Subscriber, answers: Mapping[str, str]) -> None:
    """The button was pressed: they are the reader's own."""
    before = snapshot(subscriber)
    subscriber.attributes = before.attributes | dict(answers)
    note_change(session, subscriber, before, ChangeHow.CONFIRMED)


def _subscription(subscriber_id: int, list_ids: Sequence[int]) -> Select[Subscription]:
    return (
        select(Subscription)
        .where(Subscription.subscriber_id == subscriber_id, Subscription.list_id.in_(list_ids))
        .order_by(Subscription.id)
    )
