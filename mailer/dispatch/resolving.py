"""Claims whose process is gone: what its journal says, or what its silence means.

A journal's lock is free as soon as its process has ended: such a process's claims are resolved at once. Where the lock
cannot tell (another host's process, a stopped one), the lease decides.

    no intent                 nothing was sent: back to the queue, untried
    an intent and its reply   that outcome
    an intent without one     unknown
    no journal to read        unknown: it may be on another machine's disk, or burnt with it
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.dispatch import outcomes
from mailer.dispatch.claiming import split_holder
from mailer.dispatch.envelopes import Result
from mailer.dispatch.journal import Journal, JournalEntry
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.replies import judge
from mailer.dispatch.rules import DeliveryEvent, Outcome
from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.settings import get_settings

logger = logging.getLogger(__name__)

# The class of a delivery whose process died between its content and its reply.
LOST_WORKER = "lost_reply"
NO_JOURNAL = N_("The journal of the process that had it is missing: nobody knows whether it was sent.")
KILLED = N_("The process that sent it was killed before it heard the answer.")

# A process on this host that still lives has one more lease to make itself heard after a database that was away.
CLAIMS = text("""
SELECT id, mailing_id, claimed_by, provider, attempts, faults,
    lease_until < now() AS is_over, lease_until < now() - make_interval(secs => :lease) AS is_long_over
FROM deliveries WHERE state = 'claimed'
""")


@dataclass(slots=True)
class Bequest:
    """The journals of one process, read together. `is_readable` is false where there is none, or a damaged one."""

    key: str
    paths: list[Path] = field(default_factory=list)
    is_living: bool = False
    is_readable: bool = False
    entries: dict[int, JournalEntry] = field(default_factory=dict)


def key_of(path: Path) -> str:
    """The journal key in a file's name."""
    return path.name.split(".", 1)[0]


def find_bequests(directory: Path) -> dict[str, Bequest]:
    """Key -> who left journals there, and whether that process still lives. Nothing is read yet."""
    found: dict[str, Bequest] = {}
    for path in Journal.files(directory):
        bequest = found.setdefault(key_of(path), Bequest(key_of(path)))
        bequest.paths.append(path)
        bequest.is_living = bequest.is_living or Journal.is_living(path)
    return found


def read_bequest(bequest: Bequest) -> None:
    """Reads its files, oldest first. A damaged one makes all of it unreadable: what it hides may have been sent."""
    bequest.is_readable = bool(bequest.paths)
    for path in sorted(bequest.paths, key=_number):
        try:
            bequest.entries.update(Journal.read(path))
        except UnreadableError:
            logger.exception("journal %s", path.name)
            bequest.is_readable = False


def _number(path: Path) -> int:
    middle = path.name.split(".")[1]
    return int(middle) if middle.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Orphan:
    """A claim, as the ledger has it."""

    id: int
    claimed_by: str
    provider: str
    attempts: int
    faults: int


def list_orphans(session: Session, bequests: dict[str, Bequest]) -> dict[str, list[Orphan]]:
    """Key -> claims of processes that are dead, or have let their leases end."""
    orphans: dict[str, list[Orphan]] = {}
    for row in session.execute(CLAIMS, {"lease": get_settings().lease_seconds}):
        key = split_holder(row.claimed_by or "")[0]
        bequest = bequests.get(key)
        if bequest is None:
            is_orphan = row.is_over
        elif bequest.is_living:
            is_orphan = row.is_long_over
        else:
            is_orphan = True
        if is_orphan:
            claim = Orphan(row.id, row.claimed_by or "", row.provider, row.attempts, row.faults)
            orphans.setdefault(key, []).append(claim)
    return orphans


def resolve(bequest: Bequest, orphans: Iterable[Orphan]) -> list[Settlement]:
    """What becomes of each of these claims, by the journal of the process that made them."""
    return [_resolve_one(bequest, orphan) for orphan in orphans]


def _resolve_one(bequest: Bequest, orphan: Orphan) -> Settlement:
    entry = bequest.entries.get(orphan.id)
    if not bequest.is_readable:
        return _lost(orphan, NO_JOURNAL)
    # An intent of an earlier claim says nothing about this one.
    if entry is None or entry.token != split_holder(orphan.claimed_by)[1]:
        return outcomes.give_back(orphan.id, orphan.claimed_by)
    if entry.is_intent:
        return _lost(orphan, KILLED)
    return outcomes.decide(
        _result_of(entry),
        claimed_by=orphan.claimed_by,
        provider=orphan.provider,
        attempts=orphan.attempts,
        faults=orphan.faults,
        give_up_hours=get_settings().give_up_hours,
    )


def _lost(orphan: Orphan, why: str) -> Settlement:
    return Settlement(
        delivery_id=orphan.id,
        claimed_by=orphan.claimed_by,
        event=DeliveryEvent.LOSE,
        reason=LOST_WORKER,
        attempts=1,
        reply=why,
        provider=orphan.provider,
        attempt=outcomes.Attempted(Outcome.UNKNOWN, LOST_WORKER, "content", relay="", is_tls=False, duration_ms=None),
    )


def _result_of(entry: JournalEntry) -> Result:
    assert entry.code is not None
    if 200 <= entry.code < 300:
        outcome, reply_class, is_fault = Outcome.ACCEPTED, "accepted", False
    else:
        verdict = judge("content", entry.code, entry.enhanced, entry.reply)
        outcome, reply_class, is_fault = verdict.outcome, verdict.reply_class, verdict.is_relay_fault
    return Result(
        delivery_id=entry.delivery_id,
        outcome=outcome,
        reply_class=reply_class,
        stage="content",
        code=entry.code,
        enhanced=entry.enhanced,
        reply=entry.reply,
        is_tls=False,
        duration_ms=0,
        relay="",
        is_relay_fault=is_fault,
    )


def discard(bequests: Sequence[Bequest]) -> None:
    """Deletes the journals of dead processes that hold no claim any more."""
    for bequest in bequests:
        for path in bequest.paths:
            Journal.discard(path)
