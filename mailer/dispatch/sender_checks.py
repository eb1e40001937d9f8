"""Whether large providers will believe a newsletter's sender: SPF, DKIM and DMARC of its domain, as the DNS answers.

An answer is sought with patience that ends; where there is none, nothing is claimed and nothing stops.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.resolver
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.addresses import parse_address
from mailer.dispatch.dkim.dns import get_resolver, look_up
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import Published
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters.models import Newsletter
from mailer.press.proofreading import Finding, Severity

# Seconds for one question: somebody waits for the page.
PATIENCE = 2.0
SENDER = N_("Sender")


class Record(StrEnum):
    """What the DNS says of one kind of record."""

    PRESENT = "present"
    MISSING = "missing"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class DomainStanding:
    """What the DNS says of a domain that mail is sent from; `dkim` is `None` where no key of ours signs for it."""

    domain: str
    spf: Record
    dmarc: Record
    dkim: Record | None


def get_standing(session: Session, newsletter: Newsletter) -> DomainStanding | None:
    """Asks the DNS, all questions at once; `None` for a sender's address that is none."""
    try:
        domain = parse_address(newsletter.sender_address).domain
    except RuleError:
        return None
    keys = session.scalars(
        select(DkimKey).where(DkimKey.domain == domain, DkimKey.activated_at.is_not(None), DkimKey.retired_at.is_(None))
    ).all()
    with ThreadPoolExecutor(4) as pool:
        spf = pool.submit(_find, domain, "v=spf1")
        dmarc = pool.submit(_find_dmarc, domain)
        published = list(pool.map(look_up, keys))
        return DomainStanding(domain, spf.result(), dmarc.result(), _dkim(published))


def check_sender(standing: DomainStanding | None) -> Iterator[Finding]:
    """Findings on it, each with what to do."""
    if standing is None:
        yield Finding(Severity.ERROR, SENDER, N_("The sender's address is no address. Change it in the settings."))
        return
    params = {"domain": standing.domain}
    if standing.dkim is None:
        message = N_("No DKIM key signs for %(domain)s: large providers refuse its mail. An admin makes one.")
        yield Finding(Severity.WARNING, SENDER, message, params)
    elif standing.dkim is Record.MISSING:
        message = N_("The DNS does not publish the DKIM key of %(domain)s as it is used. An admin compares the two.")
        yield Finding(Severity.WARNING, SENDER, message, params)
    if standing.spf is Record.MISSING:
        message = N_("%(domain)s has no SPF record. Publish one that names your relay.")
        yield Finding(Severity.WARNING, SENDER, message, params)
    if standing.dmarc is Record.MISSING:
        message = N_("%(domain)s has no DMARC record. Publish at least “v=DMARC1; p=none”.")
        yield Finding(Severity.WARNING, SENDER, message, params)
    if Record.UNANSWERED in {standing.spf, standing.dmarc, standing.dkim}:
        message = N_("The DNS did not answer about %(domain)s; whether its mail is believed is not known.")
        yield Finding(Severity.HINT, SENDER, message, params)


def _dkim(published: list[Published]) -> Record | None:
    if not published:
        return None
    if any(one in {Published.MISSING, Published.DIFFERENT} for one in published):
        return Record.MISSING
    return Record.UNANSWERED if Published.UNANSWERED in published else Record.PRESENT


def _find_dmarc(domain: str) -> Record:
    """The domain's own record, or that of a domain above it (RFC 7489 section 6.6.3 asks the organisational one)."""
    labels = domain.split(".")
    answer = Record.MISSING
    for above in range(len(labels) - 1):
        answer = _find(f"_dmarc.{'.'.join(labels[above:])}", "v=DMARC1")
        if answer is not Record.MISSING:
            return answer
    return answer


def _find(name: str, beginning: str) -> Record:
    try:
        answer = get_resolver().resolve(name, "TXT", lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Record.MISSING
    except (dns.exception.DNSException, OSError):
        return Record.UNANSWERED
    texts = (b"".join(record.strings).decode("utf-8", "replace") for record in answer)
    is_there = any(text.strip().lower().startswith(beginning.lower()) for text in texts)
    return Record.PRESENT if is_there else Record.MISSING
