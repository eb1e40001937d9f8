"""What became different about a reader, kept with who did it and how: for the reader's page and their own copy."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber, SubscriberChange
from mailer.audience.rules import ChangeHow


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A reader before a change: what `note_change` compares with."""

    name: str
    locale: str
    paused_until: str | None
    attributes: dict[str, Any] = field(default_factory=dict)


def snapshot(subscriber: Subscriber) -> Snapshot:
    """As they are now."""
    until = subscriber.paused_until
    return Snapshot(
        subscriber.name, subscriber.locale, until.isoformat() if until else None, dict(subscriber.attributes or {})
    )


def note_change(session: Session, subscriber: Subscriber, before: Snapshot, how: ChangeHow) -> None:
    """Adds a row with what differs from `before`, and none where nothing does."""
    after = snapshot(subscriber)
    old, new = _differences(before, after)
    if old != new:
        session.add(SubscriberChange(subscriber_id=subscriber.id, how=how, old=old, new=new))
        session.flush()


def _differences(before: Snapshot, after: Snapshot) -> tuple[dict[str, Any], dict[str, Any]]:
    old: dict[str, Any] = {}
    new: dict[str, Any] = {}
    for name in ("name", "locale", "paused_until"):
        if getattr(before, name) != getattr(after, name):
            old[name], new[name] = getattr(before, name), getattr(after, name)
    keys = sorted(before.attributes.keys() | after.attributes.keys())
    changed = [key for key in keys if before.attributes.get(key) != after.attributes.get(key)]
    if changed:
        old["attributes"] = {key: before.attributes.get(key) for key in changed}
        new["attributes"] = {key: after.attributes.get(key) for key in changed}
    return old, new
