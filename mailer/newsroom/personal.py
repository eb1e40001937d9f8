"""Personal fields of a newsletter: what an editor may write in braces, and how many readers have told it."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Select, and_, func, not_, select
from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.newsletters.models import List
from mailer.newsletters.questions import Question, merge_questions
from mailer.press.slots import EDITORS_SLOTS, NAME


def list_fields(session: Session, newsletter_id: int) -> tuple[Question, ...]:
    """What the newsletter's lists ask their readers, each thing once. A key that every newsletter has is not among
    them: ``address`` is where the mail goes.
    """
    asked = session.scalars(
        select(List.required_attributes)
        .where(List.newsletter_id == newsletter_id, List.archived_at.is_(None))
        .order_by(List.position, List.id)
    )
    return tuple(question for question in merge_questions(asked) if question.key not in EDITORS_SLOTS)


def count_lacking(session: Session, newsletter_id: int, keys: Collection[str]) -> tuple[int, dict[str, int]]:
    """How many readers receive the newsletter now, and of them, by key, those who have told nothing that could be shown
    (see `press.slots.own_values`).
    """
    wanted = sorted(keys)
    readers = (
        select(Subscriber.id)
        .add_columns(*(_is_lacking(key).label(f"lacks_{at}") for at, key in enumerate(wanted)))
        .where(Subscriber.id.in_(_reading(newsletter_id)))
        .subquery()
    )
    counts: Sequence[int] = session.execute(
        select(func.count(), *(func.count().filter(readers.c[f"lacks_{at}"]) for at in range(len(wanted))))
    ).one()
    return counts[0], dict(zip(wanted, counts[1:], strict=True))


def _reading(newsletter_id: int) -> Select[int]:
    return (
        select(Subscription.subscriber_id)
        .join(List, List.id == Subscription.list_id)
        .where(
            List.newsletter_id == newsletter_id,
            List.archived_at.is_(None),
            Subscription.state == SubscriptionState.CONFIRMED,
        )
    )


def _is_lacking(key: str) -> ColumnElement[bool]:
    if key == NAME:
        return not_(Subscriber.name.regexp_match(r"\S"))
    value = Subscriber.attributes[key]
    is_shown = and_(func.jsonb_typeof(value).in_(["string", "number"]), value.astext.regexp_match(r"\S"))
    return func.coalesce(is_shown, False).is_(False)
