"""Whether a domain takes mail, as the DNS answers (RFC 5321 section 5.1, RFC 7505): what a worker does about it.

No transaction is open while the DNS is asked. Silence is no answer, and nothing follows from it.
"""

from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.name
import dns.resolver

from mailer.audience.mail_domains import list_due, note_verdict
from mailer.audience.rules import DomainVerdict
from mailer.db import session_scope
from mailer.dispatch.dkim.dns import get_resolver
from mailer.settings import get_settings

# Seconds for one question with all its repetitions; domains of one run, and questions at a time.
PATIENCE = 4.0
BATCH, AT_ONCE = 100, 8


def check_domains() -> int:
    """Asks about the domains that are due; gives back how many. Twice, or at once by two, does no harm."""
    if not get_settings().check_mx:
        return 0
    with session_scope() as session:
        domains = list_due(session, BATCH)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(look_up, domains))
    with session_scope() as session:
        for domain, verdict in zip(domains, verdicts, strict=True):
            note_verdict(session, domain, verdict)
    return len(domains)


def look_up(domain: str) -> DomainVerdict:
    """Asks for MX, and where there is none for addresses. Blocks for at most three times `PATIENCE` seconds."""
    try:
        answer = _ask(domain, "MX")
        if answer is not None:
            # A single MX of "." says that the domain takes no mail at all (RFC 7505 section 3).
            is_null = len(answer) == 1 and answer[0].exchange == dns.name.root
            return DomainVerdict.REFUSES if is_null else DomainVerdict.ACCEPTS
        has_address = any(_ask(domain, kind) is not None for kind in ("A", "AAAA"))
    except dns.resolver.NXDOMAIN:
        return DomainVerdict.REFUSES
    except (dns.exception.DNSException, OSError):
        return DomainVerdict.UNKNOWN
    return DomainVerdict.ACCEPTS if has_address else DomainVerdict.REFUSES


def _ask(domain: str, kind: str) -> "dns.resolver.Answer | None":
    """Records, or `None` where the name exists and has none of this kind."""
    try:
        return get_resolver().resolve(f"{domain}.", kind, lifetime=PATIENCE)
    except dns.resolver.NoAnswer:
        return None
