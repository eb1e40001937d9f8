"""Knocking at the relays' doors now and then: what came of it is kept, and who does not answer is left alone.

The sweep's, and bounded: a few relays at a time, all of them at once, for a few seconds.
"""

import asyncio
import logging

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer.db import now, session_scope
from mailer.dispatch.models import Relay
from mailer.dispatch.relays.probing import PROBE_TIMEOUTS, ProbeResult, probe
from mailer.dispatch.relays.registry import address_of, relay_of_settings
from mailer.dispatch.relays.settings_look import SettingsLook, note_look, take_turn
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
    """Asks the relays whose turn it is, and that of the settings where there is no other; returns ids of rows."""
    addresses: dict[int, RelayAddress] = {}
    with session_scope() as session:
        due = list(session.scalars(TAKE, {"every": EVERY_SECONDS, "again": AGAIN_SECONDS, "most": MOST}))
        for relay_id in due:
            relay = session.get_one(Relay, relay_id)
            try:
                addresses[relay_id] = address_of(relay)
            except RuleError as error:
                relay.is_reachable, relay.probe_error = False, error.message
        is_by_settings = not due and session.scalar(select(Relay.id).where(Relay.is_enabled).limit(1)) is None
    if addresses:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            results = runner.run(_ask(addresses))
        with session_scope() as session:
            for relay_id, result in results.items():
                _note(session, relay_id, result)
    if is_by_settings and take_turn(again=AGAIN_SECONDS):
        _probe_settings()
    return due


def _probe_settings() -> None:
    address = relay_of_settings()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        result = runner.run(_ask({0: address}))[0]
    is_ok, reply = _judge(result)
    with session_scope() as session:
        look = SettingsLook(now(session), is_ok, reply)
        _let_in_or_out(session, address.name, is_ok=is_ok, reply=reply)
    note_look(look, every=EVERY_SECONDS)


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
    relay.is_reachable, relay.probe_error = _judge(result)
    _let_in_or_out(session, relay.name, is_ok=relay.is_reachable, reply=relay.probe_error)


def _judge(result: ProbeResult | None) -> tuple[bool, str]:
    """(whether it takes mail, else what it said)."""
    if result is not None and result.is_ok:
        return True, ""
    return False, (result.reply if result is not None else SILENT).replace("\0", "")[:1000]


def _let_in_or_out(session: Session, name: str, *, is_ok: bool, reply: str) -> None:
    if is_ok:
        end_relay_suspension(session, name)
        return
    logger.warning("relay %s does not take mail when it is asked", name)
    suspend_relay(session, relay=name, reply_class="connection", reply=reply)
