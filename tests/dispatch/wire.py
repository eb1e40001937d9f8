"""What the wire's tests share: short waits, certificates of their own, and a send from beginning to end."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailer.dispatch.journal import Journal
from mailer.dispatch.smtp.relay import Timeouts
from mailer.dispatch.smtp.transmission import Envelope, RelayAddress, Result, Transmitter, new_event_loop

# Long enough for a busy machine, short enough for a person: no test that passes waits this long.
PATIENT = Timeouts(connect=20, tls=20, greeting=20, command=20, mail=20, rcpt=20, data=20, block=20, content=20, quit=5)
# For tests that wait for silence to be noticed.
HASTY = Timeouts(
    connect=5, tls=5, greeting=0.4, command=0.4, mail=0.15, rcpt=0.15, data=0.15, block=0.4, content=0.4, quit=0.2
)

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": new_event_loop,
}


def envelope(number: int = 1, **changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "delivery_id": number,
        "sender": "bounce@example.org",
        "recipient": f"reader{number}@example.org",
        "provider": "other",
        "content": b"Subject: %d\r\n\r\nHello\r\n" % number,
        "token": f"token{number}",
    }
    return Envelope(**{**fields, **changes})


def transmit(
    relay: RelayAddress,
    envelopes: Iterable[Envelope],
    *,
    journal: Journal | None = None,
    timeouts: Timeouts = PATIENT,
    loop: str = "uvloop",
    **asked: Any,
) -> list[Result]:
    """Sends and closes; results in the order of their deliveries."""

    async def run() -> list[Result]:
        transmitter = Transmitter(relay, journal, timeouts=timeouts)
        try:
            return [result async for result in transmitter.send(envelopes, **asked)]
        finally:
            await transmitter.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return sorted(runner.run(run()), key=lambda result: result.delivery_id)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate, and the file of the authority that vouches for it."""

    context: ssl.SSLContext
    ca_file: Path


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def make_certificate(directory: Path, *, name: str = "127.0.0.1", days: int = 1) -> Certificate:
    """A certificate for `name` (an address or a host), by an authority of its own; expired with negative `days`."""
    directory.mkdir(parents=True, exist_ok=True)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    start = now - dt.timedelta(days=10)
    authority = (
        x509.CertificateBuilder(issuer, issuer, authority_key.public_key(), x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(now + dt.timedelta(days=10))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(_usage(is_authority=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    try:
        general: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        general = x509.DNSName(name)
    leaf = (
        x509.CertificateBuilder(
            issuer,
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key.public_key(),
            x509.random_serial_number(),
        )
        .not_valid_before(start)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([general]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        # Wanted since Python 3.13 (RFC 5280 section 4.2.1.1).
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    ca_file = directory / "ca.pem"
    ca_file.write_bytes(authority.public_bytes(pem))
    chain = directory / "server.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(private + leaf.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return Certificate(context, ca_file)
