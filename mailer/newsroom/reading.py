"""Bytes of an uploaded file → clean text. Everything a stranger may have put into a `.txt` is refused or mended here.

Encodings: a byte-order mark decides; else strict UTF-8; else the characters that every Chinese and English text is full
of say which of the codecs bulletins are really saved in makes sense; charset-normalizer has the rest. The chosen codec
must decode the whole file strictly: nothing is replaced by "?".
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
# Under a wrong codec these are rare. Characters beyond ASCII only, simplified and traditional, and their punctuation.
_FREQUENT = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形"
    "相全表间样与关各重新线内数正心反明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题程展五果"
    "料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回"
    "则任取据处理府研市科技编辑省县元亿万项目局办期院"
    "這為個國時來們對會發動說產種後學經進電裡實體當從業應開還間樣與關線內數質氣變條沒結問無係員總長資邊級圖統較將組見計別論運農"
    "幾區強決幹戰處編輯縣億萬項辦號刊報館訊"
    "，。、；：？！“”‘’（）《》「」『』【】—…·★●　０１２３４５６７８９"
)
_FREQUENT_IN_ENGLISH = frozenset("“”‘’–—…•·£€©®°éèüöäñç\u00a0½")
# The share of frequent characters from which a codec makes sense: right ones have a third, wrong ones a twentieth.
_LIKELY = 0.15
_SAMPLE = 20_000
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
    scores = {encoding: score for encoding in _CANDIDATES if (score := _sense(content, encoding)) >= _LIKELY}
    if scores:
        likeliest = max(scores, key=lambda encoding: scores[encoding])
        return _decode_strictly(content, likeliest), likeliest.replace("_", "-")
    # Most files say or show what they are; the library is loaded for those that do not.
    from charset_normalizer import from_bytes

    best = from_bytes(content, cp_isolation=_CANDIDATES).best()
    if best is None:
        raise UnreadableError(N_("The file's encoding cannot be recognised. Save it as UTF-8 and try again."))
    return _decode_strictly(content, best.encoding), best.encoding.replace("_", "-")


def _sense(content: bytes, encoding: str) -> float:
    """The share of frequent characters among those beyond ASCII, 0 to 1; 0 where the codec cannot decode it all."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return 0
    sample = text[:_SAMPLE]
    beyond = [character for character in sample if character > "\x7f"]
    if not beyond or "\0" in sample:
        return 0
    is_english = encoding == "cp1252"
    if is_english and len(beyond) * 5 > len(sample):
        return 0
    frequent = _FREQUENT_IN_ENGLISH if is_english else _FREQUENT
    return sum(character in frequent for character in beyond) / len(beyond)


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
