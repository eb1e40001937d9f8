"""Knocking at the relays' doors now and then: what came of it is kept, and who does not answer is left alone.

The sweep's, and bounded: a few relays at a time, all of them at once, for a few seconds.
"""

import asyncio
import logging

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.db import session_scope
from mailer.dispatch.models import Relay
from mailer.dispatch.relays.probing import PROBE_TIMEOUTS, ProbeResult, probe
from mailer.dispatch.relays.registry import address_of
from mailer.dispatch.smtp.relay import RelayAddress
from mailer.dispatch.smtp.transmission import new_event_loop
from mailer.dispatch.suspending import end_relay_suspension, suspend_relay
from mailer.errors import RuleError
from mailer.i18n import N_

logger = logging.getLogger(__name__)

# How often one that answers is asked, and one that does not.
EVERY_SECONDS, AGAIN_SECONDS = 300, 60
# Relays asked by one sweep, and how long all of that may take: the next sweep waits for it.
MOST, PATIENCE = 5, 5.0
SILENT = N_("It did not answer within a few seconds.")

# The time is written first, so that two sweeps do not knock at the same door; whoever dies in between has only lost a
# turn. One that was just made or changed has none.
TAKE = text("""
UPDATE relays SET probed_at = now() WHERE id IN (
    SELECT id FROM relays
    WHERE is_enabled AND (probed_at IS NULL OR probed_at < now() - make_interval(
        secs => CASE WHEN is_reachable THEN :every ELSE :again END))
    ORDER BY probed_at NULLS FIRST, id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
) RETURNING id
""")


def probe_due() -> list[int]:
    """Asks the relays whose turn it is; returns their ids."""
    addresses: dict[int, RelayAddress] = {}
    with session_scope() as session:
        due = list(session.scalars(TAKE, {"every": EVERY_SECONDS, "again": AGAIN_SECONDS, "most": MOST}))
        for relay_id in due:
            relay = session.get_one(Relay, relay_id)
            try:
                addresses[relay_id] = address_of(relay)
            except RuleError as error:
                relay.is_reachable, relay.probe_error = False, error.message
    if addresses:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            results = runner.run(_ask(addresses))
        with session_scope() as session:
            for relay_id, result in results.items():
                _note(session, relay_id, result)
    return due


async def _ask(addresses: dict[int, RelayAddress]) -> dict[int, ProbeResult | None]:
    async def one(address: RelayAddress) -> ProbeResult | None:
        try:
            return await asyncio.wait_for(probe(address, timeouts=PROBE_TIMEOUTS), PATIENCE)
        except TimeoutError:
            return None

    found = await asyncio.gather(*(one(address) for address in addresses.values()))
    return dict(zip(addresses, found, strict=True))


def _note(session: Session, relay_id: int, result: ProbeResult | None) -> None:
    relay = session.get(Relay, relay_id, with_for_update=True)
    if relay is None or relay.probed_at is None:
        # Removed, or changed while it was asked: this was another relay's answer.
        return
    is_ok = result is not None and result.is_ok
    reply = "" if is_ok else (result.reply if result is not None else SILENT).replace("\0", "")[:1000]
    relay.is_reachable, relay.probe_error = is_ok, reply
    if is_ok:
        end_relay_suspension(session, relay.name)
        return
    logger.warning("relay %d does not take mail: %s", relay_id, result.stage if result else "silent")
    suspend_relay(session, relay=relay.name, reply_class="connection", reply=reply)
