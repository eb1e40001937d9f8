"""Everything that happened between us and one reader, in one line of time: what they agreed to and changed, what was
sent, what their server said, what they did with it, and what we did.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.audience.former import list_keys
from mailer.audience.models import Subscriber
from mailer.audience.searching import get_history
from mailer.audience.subscriptions import list_ids_of
from mailer.dispatch.models import Attempt, Delivery, Exclusion, Mailing
from mailer.feedback.models import Click, Open
from mailer.letters.models import Letter
from mailer.newsroom.edition_models import EditionLink
from mailer.newsroom.models import Issue
from mailer.reports.changes import TimelineEntry, find_actors, list_changes

# A reader of ten years' weekly issues: the page shows the latest, the ledger of each mailing the rest.
DELIVERIES_SHOWN = 100
EVENTS_SHOWN = 300
LETTERS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Timeline:
    """Newest first. `is_cut` says that there are more deliveries or events than are shown."""

    entries: list[TimelineEntry]
    is_cut: bool


def get_timeline(session: Session, subscriber: Subscriber) -> Timeline:
    """The history of one reader, a handful of queries however long it is; that of addresses they had before too."""
    ids = list_ids_of(session, subscriber.id)
    sent = session.execute(
        select(Delivery, Issue)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(Delivery.subscriber_id.in_(ids))
        .order_by(Delivery.id.desc())
        .limit(DELIVERIES_SHOWN + 1)
    ).all()
    shown = sent[:DELIVERIES_SHOWN]
    issues: dict[int, Issue] = {delivery.id: issue for delivery, issue in shown}
    attempts = _attempts(session, issues)
    events = list(_events(session, issues))
    # What happened in one moment stands in this order: what came of it above what it came of.
    entries = [
        *events,
        *(_delivered(delivery, issue, attempts) for delivery, issue in shown),
        *_excluded(session, ids),
        *_letters(session, list_keys(session, subscriber.email_key, ids)),
        *list_changes(session, ids),
        *_agreed(session, subscriber),
        TimelineEntry(subscriber.created_at, "joined", "joined"),
    ]
    is_cut = len(sent) > DELIVERIES_SHOWN or len(events) >= EVENTS_SHOWN
    return Timeline(sorted(entries, key=lambda entry: entry.at, reverse=True), is_cut)


def _agreed(session: Session, subscriber: Subscriber) -> Iterator[TimelineEntry]:
    history = get_history(session, subscriber.id)
    suppressions = {entry.details["id"] for entry in history if "id" in entry.details}
    actors = find_actors(session, suppressions) if suppressions else {}
    accounts = {entry.details.get("account_id") for entry in history} - {None}
    names = {
        row.id: row.name for row in session.execute(select(Account.id, Account.name).where(Account.id.in_(accounts)))
    }
    for entry in history:
        kind, _, what = entry.kind.partition(".")
        by = names.get(entry.details.get("account_id") or 0)
        if kind == "suppression":
            by = actors.get((entry.details["id"], "lifted" if what == "lifted" else "added"))
        details = entry.details | {"list_id": entry.list_id, "newsletter_id": entry.newsletter_id, "by": by or ""}
        yield TimelineEntry(entry.at, "lifted" if what == "lifted" else kind, what, details)


def _excluded(session: Session, ids: Sequence[int]) -> Iterator[TimelineEntry]:
    """The latest mailings that left the reader out: each is one look into an index."""
    latest = (
        select(Mailing.id)
        .where(Mailing.prepared_at.is_not(None))
        .order_by(Mailing.id.desc())
        .limit(DELIVERIES_SHOWN)
        .subquery()
    )
    rows = session.execute(
        select(Exclusion.reason, Mailing, Issue)
        .select_from(latest)
        .join(Mailing, Mailing.id == latest.c.id)
        .join(Exclusion, (Exclusion.mailing_id == Mailing.id) & Exclusion.subscriber_id.in_(ids))
        .join(Issue, Issue.id == Mailing.issue_id)
    )
    for reason, mailing, issue in rows:
        details = {"issue": issue, "mailing_id": mailing.id}
        yield TimelineEntry(mailing.prepared_at or mailing.created_at, "excluded", reason, details)


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


def _letters(session: Session, keys: Sequence[str]) -> Iterator[TimelineEntry]:
    written = select(Letter).where(Letter.address_key.in_(keys)).order_by(Letter.id.desc())
    for letter in session.scalars(written.limit(LETTERS_SHOWN)):
        details = {"state": letter.state, "code": letter.code, "enhanced": letter.enhanced, "reply": letter.reply}
        yield TimelineEntry(letter.settled_at or letter.created_at, "letter", letter.kind, details)
