"""A copy of everything we hold about one reader (PIPL article 45, GDPR article 15), as plain JSON values."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, RowMapping, Select, literal, select, union_all
from sqlalchemy.orm import Session

from mailer.audience.directories.models import Directory, DirectoryFinding, DirectoryMember, DirectoryRun
from mailer.audience.former import list_keys
from mailer.audience.import_models import ImportRefusal, ImportRun
from mailer.audience.models import (
    AddressChange,
    Consent,
    Engagement,
    LeaveReason,
    Subscriber,
    SubscriberChange,
    Subscription,
    Suppression,
)
from mailer.audience.subscriptions import list_ids_of
from mailer.dispatch.models import Attempt, Delivery, Mailing
from mailer.errors import NotFoundError
from mailer.feedback.models import Click, Open
from mailer.i18n import N_
from mailer.letters.models import Letter
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import EditionLink
from mailer.newsroom.models import Issue


def copy_of(session: Session, subscriber_id: int) -> dict[str, Any]:
    """Every row about this reader, grouped by what it is; times are ISO 8601 in UTC. Raises `NotFoundError`."""
    subscriber = session.get(Subscriber, subscriber_id)
    if subscriber is None:
        raise NotFoundError(N_("There is no such subscriber."))

    # The rows of an address that became this reader's tell about them as well.
    ids = list_ids_of(session, subscriber_id)
    keys = list_keys(session, subscriber.email_key, ids)

    def rows(query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
        return _plain(session.execute(query).mappings().all())

    return {
        "subscriber": rows(
            select(
                Subscriber.email,
                Subscriber.name,
                Subscriber.locale,
                Subscriber.attributes,
                Subscriber.created_at,
                Subscriber.paused_until,
                Subscriber.erased_at,
            ).where(Subscriber.id == subscriber_id)
        )[0],
        "subscriptions": rows(_subscriptions(ids)),
        "consents": rows(_consents(ids)),
        "suppressions": rows(_suppressions(keys)),
        "engagement": rows(_engagement(ids)),
        "deliveries": rows(_deliveries(ids)),
        "attempts": rows(_attempts(ids)),
        "opens_and_clicks": _plain(session.execute(_events(ids)).mappings().all()),
        "address_changes": rows(_address_changes(ids)),
        "changes": rows(
            select(SubscriberChange.created_at, SubscriberChange.how, SubscriberChange.old, SubscriberChange.new)
            .where(SubscriberChange.subscriber_id.in_(ids))
            .order_by(SubscriberChange.id)
        ),
        "leave_reasons": rows(
            select(LeaveReason.created_at, LeaveReason.reason, LeaveReason.note)
            .where(LeaveReason.subscriber_id.in_(ids))
            .order_by(LeaveReason.id)
        ),
        "letters": [_without_links(row) for row in rows(_letters(keys))],
        "import_refusals": list_import_refusals(session, keys),
        "directories": rows(_directories(ids)),
        "directory_findings": rows(_findings(keys)),
    }


def _plain(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    return [{name: _value(value) for name, value in row.items()} for row in rows]


def _value(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value if value is None or isinstance(value, int | float | dict | list) else str(value)


def _subscriptions(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Newsletter.title.label("newsletter"),
            List.name.label("list"),
            Subscription.state,
            Subscription.source,
            Subscription.created_at,
            Subscription.confirmed_at,
            Subscription.unsubscribed_at,
            Subscription.answers,
        )
        .join(List, List.id == Subscription.list_id)
        .join(Newsletter, Newsletter.id == List.newsletter_id)
        .where(Subscription.subscriber_id.in_(ids))
        .order_by(Subscription.id)
    )


def _consents(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Consent.at,
            Newsletter.title.label("newsletter"),
            List.name.label("list"),
            Consent.act,
            Consent.wording,
            Consent.basis,
            Consent.ip,
            Consent.user_agent,
            Consent.letter_message_id,
            Consent.letter_at,
            Consent.decided_by,
            Consent.decided_on,
        )
        .join(List, List.id == Consent.list_id)
        .join(Newsletter, Newsletter.id == List.newsletter_id)
        .where(Consent.subscriber_id.in_(ids))
        .order_by(Consent.id)
    )


def _suppressions(keys: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Newsletter.title.label("newsletter"),
            Suppression.reason,
            Suppression.note,
            Suppression.created_at,
            Suppression.expires_at,
            Suppression.lifted_at,
        )
        .outerjoin(Newsletter, Newsletter.id == Suppression.newsletter_id)
        .where(Suppression.email_key.in_(keys))
        .order_by(Suppression.id)
    )


def _engagement(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(Newsletter.title.label("newsletter"), Engagement.last_open_at, Engagement.last_click_at)
        .join(Newsletter, Newsletter.id == Engagement.newsletter_id)
        .where(Engagement.subscriber_id.in_(ids))
        .order_by(Newsletter.id)
    )


def _deliveries(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Delivery.id,
            Issue.title.label("issue"),
            Issue.year,
            Issue.number,
            Delivery.address,
            Delivery.state,
            Delivery.reason,
            Delivery.queued_at,
            Delivery.settled_at,
            Delivery.code,
            Delivery.enhanced,
            Delivery.reply,
        )
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .join(Issue, Issue.id == Mailing.issue_id)
        .where(Delivery.subscriber_id.in_(ids))
        .order_by(Delivery.id)
    )


def _attempts(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(Attempt.delivery_id, Attempt.at, Attempt.outcome, Attempt.code, Attempt.enhanced, Attempt.reply)
        .join(Delivery, Delivery.id == Attempt.delivery_id)
        .where(Delivery.subscriber_id.in_(ids))
        .order_by(Attempt.id)
    )


def _events(ids: Sequence[int]) -> CompoundSelect[*tuple[Any, ...]]:
    opens = (
        select(literal("open").label("kind"), Open.delivery_id, Open.at, literal(None).label("link"), Open.verdict,
               Open.user_agent, Open.ip)
        .join(Delivery, Delivery.id == Open.delivery_id)
        .where(Delivery.subscriber_id.in_(ids))
    )  # fmt: skip
    clicks = (
        select(literal("click").label("kind"), Click.delivery_id, Click.at, EditionLink.url.label("link"),
               Click.verdict, Click.user_agent, Click.ip)
        .join(Delivery, Delivery.id == Click.delivery_id)
        .outerjoin(
            EditionLink,
            (EditionLink.edition_id == Click.edition_id) & (EditionLink.ordinal == Click.link_ordinal),
        )
        .where(Delivery.subscriber_id.in_(ids))
    )  # fmt: skip
    return union_all(opens, clicks).order_by("at")


def _address_changes(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            AddressChange.created_at,
            AddressChange.old_key.label("from"),
            AddressChange.email.label("to"),
            AddressChange.done_at,
            AddressChange.cancelled_at,
        )
        .where(AddressChange.subscriber_id.in_(ids))
        .order_by(AddressChange.id)
    )


def _without_links(letter: dict[str, Any]) -> dict[str, Any]:
    """A letter's links prove whose mailbox it lies in: they belong nowhere else, in no copy either."""
    kept = {name: value for name, value in letter["parameters"].items() if not name.endswith("url")}
    return letter | {"parameters": kept}


