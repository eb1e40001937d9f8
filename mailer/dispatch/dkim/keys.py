"""DKIM keys: made, activated, retired, removed.

The order of a rotation: make a key, publish it, see that the DNS answers, activate it (which retires the one before),
and take the old record out of the DNS when its time is over. A retired key can be activated again until then.
"""

import base64
import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.db import now
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import KEPT_PUBLISHED, SELECTOR, KeyState, propose_selector, state_of
from mailer.dispatch.dkim.signing import Algorithm, SigningKey
from mailer.errors import NotFoundError, RuleError
from mailer.i18n import N_
from mailer.sealing import DKIM_KEYS, UnsealableError, seal, unseal
from mailer.settings import get_settings

RSA_BITS = 2048
NO_DOMAIN = N_("This is not a domain name, such as example.org.")
UNREADABLE = N_(
    "A DKIM key of the sender's domain cannot be read: MAILER_SECRET_KEY has changed. Retire it and make a new one."
)


def parse_domain(text: str) -> str:
    """The domain in `text`, as A-labels in lower case. Raises `RuleError`."""
    try:
        return parse_address(f"postmaster@{text.strip().rstrip('.')}").domain
    except RuleError:
        raise RuleError(NO_DOMAIN) from None


def create_keys(
    session: Session,
    domain: str,
    *,
    by: Account | None,
    selector: str = "",
    algorithms: Iterable[Algorithm] = Algorithm,
) -> list[DkimKey]:
    """One key of each algorithm for `domain`, none of them in use yet.

    Several algorithms share a `selector` as its beginning (``spring-rsa``, ``spring-ed25519``), since each key has a
    name of its own in the DNS. Raises `RuleError` for a name that is none or is taken.
    """
    host, wanted = parse_domain(domain), list(algorithms)
    taken = session.scalars(select(DkimKey.selector).where(DkimKey.domain == host)).all()
    made = []
    for algorithm in wanted:
        name = selector.strip().lower()
        if not name:
            name = propose_selector(now(session).date(), algorithm, taken)
        elif len(wanted) > 1:
            name = f"{name}-{algorithm.removesuffix('-sha256')}"
        made.append(_create(session, host, name, algorithm, by))
    return made


def _create(session: Session, domain: str, selector: str, algorithm: Algorithm, by: Account | None) -> DkimKey:
    if not SELECTOR.fullmatch(selector):
        raise RuleError(N_("A selector is made of letters, digits and hyphens, at most 63 of them."))
    public, private = _generate(algorithm)
    key = DkimKey(
        domain=domain,
        selector=selector,
        algorithm=algorithm,
        public_key=base64.b64encode(public).decode(),
        sealed_private_key=seal(private, DKIM_KEYS),
    )
    try:
        with session.begin_nested():
            session.add(key)
            session.flush()
    except IntegrityError:
        raise RuleError(N_("This domain has a key of that selector already; each key needs a new one.")) from None
    _record(session, key, by, "dkim.created")
    return key


def _generate(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """(what ``p=`` publishes, private key in DER): RFC 6376 section 3.6.1, RFC 8463 section 4."""
    encoding, raw = serialization.Encoding, serialization.PublicFormat.Raw
    private: RSAPrivateKey | Ed25519PrivateKey
    if algorithm is Algorithm.RSA:
        private = generate_private_key(65_537, RSA_BITS)
        public = private.public_key().public_bytes(encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    else:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes(encoding.Raw, raw)
    sealed = private.private_bytes(encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return public, sealed


def list_keys(session: Session, domain: str | None = None) -> Sequence[DkimKey]:
    """All of them, or a domain's; by domain, newest first."""
    query = select(DkimKey).order_by(DkimKey.domain, DkimKey.id.desc())
    if domain is not None:
        query = query.where(DkimKey.domain == parse_domain(domain))
    return session.scalars(query).all()


def get_key(session: Session, key_id: int) -> DkimKey:
    """Raises `NotFoundError`."""
    key = session.get(DkimKey, key_id)
    if key is None:
        raise NotFoundError(N_("There is no such DKIM key."))
    return key


def get_key_of(session: Session, domain: str, selector: str) -> DkimKey:
    """Raises `NotFoundError`."""
    query = select(DkimKey).where(DkimKey.domain == parse_domain(domain), DkimKey.selector == selector.strip().lower())
    key = session.scalar(query)
    if key is None:
        raise NotFoundError(N_("There is no such DKIM key."))
    return key


def get_state(session: Session, key: DkimKey) -> KeyState:
    return state_of(key.activated_at, key.retired_at, now(session))


def published_until(key: DkimKey) -> dt.datetime | None:
    """Until when a retired key has to stay in the DNS; `None` for one that is not retired."""
    return None if key.retired_at is None else key.retired_at + KEPT_PUBLISHED


def activate(session: Session, key: DkimKey, *, by: Account | None) -> None:
    """From the next message on it signs, and the one of its algorithm that did so is retired. Raises `RuleError`."""
    state = get_state(session, key)
    if state is KeyState.ACTIVE:
        raise RuleError(N_("This key is in use already."))
    if state is KeyState.OVER:
        raise RuleError(N_("The time of this key is over. Make a new one."))
    open_key(key)
    before = session.scalar(
        select(DkimKey)
        .where(
            DkimKey.domain == key.domain,
            DkimKey.algorithm == key.algorithm,
            DkimKey.activated_at.is_not(None),
            DkimKey.retired_at.is_(None),
        )
        .with_for_update()
    )
    if before is not None:
        retire(session, before, by=by)
    key.activated_at, key.retired_at = now(session), None
    try:
        session.flush()
    except IntegrityError:
        raise RuleError(N_("Another key was activated at this moment. Look again.")) from None
    _record(session, key, by, "dkim.activated")


def retire(session: Session, key: DkimKey, *, by: Account | None) -> None:
    """It signs no more; its record stays in the DNS until `published_until`. Raises `RuleError`."""
    if get_state(session, key) is not KeyState.ACTIVE:
        raise RuleError(N_("This key is not in use."))
    key.retired_at = now(session)
    session.flush()
    _record(session, key, by, "dkim.retired")


def remove(session: Session, key: DkimKey, *, by: Account | None) -> None:
    """Gone, with its private half. Raises `RuleError` while it is in use or still has to be published."""
    if get_state(session, key) in {KeyState.ACTIVE, KeyState.RETIRED}:
        raise RuleError(N_("A key that signs, or has signed lately, cannot be removed."))
    _record(session, key, by, "dkim.removed")
    session.delete(key)
    session.flush()


def open_key(key: DkimKey) -> SigningKey:
    """The key as it signs. Raises `RuleError` where it was sealed with another secret key."""
    try:
        private = _load_private(key.sealed_private_key, get_settings().secret_key.get_secret_value())
    except UnsealableError:
        raise RuleError(UNREADABLE) from None
    return SigningKey(key.domain, key.selector, Algorithm(key.algorithm), private)


@lru_cache(maxsize=64)
def _load_private(sealed: bytes, _secret: str) -> RSAPrivateKey | Ed25519PrivateKey:
    # Loading checks the numbers, which takes longer than many signatures: once per process.
    private = serialization.load_der_private_key(unseal(sealed, DKIM_KEYS), password=None)
    assert isinstance(private, RSAPrivateKey | Ed25519PrivateKey)
    return private


def _record(session: Session, key: DkimKey, by: Account | None, action: str) -> None:
    record(
        session, by=by, action=action, subject_type="dkim_key", subject_id=key.id,
        domain=key.domain, selector=key.selector, algorithm=key.algorithm,
    )  # fmt: skip
