"""Where a relay is, how it is entered, and how long each of its answers may take."""

import ssl
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from mailer.errors import SettingsError
from mailer.settings import get_settings

Security = Literal["none", "starttls", "tls"]
SCHEMES: dict[str, tuple[Security, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("starttls", 587),
    "smtps": ("tls", 465),
}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait for each answer; the defaults are the least that RFC 5321 section 4.5.3.2 asks for.

    Each is for a whole reply, however slowly its bytes come. `block` is for one stretch of content to leave this
    machine; `connect` and `tls`, on which the RFC is silent, and `quit`, which nobody waits for, are ours.
    """

    connect: float = 30.0
    tls: float = 60.0
    greeting: float = 300.0
    command: float = 300.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    content: float = 600.0
    quit: float = 5.0

    @classmethod
    def from_settings(cls) -> "Timeouts":
        """As the operator has set them: ``MAILER_SMTP_GREETING_SECONDS`` and its like."""
        settings = get_settings()
        return cls(**{each.name: getattr(settings, f"smtp_{each.name}_seconds") for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class RelayAddress:
    """An SMTP relay: where, with which security and login, and how many connections and messages it may be given.

    `ehlo_name` empty means the host's own full name, or its address literal where it has none (RFC 5321 section 4.1.3).
    A connection is left after `messages_per_connection` messages, `connection_seconds` of age or `idle_seconds` without
    use. `ca_file` names a PEM file of authorities trusted instead of the system's; `is_verified` false accepts any
    certificate, which only ever suits a relay on the same machine. `source_address` is the local address to come from.
    """

    name: str
    host: str
    port: int
    security: Security = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    ehlo_name: str = ""
    connections: int = 10
    messages_per_connection: int = 100
    connection_seconds: float = 300.0
    idle_seconds: float = 30.0
    ca_file: str | None = None
    is_verified: bool = True
    source_address: str | None = None

    @classmethod
    def from_url(cls, url: str, *, name: str = "default", **changes: object) -> "RelayAddress":
        """``smtp+starttls://user:password@host:587?connections=5&messages=50&ehlo=mail.example.org&ca=FILE``.

        Schemes ``smtp``, ``smtp+starttls`` and ``smtps``; user name and password percent-encoded. `changes` are
        fields that win over the address. Raises `SettingsError`, never with the password in it.
        """
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise SettingsError(["the relay must look like smtp+starttls://user:password@host:587"])
        security, port = SCHEMES[parts.scheme]
        relay = cls(
            name=name,
            host=parts.hostname,
            port=_port(parts) or port,
            security=security,
            username=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
        )
        return replace(relay, **{**_options(parts.query), **changes})  # type: ignore[arg-type]

    def tls_context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the certificate checked against `host` and the trusted authorities unless told not to.

        Raises `SettingsError` where `ca_file` cannot be read.
        """
        try:
            changed_at = Path(self.ca_file).stat().st_mtime_ns if self.ca_file else 0
            return _tls_context(self.ca_file, changed_at, is_verified=self.is_verified)
        except OSError as error:
            what = f"relay {self.name}: cannot read the authorities in {self.ca_file}: {error}"
            raise SettingsError([what]) from None


@lru_cache(maxsize=16)
def _tls_context(ca_file: str | None, _changed_at: int, *, is_verified: bool) -> ssl.SSLContext:
    # Reading a system's authorities takes as long as sending a thousand messages: once, not per connection.
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise SettingsError(["the relay's port must be a number from 1 to 65535"]) from None


def _options(query: str) -> dict[str, object]:
    names = {"ehlo": "ehlo_name", "ca": "ca_file", "source": "source_address"}
    numbers = {"connections": "connections", "messages": "messages_per_connection"}
    options: dict[str, object] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key in names:
            options[names[key]] = value
        elif key in numbers and value.isascii() and value.isdigit() and 0 < int(value) <= 1_000_000:
            options[numbers[key]] = int(value)
        elif key == "verify" and value in {"yes", "no"}:
            options["is_verified"] = value == "yes"
        else:
            raise SettingsError([f"the relay's address has an option that is not understood: {key}"])
    return options
