"""Relays an admin has set up: made, changed, tested; their passwords sealed; and which of them is in use."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mailer import sealing
from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.dispatch.dkim.senders import sign_message
from mailer.dispatch.envelopes import Envelope, Result
from mailer.dispatch.models import Relay
from mailer.dispatch.pace.providers import provider_of
from mailer.dispatch.relays.probing import PROBE_TIMEOUTS, ProbeResult, probe
from mailer.dispatch.smtp.relay import RelayAddress
from mailer.dispatch.smtp.transmission import Transmitter
from mailer.dispatch.suspending import end_relay_suspension
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import DEFAULT_LOCALE, N_, translate
from mailer.letters.rules import LetterKind
from mailer.press.letters import compose_letter
from mailer.press.message import Sender
from mailer.settings import get_settings

__all__ = [
    "ProbeResult",
    "active_limits",
    "active_relay",
    "address_of",
    "change_relay",
    "create_relay",
    "get_relay",
    "list_relays",
    "probe",
    "relay_of_settings",
    "remove_relay",
    "send_test",
]

SECURITIES = ("none", "starttls", "tls")
FIELDS = frozenset(
    {
        "name",
        "host",
        "port",
        "security",
        "username",
        "connections",
        "messages_per_connection",
        "rate",
        "is_enabled",
        "weight",
    }
)
UNSEALABLE = N_("The relay's password cannot be read: MAILER_SECRET_KEY has changed. Enter the password again.")


def seal(password: str) -> bytes:
    """`password` as it is stored; empty stays empty."""
    return sealing.seal(password.encode(), sealing.RELAY_PASSWORDS)


def unseal(sealed: bytes) -> str:
    """The password. Raises `RuleError` where it was sealed with another secret key."""
    try:
        return sealing.unseal(sealed, sealing.RELAY_PASSWORDS).decode()
    except sealing.UnsealableError:
        raise RuleError(UNSEALABLE) from None


def list_relays(session: Session) -> Sequence[Relay]:
    """All of them, in the order they are tried."""
    return session.scalars(select(Relay).order_by(Relay.id)).all()


def get_relay(session: Session, relay_id: int) -> Relay:
    """Raises `NotFoundError`."""
    relay = session.get(Relay, relay_id)
    if relay is None:
        raise NotFoundError(N_("There is no such relay."))
    return relay


def create_relay(session: Session, *, by: Account | None, password: str = "", **values: Any) -> Relay:
    """A new relay; `values` are the columns of `FIELDS`. Raises `RuleError`."""
    relay = Relay(sealed_password=seal(password), **_clean(values))
    _save(session, relay)
    record(session, by=by, action="relay.created", subject_type="relay", subject_id=relay.id, name=relay.name)
    return relay


def change_relay(
    session: Session, relay: Relay, *, by: Account | None, password: str | None = None, **values: Any
) -> None:
    """Changes columns of `FIELDS`; a `password` of `None` stays as it is. What waited for this relay is tried at once.

    Raises `RuleError`.
    """
    changed = {name: value for name, value in _clean(values).items() if getattr(relay, name) != value}
    end_relay_suspension(session, relay.name)
    for name, value in changed.items():
        setattr(relay, name, value)
    if password is not None:
        relay.sealed_password = seal(password)
    # What was known of it was known of the relay as it was: the sweep looks again.
    relay.probed_at = relay.is_reachable = None
    relay.probe_error = ""
    _save(session, relay)
    told = {**changed, **({"password": "changed"} if password is not None else {})}
    record(session, by=by, action="relay.changed", subject_type="relay", subject_id=relay.id, **told)


def remove_relay(session: Session, relay: Relay, *, by: Account | None) -> None:
    """Gone; attempts keep its name. Where it was the last one, `MAILER_RELAY_URL` is used."""
    record(session, by=by, action="relay.removed", subject_type="relay", subject_id=relay.id, name=relay.name)
    session.delete(relay)
    session.flush()


def address_of(relay: Relay) -> RelayAddress:
    """The relay as the wire needs it. Raises `RuleError` where its password cannot be read."""
    return RelayAddress(
        name=relay.name,
        host=relay.host,
        port=relay.port,
        security=relay.security,  # type: ignore[arg-type]
        username=relay.username,
        password=unseal(relay.sealed_password),
        ehlo_name=get_settings().ehlo_name or "",
        source_address=get_settings().source_address,
        connections=relay.connections,
        messages_per_connection=relay.messages_per_connection,
    )


def active_relay(session: Session) -> RelayAddress:
    """The first relay in use, else `MAILER_RELAY_URL`: for tests of it. Raises `RuleError`, `SettingsError`."""
    return _active(session)[0]


def active_limits(session: Session) -> tuple[RelayAddress, float | None]:
    """The relay in use and its messages per second over all workers, `None` for as fast as it takes them."""
    return _active(session)


def _active(session: Session) -> tuple[RelayAddress, float | None]:
    relay = session.scalar(select(Relay).where(Relay.is_enabled).order_by(Relay.weight == 0, Relay.id).limit(1))
    return (address_of(relay), relay.rate) if relay is not None else (relay_of_settings(), None)


def relay_of_settings() -> RelayAddress:
    """`MAILER_RELAY_URL`, for where no relay is set up. Raises `SettingsError`."""
    settings = get_settings()
    url = settings.relay_url.get_secret_value()
    options = dict(parse_qsl(urlsplit(url).query))
    changes: dict[str, Any] = {}
    if "connections" not in options:
        changes["connections"] = settings.connections
    if "ehlo" not in options and settings.ehlo_name:
        changes["ehlo_name"] = settings.ehlo_name
    if "source" not in options and settings.source_address:
        changes["source_address"] = settings.source_address
    return RelayAddress.from_url(url, **changes)


async def send_test(session: Session, address: str) -> Result:
    """One short mail to `address` through the relay in use, and what its server said. Raises `RuleError`."""
    receiver = parse_address(address)
    settings = get_settings()
    relay = replace(active_relay(session), connections=1)
    locale = DEFAULT_LOCALE
    message = compose_letter(
        LetterKind.NOTICE,
        locale,
        {
            "subject": translate(locale, N_("Test of the relay %(name)s"), name=relay.name),
            "lines": [
                translate(locale, N_("If you can read this, mail leaves this service. Nothing needs to be done."))
            ],
            "url": settings.public_url,
        },
        Sender(sender_name=settings.sender_name, sender_address=settings.sender_address),
        receiver.email,
        f"<{secrets.token_hex(12)}.test@{settings.sender_address.rpartition('@')[2]}>",
        dt.datetime.now(dt.UTC),
    )
    transmitter = Transmitter(relay, None, timeouts=PROBE_TIMEOUTS)
    try:
        signed = sign_message(session, settings.sender_address, message)
        envelope = Envelope(0, settings.sender_address, receiver.email, provider_of(receiver.domain), signed)
        (result,) = [result async for result in transmitter.send([envelope])]
        return result
    finally:
        await transmitter.close()


def _save(session: Session, relay: Relay) -> None:
    try:
        with session.begin_nested():
            session.add(relay)
            session.flush()
    except IntegrityError:
        raise RuleError(N_("There is a relay of this name already.")) from None


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    if unknown := values.keys() - FIELDS:
        raise TypeError(f"a relay has no field {', '.join(sorted(unknown))} that can be set")
    cleaned: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value for name, value in values.items()
    }
    for name, length in (("name", 64), ("host", 255)):
        if name in cleaned and not 0 < len(cleaned[name]) <= length:
            raise RuleError(N_("A relay needs a name and a host."))
    if "port" in cleaned and not 0 < cleaned["port"] < 65_536:
        raise RuleError(N_("A port is a number from 1 to 65535."))
    if cleaned.get("security", "none") not in SECURITIES:
        raise RuleError(N_("There is no such choice."))
    for name, limit in (("connections", 200), ("messages_per_connection", 100_000)):
        if name in cleaned and not 0 < cleaned[name] <= limit:
            raise RuleError(N_("Connections and messages per connection must be above zero."))
    if not 0 <= cleaned.get("weight", 1) <= 100:
        raise RuleError(N_("A share is a number from 0 to 100."))
    if cleaned.get("rate") is not None and not cleaned["rate"] > 0:
        raise RuleError(N_("The rate must be above zero."))
    return cleaned
