"""Domains of readers that take no mail, as far as the DNS tells: noted here, asked by a worker (`dispatch.mail_hosts`).

Only with `MAILER_CHECK_MX`. A domain is asked about when somebody signs up with it or is imported, and again from time
to time; what was said of one reader's address helps the next who makes the same mistake.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience.door_models import MailDomain
from mailer.audience.models import Subscriber
from mailer.audience.rules import DomainVerdict
from mailer.queue import TaskName, enqueue_after_commit
from mailer.settings import get_settings

# How long what was heard is believed. A refusal is taken back soon: somebody may be mending their DNS.
BELIEVED: dict[DomainVerdict, dt.timedelta] = {
    DomainVerdict.ACCEPTS: dt.timedelta(days=30),
    DomainVerdict.REFUSES: dt.timedelta(days=1),
    DomainVerdict.UNKNOWN: dt.timedelta(hours=1),
}
_NOTE_IMPORTED = text(
    "INSERT INTO mail_domains (domain) SELECT DISTINCT domain FROM import_verdicts WHERE verdict = 'new' "
    "ON CONFLICT DO NOTHING"
)


def note_domain(session: Session, domain: str) -> None:
    """Somebody signed up with an address of `domain`: a worker looks at it soon."""
    if not get_settings().check_mx:
        return
    made = session.scalar(
        insert(MailDomain).values(domain=domain).on_conflict_do_nothing().returning(MailDomain.domain)
    )
    if made is not None:
        enqueue_after_commit(session, TaskName.AUDIENCE_DOMAINS)


def note_imported(session: Session) -> None:
    """The same of everybody new in the import that is being merged; the sweep finds them."""
    if get_settings().check_mx:
        session.execute(_NOTE_IMPORTED)


def takes_no_mail(session: Session, domain: str) -> bool:
    """Whether the DNS said lately that nothing can be delivered there."""
    if not get_settings().check_mx:
        return False
    verdict = session.scalar(
        select(MailDomain.verdict).where(
            MailDomain.domain == domain,
            MailDomain.checked_at > func.now() - 2 * BELIEVED[DomainVerdict.REFUSES],
        )
    )
    return verdict == DomainVerdict.REFUSES


def list_due(session: Session, limit: int) -> Sequence[str]:
    """Domains to be asked about, the longest due first; those of nobody any more are forgotten."""
    due = MailDomain.next_check_at <= func.now()
    nobody = ~exists().where(Subscriber.domain == MailDomain.domain)
    session.execute(delete(MailDomain).where(due, nobody))
    return session.scalars(select(MailDomain.domain).where(due).order_by(MailDomain.next_check_at).limit(limit)).all()


def note_verdict(session: Session, domain: str, verdict: DomainVerdict) -> None:
    """What the DNS said. Silence does not overrule what it said before."""
    values: dict[str, Any] = {"next_check_at": func.now() + BELIEVED[verdict]}
    if verdict is not DomainVerdict.UNKNOWN:
        values |= {"verdict": verdict, "checked_at": func.now()}
    session.execute(update(MailDomain).where(MailDomain.domain == domain).values(values))
