"""How many readers lists have, kept beside the subscriptions by triggers (migration 0190): counting a million anew
takes too long for a page.
"""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.audience.models import SubscriptionCount
from mailer.audience.rules import SubscriptionState


def count_by_list(session: Session) -> dict[int, dict[SubscriptionState, int]]:
    """How many readers each list has in each state; every state is named, a list without readers is missing."""
    counts: dict[int, dict[SubscriptionState, int]] = {}
    kept = SubscriptionCount
    readers = func.sum(kept.readers)
    query = select(kept.list_id, kept.state, readers).group_by(kept.list_id, kept.state).having(readers != 0)
    for list_id, state, count in session.execute(query):
        counts.setdefault(list_id, dict.fromkeys(SubscriptionState, 0))[SubscriptionState(state)] = int(count)
    return counts


def fold_counts(session: Session) -> int:
    """One row for each list and state in place of many; gives back how many there are then. Twice, or at once by two,
    does no harm: whoever comes second finds what the first has left.
    """
    folding = text(
        """
        WITH gone AS (DELETE FROM subscription_counts RETURNING list_id, state, readers)
        INSERT INTO subscription_counts (list_id, state, readers)
        SELECT list_id, state, sum(readers) FROM gone GROUP BY list_id, state HAVING sum(readers) <> 0
        RETURNING id
        """
    )
    return len(session.execute(folding).all())
