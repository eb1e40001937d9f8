"""Looks at a mailing's sums again and again while all around it dies: each look is one statement, one snapshot."""

import threading

import psycopg

from tests.chaos.relay import Relay

LOOK = """
SELECT m.state, m.prepared_at IS NOT NULL, m.finished_at IS NOT NULL, coalesce(m.roster_size, 0),
    s.holders, s.queued, s.claimed, s.accepted, s.rejected, s.unknown, s.skipped, s.expired
FROM mailings m
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(DISTINCT split_part(claimed_by, '/', 1)) FILTER (WHERE state = 'claimed'), '{}') AS holders,
        count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'claimed') AS claimed,
        count(*) FILTER (WHERE state = 'accepted') AS accepted, count(*) FILTER (WHERE state = 'rejected') AS rejected,
        count(*) FILTER (WHERE state = 'unknown') AS unknown, count(*) FILTER (WHERE state = 'skipped') AS skipped,
        count(*) FILTER (WHERE state = 'expired') AS expired
    FROM deliveries WHERE mailing_id = m.id
) s
WHERE m.id = %s
"""
# Outcomes that nothing but a person takes back.
FINAL = slice(2, 7)
RECONNECT_SECONDS = 0.05


class Watcher:
    """Collects what must never be seen; `check` tells."""

    def __init__(self, database_url: str, mailing_id: int, relay: Relay, *, pause: float) -> None:
        self._url, self._mailing_id, self._relay, self._pause = database_url, mailing_id, relay, pause
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._before = (0,) * 5
        self.looks = 0
        self.senders: set[str] = set()
        self.wrongs: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join(30)

    def check(self) -> None:
        """One last look, and then the verdict."""
        self.stop()
        with psycopg.connect(self._url, autocommit=True) as connection:
            self._look(connection)
        assert self.looks > 1
        assert not self.wrongs, self.wrongs[:5]

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    while not self._is_over.wait(self._pause):
                        self._look(connection)
            except psycopg.OperationalError:
                # The database has just been killed.
                self._is_over.wait(RECONNECT_SECONDS)

    def _look(self, connection: psycopg.Connection) -> None:
        row = connection.execute(LOOK, (self._mailing_id,)).fetchone()
        if row is None:
            return
        state, is_prepared, is_finished, roster, holders, *counts = row
        self.looks += 1
        self.senders.update(holders)
        if sum(counts) != (roster if is_prepared else 0):
            self.wrongs.append(f"{state}: {counts} do not make a roster of {roster}")
        if is_finished and counts[0] + counts[1]:
            self.wrongs.append(f"{state}, and still {counts[:2]} queued and claimed")
        if any(now < before for now, before in zip(counts[FINAL], self._before, strict=True)):
            self.wrongs.append(f"{counts[FINAL]} after {self._before}")
        self._before = tuple(counts[FINAL])
        # Read after the snapshot: whoever is accepted there has been taken here.
        taken = self._relay.count()
        if counts[2] > taken:
            self.wrongs.append(f"{counts[2]} accepted of {taken} taken")
