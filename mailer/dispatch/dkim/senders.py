"""Which keys sign for whom: asked where messages are made, and by those who look after the service."""

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from mailer.addresses import parse_address
from mailer.dispatch.dkim.keys import open_key
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.signing import Signer, SigningKey
from mailer.errors import RuleError
from mailer.newsletters.models import Newsletter
from mailer.settings import get_settings


def _is_active() -> ColumnElement[bool]:
    return and_(DkimKey.activated_at.is_not(None), DkimKey.retired_at.is_(None))


def load_signing_keys(session: Session, address: str) -> tuple[SigningKey, ...]:
    """The active keys of the domain of `address`, from which mail is sent; none where it has none.

    The domain must be the very one: DMARC would take its parent, but then a key would sign for what nobody meant it
    to. Raises `RuleError` where one cannot be unsealed: mail that fails DMARC is worse than mail that waits.
    """
    try:
        domain = parse_address(address).domain
    except RuleError:
        return ()
    return tuple(
        open_key(key) for key in session.scalars(select(DkimKey).where(DkimKey.domain == domain, _is_active()))
    )


def sign_message(session: Session, address: str, message: bytes) -> bytes:
    """A single message from `address` (a letter), signed where its domain has keys. Raises as `load_signing_keys`."""
    return Signer(load_signing_keys(session, address)).sign(message)


def list_unsigned_domains(session: Session) -> list[str]:
    """Domains that mail is sent from and that no key signs: of newsletters that are not archived, and of letters."""
    addresses = {*session.scalars(select(Newsletter.sender_address).where(Newsletter.archived_at.is_(None)))}
    addresses.add(get_settings().sender_address)
    signed = set(session.scalars(select(DkimKey.domain).where(_is_active())))
    domains = set()
    for address in addresses:
        try:
            domains.add(parse_address(address).domain)
        except RuleError:  # the check of the settings says so
            continue
    # The settings' default belongs to nobody, and no DNS could publish a key of it.
    return sorted(domain for domain in domains - signed if not domain.endswith(".localdomain"))


def list_unreadable(session: Session) -> list[DkimKey]:
    """Active keys that cannot be unsealed: mail of their domains stands still."""
    found = []
    for key in session.scalars(select(DkimKey).where(_is_active()).order_by(DkimKey.id)):
        try:
            open_key(key)
        except RuleError:
            found.append(key)
    return found
