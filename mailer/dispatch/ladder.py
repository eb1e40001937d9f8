"""When a delivery that was put off is tried again, and when it is given up."""

import datetime as dt

# Minutes between attempts, for a bulletin that is dated; the last step repeats.
LADDER: tuple[int, ...] = (5, 15, 30, 60, 120, 240)
# A fault of the relay or of the provider says nothing about the recipient: it is tried more often, and counted apart.
LONGEST_FAULT = 60


def wait_after(attempts: int) -> dt.timedelta:
    """The wait after the attempt that followed `attempts` earlier ones, each of which counted against the budget."""
    return dt.timedelta(minutes=LADDER[min(attempts, len(LADDER) - 1)])


def wait_after_fault(faults: int) -> dt.timedelta:
    """The wait after a fault that followed `faults` earlier ones."""
    return min(wait_after(faults), dt.timedelta(minutes=LONGEST_FAULT))


def is_spent(attempts: int, give_up_hours: int) -> bool:
    """Whether `attempts` deferrals have used up the budget: the next attempt would come after `give_up_hours` of waits.

    Waits are counted and not the hours since the roster was frozen: neither a mailing that was paused over the
    holidays nor a relay that was down for a day takes anything from a recipient's budget.
    """
    return _sum(attempts, LADDER[-1]) > give_up_hours * 60


def is_spent_by_faults(faults: int, give_up_hours: int) -> bool:
    """The same for faults: a recipient at whom the connection broke for days on end is given up as well."""
    return _sum(faults, LONGEST_FAULT) > give_up_hours * 60


def _sum(count: int, longest: int) -> int:
    steps = [min(step, longest) for step in LADDER]
    return sum(steps[:count]) + steps[-1] * max(0, count - len(steps))
