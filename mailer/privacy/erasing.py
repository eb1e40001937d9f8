"""Erasing a reader: what remains is a keyed hash in the suppression list, and counts in reports that name nobody."""

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience import leaving
from mailer.audience.directories.models import DirectoryFinding, DirectoryMember
from mailer.audience.former import list_keys
from mailer.audience.import_models import ImportRefusal
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
from mailer.audience.rules import SuppressionReason
from mailer.audience.subscriptions import list_ids_of
from mailer.audience.suppressing import erased_key, suppress
from mailer.dispatch.models import Attempt, Delivery
from mailer.errors import NotFoundError
from mailer.feedback.models import Click, Open
from mailer.i18n import N_
from mailer.letters.models import Letter
from mailer.letters.rules import LetterState

# Stands where an address must stand and can belong to nobody (RFC 2606).
_NOBODY = "erased.invalid"


def erase(
    session: Session, subscriber_id: int, by: Account | None, *, ip: str | None = None, wording: str = "erased"
) -> None:
    """Erases everything that tells who this reader is. Twice is once. Raises `NotFoundError`. `wording` is what the
    button said that was pressed: it stands beside the consents that end.

    The subscriber's row stays as a number without a person, so that sums still add up; the consents stay as the proof
    that there was one, without address or browser. What was being sent at this very moment may still arrive.
    """
    subscriber = session.get(Subscriber, subscriber_id, with_for_update=True, populate_existing=True)
    if subscriber is None:
        raise NotFoundError(N_("There is no such subscriber."))
    if subscriber.erased_at is not None:
        return
    ids = list_ids_of(session, subscriber_id)
    keys = list_keys(session, subscriber.email_key, ids)
    leaving.leave_all(session, subscriber_id, wording=wording)
    _forget_trace(session, ids)
    session.execute(delete(DirectoryMember).where(DirectoryMember.subscriber_id.in_(ids)))
    for key in keys:
        _hash_suppressions(session, key)
        _forget_words(session, ids, key)
        _forget_letters(session, key)
        _forget_refusals(session, key)
    nobody = f"{subscriber.id}@{_NOBODY}"
    subscriber.email, subscriber.email_key, subscriber.domain = nobody, nobody, _NOBODY
    subscriber.name, subscriber.attributes, subscriber.paused_until = "", {}, None
    subscriber.erased_at = session.scalar(select(func.clock_timestamp()))
    session.flush()
    record(session, by=by, action="subscriber.erased", subject_type="subscriber", subject_id=subscriber_id, ip=ip)


def _hash_suppressions(session: Session, key: str) -> None:
    """The rows of this address keep their reasons under the hash; their notes may quote the address, and go."""
    hashed = erased_key(key)
    # An earlier life of the same address may have left open rows under the hash already: those are closed first.
    session.execute(
        update(Suppression)
        .where(Suppression.email_key == hashed, Suppression.lifted_at.is_(None))
        .values(lifted_at=func.clock_timestamp())
    )
    session.execute(update(Suppression).where(Suppression.email_key == key).values(email_key=hashed, note=""))
    session.expire_all()
    suppress(session, email_key=hashed, reason=SuppressionReason.ERASED)


def _forget_words(session: Session, ids: list[int], key: str) -> None:
    """Why they left stays as a count. What was answered and changed goes, and changes of address, others' to this one
    too.
    """
    session.execute(update(LeaveReason).where(LeaveReason.subscriber_id.in_(ids)).values(note=""))
    session.execute(update(Subscription).where(Subscription.subscriber_id.in_(ids)).values(answers={}))
    session.execute(delete(SubscriberChange).where(SubscriberChange.subscriber_id.in_(ids)))
    session.execute(
        delete(AddressChange).where(AddressChange.subscriber_id.in_(ids) | (AddressChange.email_key == key))
    )


def _forget_trace(session: Session, ids: list[int]) -> None:
    """Server replies quote addresses; opens and clicks came from a network address with a browser."""
    mine = select(Delivery.id).where(Delivery.subscriber_id.in_(ids)).scalar_subquery()
    session.execute(update(Consent).where(Consent.subscriber_id.in_(ids)).values(ip=None, user_agent=""))
    session.execute(delete(Engagement).where(Engagement.subscriber_id.in_(ids)))
    session.execute(update(Attempt).where(Attempt.delivery_id.in_(mine)).values(reply=""))
    for table in (Open, Click):
        session.execute(update(table).where(table.delivery_id.in_(mine)).values(ip=None, user_agent=""))
    session.execute(update(Delivery).where(Delivery.subscriber_id.in_(ids)).values(address="", reply=""))


def _forget_letters(session: Session, key: str) -> None:
    """Letters that wait are not sent; one that is on its way is forgotten when its retention ends."""
    session.execute(delete(Letter).where(Letter.address_key == key, Letter.state != LetterState.CLAIMED))


def _forget_refusals(session: Session, key: str) -> None:
    for table in (ImportRefusal, DirectoryFinding):
        session.execute(delete(table).where(table.email_key == key))
