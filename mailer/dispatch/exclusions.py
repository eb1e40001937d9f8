"""How many were left out of a mailing for which reason: counted once, when its roster is frozen.

Exclusions never change after that, not even when a reader is erased: a page that is asked every two seconds reads the
sums with the mailing, and no million rows.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Exclusion, Mailing
from mailer.dispatch.rules import ExclusionReason


def get_exclusions(session: Session, mailing: Mailing) -> dict[ExclusionReason, int]:
    """Every reason that occurs, the most frequent first; counted where nothing was kept with the mailing."""
    kept = mailing.exclusion_counts
    counts = count_exclusions(session, mailing.id) if kept is None else kept
    found = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return {ExclusionReason(reason): count for reason, count in found}


def count_exclusions(session: Session, mailing_id: int) -> dict[str, int]:
    """Reason -> people, from the rows themselves: about half a second for a million."""
    rows = session.execute(
        select(Exclusion.reason, func.count()).where(Exclusion.mailing_id == mailing_id).group_by(Exclusion.reason)
    )
    return {str(reason): count for reason, count in rows}
