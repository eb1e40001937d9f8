"""Outcomes on their way to PostgreSQL: gathered for a moment, written in one commit, repeated until it is there."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from mailer.db import session_scope
from mailer.dispatch.journal import Journal
from mailer.dispatch.outcomes import Settlement
from mailer.dispatch.rules import DeliveryEvent
from mailer.dispatch.settling import settle
from mailer.settings import get_settings

if TYPE_CHECKING:
    from mailer.dispatch.sending_process import SendingProcess

logger = logging.getLogger(__name__)

# A statement's own cost is that of fifty rows: a few hundred at a time, and nobody waits for them to be written.
GATHER_SECONDS = 0.1
ENOUGH = 800
MOST = 1000
# More than this, and nothing more is sent until the database has caught up.
FULL = 4000


class SettlingQueue:
    """Belongs to one run, on its event loop. `on_settled` hears of each committed set, and of what was still ours."""

    def __init__(
        self,
        process: "SendingProcess",
        journal: Journal,
        *,
        on_settled: Callable[[list[Settlement], set[int]], None],
    ) -> None:
        self._process, self._journal, self._on_settled = process, journal, on_settled
        self._pending: list[Settlement] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._is_ending = False
        self.has_failed = False
        self.counts: dict[DeliveryEvent, int] = {}

    @property
    def is_full(self) -> bool:
        return len(self._pending) >= FULL

    async def has_room(self) -> None:
        """Waits until the database has caught up."""
        await self._room.wait()

    def put(self, settlement: Settlement) -> None:
        self._pending.append(settlement)
        self._news.set()
        if self.is_full:
            self._room.clear()

    def end(self) -> None:
        """Nothing more will be put: `run` returns when the rest is written."""
        self._is_ending = True
        self._news.set()

    async def run(self) -> None:
        """Writes until it is ended. What the database would not take at all stays in the journal, for the sweep."""
        while True:
            await self._news.wait()
            self._news.clear()
            if len(self._pending) < ENOUGH and not self._is_ending:
                await asyncio.sleep(GATHER_SECONDS)
            batch, self._pending = self._pending[:MOST], self._pending[MOST:]
            if batch and not self.has_failed:
                await self._write(batch)
            self._room.set()
            if self._pending:
                self._news.set()
            elif self._is_ending:
                return

    async def _write(self, batch: list[Settlement]) -> None:
        settled = await self._write_again_and_again(batch)
        if settled is None:
            return
        self._journal.settled(item.delivery_id for item in batch)
        for item in batch:
            if item.delivery_id in settled:
                self.counts[item.event] = self.counts.get(item.event, 0) + 1
        self._on_settled(batch, settled)

    async def _write_again_and_again(self, batch: list[Settlement]) -> set[int] | None:
        """Until the leases are over: then the claims are the sweep's, and so is what the journal says of them."""
        gives_up_at = time.monotonic() + get_settings().lease_seconds
        wait = 0.1
        while True:
            try:
                return await self._process.in_thread(_settle_now, batch)
            except DBAPIError:
                logger.warning("%d outcomes wait for the database", len(batch), exc_info=wait == 0.1)
            if time.monotonic() + wait > gives_up_at:
                self.has_failed = True
                return None
            await asyncio.sleep(wait)
            wait = min(2.0, wait * 2)


def _settle_now(batch: list[Settlement]) -> set[int]:
    with session_scope() as session:
        return settle(session, batch)
