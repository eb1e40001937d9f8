"""The register of sentences that readers were shown when they agreed.

Each consent keeps its sentence itself; the register says which version of it that was, and lets a form on another site
name the version it shows.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.audience.models import Wording


def find_or_add_wording(session: Session, kind: str, text: str) -> Wording:
    """The version of `kind` that says exactly `text`; a new one when nobody was ever shown it before."""
    return _find(session, kind, text) or _add(session, kind, text)


def _find(session: Session, kind: str, text: str) -> Wording | None:
    return session.scalar(select(Wording).where(Wording.kind == kind, Wording.text == text))


def _add(session: Session, kind: str, text: str) -> Wording:
    # One at a time for each kind, until the end of the transaction: whoever waited here looks again, and finds the
    # sentence that the other one has just committed.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"wording/{kind}", 0))))
    known = _find(session, kind, text)
    if known is not None:
        return known
    latest = session.scalar(select(func.coalesce(func.max(Wording.version), 0)).where(Wording.kind == kind)) or 0
    added = Wording(kind=kind, text=text, version=latest + 1)
    session.add(added)
    session.flush()
    return added


def find_wording(session: Session, kind: str, wording_id: int) -> Wording | None:
    """A version by its id, as a form on another site names it."""
    found = session.get(Wording, wording_id)
    return found if found is not None and found.kind == kind else None
