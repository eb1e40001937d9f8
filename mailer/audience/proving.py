"""The proof of a reader's consent, as one page: every act with the words that were shown, and who decided otherwise."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account, AuditEntry
from mailer.audience.models import Consent, ImportRun, Wording
from mailer.audience.rules import ConsentAct
from mailer.audience.subscriptions import list_ids_of
from mailer.letters.models import Letter
from mailer.newsletters.models import List, Newsletter

# Between an admin's act and its line in the trail lie moments; both are written in one transaction.
_TOGETHER = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Proof:
    """One act. `version` is the wording's; `letter_state` and `letter_reply` what became of the letter whose button was
    pressed; `decided_by` who entered the reader, and `decided_how`, where it was not the reader themselves.
    """

    consent: Consent
    newsletter: str
    list: str
    version: int | None
    letter_state: str | None
    letter_reply: str
    letter_accepted_at: dt.datetime | None
    decided_by: str
    decided_how: str


def list_proofs(session: Session, subscriber_id: int) -> list[Proof]:
    """Oldest first, those of an address that became this reader's too."""
    query = (
        select(Consent, Newsletter.title, List.name, Wording.version, Letter)
        .join(List, List.id == Consent.list_id)
        .join(Newsletter, Newsletter.id == List.newsletter_id)
        .outerjoin(Wording, Wording.id == Consent.wording_id)
        .outerjoin(Letter, (Letter.message_id == Consent.letter_message_id) & (Consent.letter_message_id != ""))
        .where(Consent.subscriber_id.in_(list_ids_of(session, subscriber_id)))
        .order_by(Consent.id)
    )
    return [_proof(session, *row) for row in session.execute(query)]


def _proof(
    session: Session, consent: Consent, newsletter: str, name: str, version: int | None, letter: Letter | None
) -> Proof:
    who, how = _decision(session, consent)
    return Proof(
        consent=consent,
        newsletter=newsletter,
        list=name,
        version=version,
        letter_state=str(letter.state) if letter is not None else None,
        letter_reply=letter.reply if letter is not None else "",
        letter_accepted_at=letter.settled_at if letter is not None and letter.state == "accepted" else None,
        decided_by=who,
        decided_how=how,
    )


def _decision(session: Session, consent: Consent) -> tuple[str, str]:
    """(who, by which file) entered the reader; two blanks when the reader did it themselves, or nobody remembers."""
    if consent.act != ConsentAct.IMPORTED:
        return "", ""
    actor = session.scalar(
        select(AuditEntry.actor)
        .where(
            AuditEntry.action == "subscriber.added",
            AuditEntry.subject_id == consent.subscriber_id,
            AuditEntry.at.between(consent.at - _TOGETHER, consent.at + _TOGETHER),
        )
        .limit(1)
    )
    if actor is not None:
        return actor, ""
    run = session.execute(
        select(Account.name, ImportRun.filename)
        .select_from(ImportRun)
        .outerjoin(Account, Account.id == ImportRun.account_id)
        .where(
            ImportRun.list_id == consent.list_id,
            ImportRun.created_at <= consent.at,
            ImportRun.finished_at.is_(None) | (ImportRun.finished_at >= consent.at),
        )
        .order_by(ImportRun.id.desc())
        .limit(1)
    ).first()
    return (run[0] or "", run[1]) if run is not None else ("", "")
