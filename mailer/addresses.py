"""Email addresses as people type them: mended, judged, and brought into the form that is compared.

The one place where an address is read: what audience suppresses, a letter is sent to and an account signs in with must
agree on when two addresses are the same.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import idna
from email_validator import EmailNotValidError, validate_email

from mailer.errors import RuleError
from mailer.i18n import N_

# What Chinese input methods and copied web pages leave behind: full-width ASCII, ideographic stops and blanks, NBSP
# and other odd blanks, and characters without width.
_MENDED: dict[int, str | None] = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_MENDED |= dict.fromkeys(map(ord, "。｡"), ".")
_MENDED |= dict.fromkeys([0x3000, 0xA0, 0x202F, 0x205F, *range(0x2000, 0x200B)], " ")
_MENDED |= dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0xAD])

_DISPLAY_NAME = re.compile(r"^[^<>]*<([^<>]*)>$")
_MAILTO = re.compile(r"^mailto:([^?]*)", re.IGNORECASE)
_BLANKS_AT_JOINTS = re.compile(r"\s*([@.])\s*")
# An address of which mending and email-validator would leave the local part as it is: dot-atom (RFC 5322 section 3.2.3)
# of letters, digits and three signs. Nearly every one is; the domain is judged by the library, once.
_PLAIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
# RFC 5321 section 4.5.3.1.1, and well below the library's bound for the whole address.
_PLAIN_LOCAL, _PLAIN_LENGTH = 64, 200
_QUOTES = "\"'`“”‘’「」『』()[]"
_STOPS = ",;:.!?、"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be sent to.

    `email` keeps the local part as typed, its domain as A-labels (RFC 5890), so that it can go into an envelope as it
    is; `key` is the compared form (local part case-folded); `domain` is the domain as A-labels, in lower case.
    """

    email: str
    key: str
    domain: str


def mend(text: str) -> str:
    """`text` without a display name, ``mailto:``, full-width characters and stray blanks; still unjudged."""
    mended = text.translate(_MENDED).strip()
    if match := _DISPLAY_NAME.match(mended):
        mended = match[1].strip()
    if match := _MAILTO.match(mended):
        mended = unquote(match[1])
    return _BLANKS_AT_JOINTS.sub(r"\1", mended).strip(_QUOTES).rstrip(_STOPS + _QUOTES)


def parse_address(text: str) -> Address:
    """The address in `text`, mended. Raises `RuleError` with a sentence for the person who typed it.

    Validity is email-validator's verdict (RFC 5321, 5322, 6531), without asking the DNS. Reserved example domains are
    accepted, so that a demonstration can use addresses which belong to nobody.
    """
    if (
        len(text) <= _PLAIN_LENGTH
        and (plain := _PLAIN.fullmatch(text))
        and plain.end(1) <= _PLAIN_LOCAL
        and (domain := _judge_domain(plain[2]))
    ):
        local = plain[1]
        return Address(f"{local}@{domain}", f"{local.lower()}@{domain}", domain)
    return _judge(mend(text))


@lru_cache(maxsize=65_536)
def _judge_domain(domain: str) -> str | None:
    """The domain as A-labels in lower case; `None` where the whole address must be looked at to say what is wrong."""
    try:
        return _judge(f"a@{domain}").domain
    except RuleError:
        return None


def _judge(mended: str) -> Address:
    if not mended:
        raise RuleError(N_("Please enter an email address."))
    if "@" not in mended:
        raise RuleError(N_("An email address needs an “@”, as in name@example.org."))
    try:
        found = validate_email(mended, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        raise RuleError(N_("This is not a valid email address. Please check it for typing mistakes.")) from None
    domain = found.ascii_domain.lower()
    if "." not in domain:
        raise RuleError(N_("This is not a valid email address. Please check it for typing mistakes."))
    # Case folding can leave a character decomposed; the compared form is NFC like the rest.
    local_key = unicodedata.normalize("NFC", found.local_part.casefold())
    return Address(email=f"{found.local_part}@{domain}", key=f"{local_key}@{domain}", domain=domain)


def readable(email: str) -> str:
    """`email` as a person would write it: its domain in its own script (U-labels). For pages, never for envelopes."""
    local, at, domain = email.rpartition("@")
    if "xn--" not in domain:
        return email
    try:
        return local + at + idna.decode(domain)
    except idna.IDNAError:
        return email
