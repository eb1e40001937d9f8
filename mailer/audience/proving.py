"""The proof of a reader's consent, as one page: every act with the words that were shown, and who decided otherwise."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.audience.import_models import ImportRun
from mailer.audience.models import Consent, Wording
from mailer.audience.subscriptions import list_ids_of
from mailer.letters.models import Letter
from mailer.newsletters.models import List, Newsletter


@dataclass(frozen=True, slots=True)
class Proof:
    """One act. `version` is the wording's; `letter_state` and `letter_reply` what became of the letter whose button was
    pressed; `entered_by` the account that entered the reader and `filename` the file it did it with, where it was not
    the reader themselves. Who decided it, and when, stands in the consent.
    """

    consent: Consent
    newsletter: str
    list: str
    version: int | None
    letter_state: str | None
    letter_reply: str
    letter_accepted_at: dt.datetime | None
    entered_by: str
    filename: str


def list_proofs(session: Session, subscriber_id: int) -> list[Proof]:
    """Oldest first, those of an address that became this reader's too."""
    query = (
        select(Consent, Newsletter.title, List.name, Wording.version, Letter, Account.name, ImportRun.filename)
        .join(List, List.id == Consent.list_id)
        .join(Newsletter, Newsletter.id == List.newsletter_id)
        .outerjoin(Wording, Wording.id == Consent.wording_id)
        .outerjoin(Letter, (Letter.message_id == Consent.letter_message_id) & (Consent.letter_message_id != ""))
        .outerjoin(Account, Account.id == Consent.account_id)
        .outerjoin(ImportRun, ImportRun.id == Consent.import_id)
        .where(Consent.subscriber_id.in_(list_ids_of(session, subscriber_id)))
        .order_by(Consent.id)
    )
    return [_proof(*row) for row in session.execute(query)]


def _proof(
    consent: Consent,
    newsletter: str,
    name: str,
    version: int | None,
    letter: Letter | None,
    entered_by: str | None,
    filename: str | None,
) -> Proof:
    return Proof(
        consent=consent,
        newsletter=newsletter,
        list=name,
        version=version,
        letter_state=str(letter.state) if letter is not None else None,
        letter_reply=letter.reply if letter is not None else "",
        letter_accepted_at=letter.settled_at if letter is not None and letter.state == "accepted" else None,
        entered_by=entered_by or "",
        filename=filename or "",
    )
