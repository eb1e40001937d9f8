"""Who is in a segment: its tree of conditions as one SQL condition on subscribers, built of expressions, never of text.

Engagement is what people did: only human verdicts are ever noted in `engagements`.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, cast, exists, false, func, literal, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from mailer.audience.conditions import Kind, Node, Test
from mailer.audience.models import Engagement, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.newsletters.models import List

# (newsletter, n) -> when its n-th last issue was sent, `None` where there were fewer: dispatch knows.
IssueTimes = Callable[[int, int], dt.datetime | None]


def condition(tree: Node, issue_times: IssueTimes) -> ColumnElement[bool]:
    """`tree` (as `conditions.read_tree` gives it) as a condition on `Subscriber`."""
    if "all" in tree:
        return and_(*(condition(each, issue_times) for each in tree["all"]))
    if "any" in tree:
        return or_(*(condition(each, issue_times) for each in tree["any"]))
    if "not" in tree:
        return not_(condition(tree["not"], issue_times))
    return _LEAVES[Kind(tree["is"])](tree, issue_times)


def count_members(session: Session, tree: Node, issue_times: IssueTimes) -> int:
    """How many readers are in it, erased ones never."""
    query = select(func.count()).select_from(Subscriber).where(*_alive(), condition(tree, issue_times))
    return session.scalars(query).one()


def list_sample(session: Session, tree: Node, issue_times: IssueTimes, *, limit: int = 10) -> list[Subscriber]:
    """The newest of them."""
    query = (
        select(Subscriber).where(*_alive(), condition(tree, issue_times)).order_by(Subscriber.id.desc()).limit(limit)
    )
    return list(session.scalars(query))


def _alive() -> tuple[ColumnElement[bool], ...]:
    return (Subscriber.erased_at.is_(None),)


def _attribute(leaf: Node, _times: IssueTimes) -> ColumnElement[bool]:
    if leaf["test"] == Test.IS_SET:
        is_set: ColumnElement[bool] = Subscriber.attributes.has_key(leaf["key"])
        return is_set
    kept: ColumnElement[str] = func.lower(Subscriber.attributes[leaf["key"]].astext)
    value = str(leaf["value"]).lower()
    test = kept == value if leaf["test"] == Test.EQUALS else kept.contains(value, autoescape=True)
    # Who has no such attribute does not meet it, and meets its opposite.
    return func.coalesce(test, false())


def _list(leaf: Node, _times: IssueTimes) -> ColumnElement[bool]:
    return exists().where(
        Subscription.subscriber_id == Subscriber.id,
        Subscription.list_id == leaf["list_id"],
        Subscription.state == SubscriptionState(leaf["state"]),
    )


def _locale(leaf: Node, _times: IssueTimes) -> ColumnElement[bool]:
    return Subscriber.locale == str(leaf["value"])


def _domain(leaf: Node, _times: IssueTimes) -> ColumnElement[bool]:
    if leaf["test"] == Test.EQUALS:
        return Subscriber.domain == str(leaf["value"])
    return Subscriber.domain.contains(leaf["value"], autoescape=True)


def _signed_up(leaf: Node, _times: IssueTimes) -> ColumnElement[bool]:
    if leaf["test"] == Test.WITHIN:
        return Subscriber.created_at >= _days_ago(leaf)
    day = cast(literal(leaf["value"]), Date)
    return Subscriber.created_at < day if leaf["test"] == Test.BEFORE else Subscriber.created_at >= day


def _engaged(column: InstrumentedAttribute[dt.datetime | None]) -> Callable[[Node, IssueTimes], ColumnElement[bool]]:
    def compiled(leaf: Node, _times: IssueTimes) -> ColumnElement[bool]:
        found = exists().where(
            Engagement.subscriber_id == Subscriber.id,
            Engagement.newsletter_id == leaf["newsletter_id"],
            column >= _days_ago(leaf),
        )
        return found if leaf["test"] == Test.WITHIN else not_(found)

    return compiled


def _silent(leaf: Node, times: IssueTimes) -> ColumnElement[bool]:
    """Confirmed since before the n-th last issue, and neither opened nor clicked anything since it was sent."""
    since = times(leaf["newsletter_id"], leaf["issues"])
    if since is None:
        return false()
    reads = exists().where(
        Subscription.subscriber_id == Subscriber.id,
        Subscription.list_id.in_(select(List.id).where(List.newsletter_id == leaf["newsletter_id"])),
        Subscription.state == SubscriptionState.CONFIRMED,
        Subscription.confirmed_at < since,
    )
    stirred = exists().where(
        Engagement.subscriber_id == Subscriber.id,
        Engagement.newsletter_id == leaf["newsletter_id"],
        or_(Engagement.last_open_at >= since, Engagement.last_click_at >= since),
    )
    return reads & ~stirred


def _days_ago(leaf: Node) -> ColumnElement[Any]:
    return func.now() - dt.timedelta(days=leaf["days"])


_LEAVES: dict[Kind, Callable[[Node, IssueTimes], ColumnElement[bool]]] = {
    Kind.ATTRIBUTE: _attribute,
    Kind.LIST: _list,
    Kind.LOCALE: _locale,
    Kind.DOMAIN: _domain,
    Kind.SIGNED_UP: _signed_up,
    Kind.OPENED: _engaged(Engagement.last_open_at),
    Kind.CLICKED: _engaged(Engagement.last_click_at),
    Kind.SILENT: _silent,
}
