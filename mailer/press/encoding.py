"""A MIME part in base64 with slots: everything that is the same for every reader is encoded once.

Base64 turns three bytes into four characters, so what follows a value of another length would have to be encoded
anew. It need not be: for each sum of lengths modulo three there are only three ways a stretch can fall on the grid,
so a *layout* is made for each combination that occurs, and a fill encodes the value with the at most two bytes on
either side of it. Layouts share their stretches, so that a mailing holds three copies of an edition and not one for
each combination. Lines may be shorter than 76 characters (RFC 2045 section 6.8), so a value sits on lines of its own.
"""

import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from mailer.press.slots import split

# 57 bytes make the 76 characters of a full line.
LINE_BYTES = 57
LINE_CHARACTERS = 76
# A stretch shorter than this between two slots is encoded along with them: cheaper than a line of its own.
SHORT = 24

_LINE_END = re.compile(r"\r\n|\r|\n")


def encode_lines(raw: bytes) -> bytes:
    """`raw` in base64, lines of at most 76 characters, each ended by CRLF."""
    encoded = b2a_base64(raw, newline=False)
    if len(encoded) <= LINE_CHARACTERS:
        return encoded + b"\r\n" if encoded else b""
    lines = [encoded[at : at + LINE_CHARACTERS] for at in range(0, len(encoded), LINE_CHARACTERS)]
    return b"\r\n".join(lines) + b"\r\n"


# A dynamic stretch: literal bytes and slot names, in turn, together a multiple of three bytes long (but the last).
Segment = tuple[bytes | str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a stretch that holds slots is made: `shape` has a ``%b`` for each value that `pick` takes, `places` say where
    it goes. `pick` gives one value, or a tuple of several: what ``%`` wants in either case.
    """

    shape: bytes
    pick: Callable[[Mapping[str, bytes]], bytes | tuple[bytes, ...]]
    places: list[int]

    @classmethod
    def of(cls, segment: Segment, places: list[int]) -> "Recipe":
        shape = b"".join([b"%b" if isinstance(part, str) else part.replace(b"%", b"%%") for part in segment])
        return cls(shape, itemgetter(*[part for part in segment if isinstance(part, str)]), places)


class Layout:
    """Encoded pieces in order, and the recipes for those that must be encoded for each reader.

    The same bytes round the same slot are encoded once however often they occur.
    """

    def __init__(self, pieces: Sequence[bytes | Segment]) -> None:
        segments: dict[Segment, list[int]] = {}
        for place, piece in enumerate(pieces):
            if isinstance(piece, tuple):
                segments.setdefault(piece, []).append(place)
        self.pieces = [b"" if isinstance(piece, tuple) else piece for piece in pieces]
        self._recipes = [Recipe.of(segment, places) for segment, places in segments.items()]

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        pieces = self.pieces.copy()
        for recipe in self._recipes:
            encoded = encode_lines(recipe.shape % recipe.pick(values))
            for place in recipe.places:
                pieces[place] = encoded
        return b"".join(pieces)


class SlottedPart:
    """A text or HTML part whose slots are filled as bytes. `names` are the slots it holds."""

    def __init__(self, content: str) -> None:
        parts = split(_LINE_END.sub("\r\n", content))
        self._literals = [literal.encode() for literal in parts[::2]]
        self._slots = parts[1::2]
        self.names = tuple(dict.fromkeys(self._slots))
        self._layouts: dict[tuple[int, ...], Layout] = {}
        self._stretches: dict[tuple[int, int], bytes] = {}

    @property
    def prefix(self) -> bytes:
        """What every filling begins with: encoded, all before the first slot, or the whole part where it has none."""
        length = len(self._literals[0])
        return self._encode_stretch(0, 0, length - length % 3 if self._slots else length)

    def fill(self, values: Mapping[str, bytes]) -> bytes:
        """The part in base64. Raises `KeyError` when a slot has no value."""
        phases = tuple([len(values[name]) % 3 for name in self.names])
        layout = self._layouts.get(phases)
        if layout is None:
            layout = self._layouts[phases] = self._lay_out(dict(zip(self.names, phases, strict=True)))
        return layout.fill(values)

    def _encode_stretch(self, number: int, head: int, end: int) -> bytes:
        """Of a literal, the bytes from `head` to `end`: the latter follows from the former."""
        if (number, head) not in self._stretches:
            self._stretches[number, head] = encode_lines(self._literals[number][head:end])
        return self._stretches[number, head]

    def _lay_out(self, phases: Mapping[str, int]) -> Layout:
        pieces: list[bytes | Segment] = []
        pending: list[bytes | str] = []
        phase = 0
        for number, literal in enumerate(self._literals):
            if number:
                name = self._slots[number - 1]
                pending.append(name)
                phase = (phase + phases[name]) % 3
            is_last = number == len(self._literals) - 1
            if number and len(literal) < SHORT and not is_last:
                pending.append(literal)
                phase = (phase + len(literal)) % 3
                continue
            head = -phase % 3 if number else 0
            if number:
                pieces.append((*pending, literal[:head]))
            # What does not fill a group of three goes with the next slot, or ends the part with its padding.
            end = len(literal) if is_last else len(literal) - (len(literal) - head) % 3
            pieces.append(self._encode_stretch(number, head, end))
            pending = [literal[end:]]
            phase = len(literal) - end
        return Layout(pieces)
