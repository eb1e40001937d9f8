"""Header fields as bytes-to-be: folded and encoded by our own hand (RFC 5322, 2047, 2369, 6532).

Python's generator turns a List-Unsubscribe of 76 characters or more into encoded-words, and one-click is silently
dead. Here a field is built of tokens that are never broken; each function returns whole lines, CRLF included.
"""

import re
from binascii import b2a_base64
from functools import lru_cache

import idna

from mailer.errors import CompositionError
from mailer.i18n import N_

CRLF = "\r\n"
# RFC 2047 section 2: a line with an encoded-word has at most 76 characters; RFC 5322 recommends 78 for any other.
LINE = 76
# RFC 5322 section 2.1.1.
HARD_LINE = 998
# RFC 2047 section 2, the delimiters included; "=?utf-8?B?" and "?=" take 12 of them.
ENCODED_WORD = 75
_FRAME = 12

NO_ADDRESS = N_("This is not a mail address.")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_URL = re.compile(r"[a-z][a-z0-9+.-]*:[!-;=?-~]+")
_LOCAL = re.compile(r"""[^\x00-\x20\x7f()<>\[\]:;@\\,"]+|"(?:[^\x00-\x1f\x7f"\\]|\\[^\x00-\x1f\x7f])*\"""")
_DOMAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_MESSAGE_ID = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")


def _refusal(message: str, **params: str) -> CompositionError:
    return CompositionError([message % params if params else message])


def check_value(name: str, value: str) -> str:
    """`value`, refused with `CompositionError` when a control character could end the field and begin another."""
    if _CONTROL.search(value):
        raise CompositionError(
            [N_("A mail header may not hold line breaks or control characters: %(name)s") % {"name": name}]
        )
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise CompositionError(
            [N_("A mail header may not hold broken characters: %(name)s") % {"name": name}]
        ) from None
    return value


def encoded_words(text: str, room: int) -> list[str]:
    """`text` as base64 encoded-words, the first at most `room` characters long, each of whole characters."""
    whole = text.encode()
    # Nearly every name fits into one.
    if (len(whole) + 2) // 3 * 4 <= min(room, ENCODED_WORD) - _FRAME:
        return [_word(whole)]
    words: list[str] = []
    chunk = b""
    for character in text:
        raw = character.encode()
        limit = (min(room, ENCODED_WORD) if not words else ENCODED_WORD) - _FRAME
        if chunk and (len(chunk) + len(raw) + 2) // 3 * 4 > limit:
            words.append(_word(chunk))
            chunk = b""
        chunk += raw
    return [*words, _word(chunk)]


def _word(chunk: bytes) -> str:
    return f"=?utf-8?B?{b2a_base64(chunk, newline=False).decode()}?="


def fold(name: str, tokens: list[str]) -> str:
    """The field, its tokens joined by single spaces and broken between them to lines of at most 76 where possible."""
    flat = f"{name}: {' '.join(tokens)}"
    if len(flat) <= LINE:
        return flat + CRLF
    lines, line = [], f"{name}:"
    for token in tokens:
        # The first token stays on the field's own line unless that makes it too long.
        if len(line) + 1 + len(token) > LINE:
            lines.append(line)
            line = ""
        line += f" {token}"
    lines.append(line)
    # A character has at most four bytes: a short line need not be encoded to be measured.
    if any(len(line) * 4 > HARD_LINE and len(line.encode()) > HARD_LINE for line in lines):
        raise _refusal(N_("A mail header is too long: %(name)s"), name=name)
    return CRLF.join(lines) + CRLF


def unstructured(name: str, value: str) -> str:
    """Subject and its like (RFC 5322 section 2.2.1): any text, given back exactly by a decoder."""
    check_value(name, value)
    if not value:
        return f"{name}: {CRLF}"
    words = value.split(" ")
    is_plain = _PRINTABLE.fullmatch(value) and "=?" not in value and all(0 < len(word) < LINE for word in words)
    if is_plain:
        return fold(name, words)
    return fold(name, encoded_words(value, LINE - len(name) - 2))


def phrase(name: str, value: str, used: int) -> list[str]:
    """A display name as tokens: atoms, a quoted-string, or encoded-words (RFC 2047 section 5 (3))."""
    check_value(name, value)
    if "=?" not in value and value.isascii():
        if _ATOMS.fullmatch(value) and all(len(word) < LINE for word in value.split(" ")):
            return value.split(" ")
        if _PRINTABLE.fullmatch(value) and len(value) < LINE - used - 4:
            quoted = value.replace("\\", "\\\\").replace('"', '\\"')
            return [f'"{quoted}"']
    return encoded_words(value, LINE - used)


def header_address(address: str) -> str:
    """`address` as headers and envelopes carry it: domain in A-labels, local part as typed (UTF-8 by RFC 6532).

    Raises `CompositionError` for what is no address: nothing of it may leave the angle brackets.
    """
    local, _, domain = address.rpartition("@")
    # Letters and digits alone are what most are made of.
    if not (local.isascii() and local.isalnum()) and not _LOCAL.fullmatch(local):
        raise _refusal(NO_ADDRESS)
    return f"{local}@{_header_domain(domain)}"


@lru_cache(maxsize=1024)
def _header_domain(domain: str) -> str:
    """In A-labels; a list has many readers at few domains."""
    try:
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise _refusal(NO_ADDRESS) from None
    if not _DOMAIN.fullmatch(domain):
        raise _refusal(NO_ADDRESS)
    return domain


def needs_smtputf8(address: str) -> bool:
    """Whether `address` can only travel where the server offers SMTPUTF8 (RFC 6531): its local part is not ASCII."""
    return not address.rpartition("@")[0].isascii()


def mailbox(name: str, display: str, address: str) -> str:
    """From, To, Reply-To: ``display <address>``, or the bare address where there is no name."""
    angle = header_address(address)
    if not display.strip():
        return fold(name, [angle])
    return fold(name, [*phrase(name, display.strip(), len(name) + 2), f"<{angle}>"])


def url(name: str, address: str, *, is_folded: bool = True) -> str:
    """A field of RFC 2369 and its like: one URL in angle brackets, never encoded and never broken.

    `is_folded` false keeps it on the field's own line however long: List-Unsubscribe is read by software of every
    quality, and not all of it unfolds.
    """
    if not _URL.fullmatch(address):
        raise _refusal(N_("A mail header needs a plain web address: %(name)s"), name=name)
    if is_folded:
        return fold(name, [f"<{address}>"])
    line = f"{name}: <{address}>"
    if len(line) > HARD_LINE:
        raise _refusal(N_("A mail header is too long: %(name)s"), name=name)
    return line + CRLF


def message_id(value: str) -> str:
    """The field for ``id@host``, with or without its angle brackets (RFC 5322 section 3.6.4)."""
    bare = value.removeprefix("<").removesuffix(">")
    if not _MESSAGE_ID.fullmatch(bare):
        raise _refusal(N_("This is not a Message-ID."))
    return f"Message-ID: <{bare}>{CRLF}"


def list_id(value: str) -> str:
    """`value` as List-Id carries it: dotted labels, no scheme, at most 255 characters (RFC 2919 sections 2, 3)."""
    ascii_value = header_address(f"list@{value}").removeprefix("list@")
    if len(ascii_value) > 255 or "." not in ascii_value:
        raise _refusal(N_("A List-Id is made of dotted names, such as weekly.bulletin.example.org."))
    return ascii_value
