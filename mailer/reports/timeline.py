"""Everything that happened between us and one reader, in one line of time: what they agreed to, what was sent, what
their server said, what they did with it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber
from mailer.audience.searching import get_history
from mailer.dispatch.models import Attempt, Delivery, Mailing
from mailer.feedback.models import Click, Open
from mailer.letters.models import Letter
from mailer.newsroom.models import EditionLink, Issue

# A reader of ten years' weekly issues: the page shows the latest, the ledger of each mailing the rest.
DELIVERIES_SHOWN = 100
EVENTS_SHOWN = 300
LETTERS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """`kind` is ``joined``, ``consent``, ``suppression``, ``lifted``, ``delivery``, ``open``, ``click`` or ``letter``;
    `what` names its sort within the kind (an act, a state, a verdict); `details` are what the line can tell besides.
    """

    at: dt.datetime
    kind: str
    what: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Newest first. `is_cut` says that there are more deliveries or events than are shown."""

    entries: list[TimelineEntry]
    is_cut: bool


def get_timeline(session: Session, subscriber: Subscriber) -> Timeline:
    """The history of one reader, a handful of queries however long it is."""
    sent = session.execute(
        select(Delivery, Issue)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(Delivery.subscriber_id == subscriber.id)
        .order_by(Delivery.id.desc())
        .limit(DELIVERIES_SHOWN + 1)
    ).all()
    shown = sent[:DELIVERIES_SHOWN]
    issues: dict[int, Issue] = {delivery.id: issue for delivery, issue in shown}
    attempts = _attempts(session, issues)
    events = list(_events(session, issues))
    entries = [
        TimelineEntry(subscriber.created_at, "joined", "joined"),
        *_agreed(session, subscriber),
        *(_delivered(delivery, issue, attempts) for delivery, issue in shown),
        *events,
        *_letters(session, subscriber),
    ]
    is_cut = len(sent) > DELIVERIES_SHOWN or len(events) >= EVENTS_SHOWN
    return Timeline(sorted(entries, key=lambda entry: entry.at, reverse=True), is_cut)


def _agreed(session: Session, subscriber: Subscriber) -> Iterator[TimelineEntry]:
    for entry in get_history(session, subscriber.id):
        kind, _, what = entry.kind.partition(".")
        details = entry.details | {"list_id": entry.list_id, "newsletter_id": entry.newsletter_id}
        yield TimelineEntry(entry.at, "lifted" if what == "lifted" else kind, what, details)


def _delivered(delivery: Delivery, issue: Issue, attempts: dict[int, list[Attempt]]) -> TimelineEntry:
    details = {
        "issue": issue,
        "mailing_id": delivery.mailing_id,
        "address": delivery.address,
        "reason": delivery.reason,
        "code": delivery.code,
        "enhanced": delivery.enhanced,
        "reply": delivery.reply,
        "attempts": attempts.get(delivery.id, []),
    }
    return TimelineEntry(delivery.settled_at or delivery.queued_at, "delivery", delivery.state, details)


def _attempts(session: Session, delivery_ids: Iterable[int]) -> dict[int, list[Attempt]]:
    found: dict[int, list[Attempt]] = {}
    for attempt in session.scalars(
        select(Attempt).where(Attempt.delivery_id.in_(list(delivery_ids))).order_by(Attempt.id)
    ):
        found.setdefault(attempt.delivery_id, []).append(attempt)
    return found


def _events(session: Session, issues: dict[int, Issue]) -> Iterator[TimelineEntry]:
    opens = select(Open).where(Open.delivery_id.in_(issues)).order_by(Open.id.desc()).limit(EVENTS_SHOWN)
    for seen in session.scalars(opens):
        yield TimelineEntry(seen.at, "open", seen.verdict, {"issue": issues[seen.delivery_id or 0]})
    clicks = (
        select(Click, EditionLink.url, EditionLink.label)
        .outerjoin(
            EditionLink,
            (EditionLink.edition_id == Click.edition_id) & (EditionLink.ordinal == Click.link_ordinal),
        )
        .where(Click.delivery_id.in_(issues))
        .order_by(Click.id.desc())
        .limit(EVENTS_SHOWN)
    )
    for click, url, label in session.execute(clicks):
        details = {"issue": issues[click.delivery_id or 0], "url": url, "label": label}
        yield TimelineEntry(click.at, "click", click.verdict, details)


def _letters(session: Session, subscriber: Subscriber) -> Iterator[TimelineEntry]:
    written = select(Letter).where(Letter.address_key == subscriber.email_key).order_by(Letter.id.desc())
    for letter in session.scalars(written.limit(LETTERS_SHOWN)):
        details = {"state": letter.state, "code": letter.code, "enhanced": letter.enhanced, "reply": letter.reply}
        yield TimelineEntry(letter.settled_at or letter.created_at, "letter", letter.kind, details)
