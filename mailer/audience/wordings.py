"""The register of sentences that readers were shown when they agreed.

Each consent keeps its sentence itself; the register says which version of it that was, and lets a form on another site
name the version it shows.
"""

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.audience.models import Wording


def find_or_add_wording(session: Session, kind: str, text: str) -> Wording:
    """The version of `kind` that says exactly `text`; a new one when nobody was ever shown it before."""
    while True:
        known = session.scalar(select(Wording).where(Wording.kind == kind, Wording.text == text))
        if known is not None:
            return known
        latest = select(func.coalesce(func.max(Wording.version), 0) + 1).where(Wording.kind == kind).scalar_subquery()
        # Another transaction may take the same number, perhaps for the same sentence: then look again.
        session.execute(
            insert(Wording)
            .values(kind=kind, text=text, version=latest)
            .on_conflict_do_nothing(index_elements=[Wording.kind, Wording.version])
        )


def find_wording(session: Session, kind: str, wording_id: int) -> Wording | None:
    """A version by its id, as a form on another site names it."""
    found = session.get(Wording, wording_id)
    return found if found is not None and found.kind == kind else None