def _letters(keys: Sequence[str]) -> Select[*tuple[Any, ...]]:
    return (
        select(Letter.kind, Letter.created_at, Letter.locale, Letter.state, Letter.settled_at, Letter.parameters)
        .where(Letter.address_key.in_(keys))
        .order_by(Letter.id)
    )


def _directories(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Where the institution keeps them, and has them from or had them."""
    return (
        select(
            Directory.name.label("directory"),
            DirectoryMember.email_key.label("value"),
            DirectoryMember.joined_at,
            DirectoryMember.removed_at,
        )
        .join(Directory, Directory.id == DirectoryMember.directory_id)
        .where(DirectoryMember.subscriber_id.in_(ids))
        .order_by(DirectoryMember.joined_at, Directory.id)
    )


def _findings(keys: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """What runs of directories said of one of these addresses."""
    return (
        select(
            DirectoryRun.created_at.label("at"),
            Directory.name.label("directory"),
            DirectoryFinding.kind,
            DirectoryFinding.value,
        )
        .join(DirectoryRun, DirectoryRun.id == DirectoryFinding.run_id)
        .join(Directory, Directory.id == DirectoryRun.directory_id)
        .where(DirectoryFinding.email_key.in_(keys))
        .order_by(DirectoryFinding.run_id, DirectoryFinding.ordinal)
    )


def list_import_refusals(session: Session, keys: Sequence[str]) -> list[dict[str, Any]]:
    """Lines of uploaded files that named one of these addresses and were refused."""
    found = session.execute(
        select(ImportRun.filename, ImportRun.created_at, ImportRefusal.line, ImportRefusal.value)
        .join(ImportRun, ImportRun.id == ImportRefusal.run_id)
        .where(ImportRefusal.email_key.in_(keys))
        .order_by(ImportRefusal.run_id, ImportRefusal.line)
    )
    return [
        {"filename": filename, "at": _value(at), "line": line, "value": value} for filename, at, line, value in found
    ]
