"""Bytes of an uploaded file → clean text. Everything a stranger may have put into a `.txt` is refused or mended here.

Encodings: a byte-order mark decides; else strict UTF-8; else charset-normalizer chooses among what Chinese and English
bulletins are really saved in. The chosen codec must then decode the whole file strictly: nothing is replaced by "?".
"""

import re
from dataclasses import dataclass
from pathlib import Path

from mailer.errors import UnreadableError
from mailer.i18n import N_

MAX_BYTES = 20 * 2**20
# A bulletin of a hundred pages has about 4,000 lines; what has more than this is a log or a data dump.
MAX_LINES = 50_000

# UTF-32 before UTF-16: its little-endian mark begins with UTF-16's.
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_CANDIDATES = ["gb18030", "big5hkscs", "utf_16_le", "utf_16_be", "cp1252"]
# Line ends of every system become "\n"; form feeds stay, they are page breaks.
_LINE_ENDS = re.compile("\r\n|[\r\v\x85\u2028\u2029]")
# Invisible characters that only disturb matching: controls, zero-width, direction marks, byte-order marks inside.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Reading:
    """Clean text, its line ends mended, and the encoding it was in, as a Python codec name."""

    text: str
    encoding: str


def read_file(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file (or pipe, or device), never more than `max_bytes` of them in memory.

    Raises `UnreadableError` for a larger one, and for one that the system will not open.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableError(
            N_("The file cannot be opened: %(reason)s"), reason=error.strerror or type(error).__name__
        ) from error
    check_size(len(content), max_bytes)
    return content


def read_text(content: bytes, *, max_bytes: int = MAX_BYTES, max_lines: int = MAX_LINES) -> Reading:
    """Decodes and cleans a plain-text document. Raises `UnreadableError` with one sentence a person can act on."""
    check_size(len(content), max_bytes)
    if not content.strip():
        raise UnreadableError(N_("The file is empty."))
    text, encoding = decode(content)
    text = _LINE_ENDS.sub("\n", text)
    if text.count("\n") > max_lines:
        raise UnreadableError(N_("The file has more than %(limit)d lines: no bulletin is that long."), limit=max_lines)
    if len(_CONTROLS.findall(text)) > len(text) // 200:
        raise UnreadableError(N_("The file is not plain text."))
    text = _INVISIBLE.sub("", text)
    if not any(character.isalnum() for character in text):
        raise UnreadableError(N_("The file holds no text."))
    return Reading(text, encoding)


def check_size(size: int, max_bytes: int) -> None:
    """Raises for a file that is larger than the limit."""
    if size > max_bytes:
        raise UnreadableError(N_("The file is larger than the limit of %(limit)s MiB."), limit=f"{max_bytes / 2**20:g}")


def decode(content: bytes) -> tuple[str, str]:
    """The text of a file and its encoding. Raises `UnreadableError` where that cannot be told without loss."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decode_strictly(content[len(mark) :], encoding), encoding
    if b"\0" not in content:
        try:
            return content.decode("utf-8"), "utf-8"
        except UnicodeDecodeError as error:
            # Nearly all of it is good UTF-8, and not only its ASCII: a damaged file, not another encoding.
            if error.start > len(content) * 0.9 and not content[: error.start].isascii():
                raise _undecodable(content, error) from error
    # Most files say or show what they are; the library is loaded for those that do not.
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=_CANDIDATES).best()
    if best is None:
        raise UnreadableError(N_("The file's encoding cannot be recognised. Save it as UTF-8 and try again."))
    return _decode_strictly(content, best.encoding), best.encoding.replace("_", "-")


def _decode_strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(content, error) from error


def _undecodable(content: bytes, error: UnicodeDecodeError) -> UnreadableError:
    line = content.count(b"\n", 0, error.start) + 1
    return UnreadableError(
        N_("The file is damaged: line %(line)d holds bytes that are no text in %(encoding)s."),
        line=line,
        encoding=error.encoding,
    )
