"""What the DNS publishes of a key, asked with patience that ends: an answer, or that there was none; never an error."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import dns.exception
import dns.resolver

from mailer.dispatch.dkim.rules import Published, compare, record_name
from mailer.settings import get_settings

if TYPE_CHECKING:
    from mailer.dispatch.dkim.models import DkimKey

# Seconds for one question with all its repetitions: somebody waits for the page.
PATIENCE = 4.0
# Beyond any honest record; RFC 6376 knows of none longer than a few kilobytes.
LONGEST = 16_384


def look_up(key: "DkimKey") -> Published:
    """Asks the DNS for the record of `key`. Blocks for at most `PATIENCE` seconds."""
    try:
        resolver = get_resolver()
        answer = resolver.resolve(record_name(key.domain, key.selector), "TXT", lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Published.MISSING
    except (dns.exception.DNSException, OSError):
        # No resolver, no network, no answer in time, a broken zone: nothing is known, and nothing stops for it.
        return Published.UNANSWERED
    records = [b"".join(record.strings)[:LONGEST].decode("utf-8", "replace") for record in answer]
    return compare(key.algorithm, key.public_key, records)


def get_resolver() -> dns.resolver.Resolver:
    """The DNS server of the settings, or the system's. Raises `dns.exception.DNSException` where there is none."""
    named = get_settings().dns_server
    if named is None:
        return dns.resolver.Resolver()
    server = urlsplit(f"//{named}")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [server.hostname or ""], server.port or 53
    return resolver
