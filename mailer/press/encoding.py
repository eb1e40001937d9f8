"""A MIME part in base64 with slots: everything that is the same for every reader is encoded once.

Base64 turns three bytes into four characters, so what follows a value of another length would have to be encoded
anew. It need not be: there are only three ways a stretch can fall on the grid, so each is encoded three times at most.
Where the lines of a message break depends on the lengths of its reader's values alone, and few lengths occur: for each
set of them a *layout* says what stands where. A fill then encodes the values, with the at most two bytes on either side
of each, in one go, and joins. Lines may be shorter than 76 characters (RFC 2045 section 6.8), so a value sits on lines
of its own.
"""

import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

from mailer.press.slots import split

# 57 bytes make the 76 characters of a full line.
LINE_BYTES = 57
LINE_CHARACTERS = 76
# A stretch shorter than this between two slots is encoded along with them: cheaper than a line of its own.
SHORT = 24
# A stretch that has so many bytes in base64 is a piece of its own in every message, and not copied into it. To take a
# message in pieces costs more than copying a few kilobytes.
LONG = 8192
# A layout is some kilobytes. A mailing has few; beyond so many all are made anew.
MOST_LAYOUTS = 2000

CRLF = b"\r\n"
_LINE_END = re.compile(r"\r\n|\r|\n")


def encode_lines(raw: bytes) -> bytes:
    """`raw` in base64, lines of at most 76 characters, each ended by CRLF."""
    encoded = b2a_base64(raw, newline=False)
    if len(encoded) <= LINE_CHARACTERS:
        return encoded + CRLF if encoded else b""
    lines = [encoded[at : at + LINE_CHARACTERS] for at in range(0, len(encoded), LINE_CHARACTERS)]
    return CRLF.join(lines) + CRLF


# A dynamic stretch: literal bytes and slot names, in turn, together a multiple of three bytes long (but the last).
Segment = tuple[bytes | str, ...]


class Layout:
    """Encoded pieces in order, for values of known lengths, and how those are made that hold values.

    All of these are encoded at once: `shape` has a ``%b`` for each value that `pick` takes, and `cuts` say which
    characters of the outcome are the line that stands in which places. The same bytes round the same slot are encoded
    once however often they occur.
    """

    def __init__(self, pieces: Sequence[bytes | Segment], lengths: Mapping[str, int]) -> None:
        self.pieces: list[bytes] = []
        self._cuts: list[tuple[int, int, list[int]]] = []
        places: dict[Segment, list[int]] = {}
        for piece in pieces:
            if isinstance(piece, tuple):
                places.setdefault(piece, []).append(len(self.pieces))
                lines = -(-_length(piece, lengths) // LINE_BYTES)
                self.pieces.extend([b"", CRLF] * lines)
            else:
                self.pieces.append(piece)
        start = 0
        # The one that does not fill its last group of three ends the part, and comes last here as well.
        segments = sorted(places, key=lambda segment: _length(segment, lengths) % 3 != 0)
        for segment in segments:
            end = start + -(-_length(segment, lengths) // 3) * 4
            for number, line in enumerate(range(start, end, LINE_CHARACTERS)):
                self._cuts.append(
                    (line, min(line + LINE_CHARACTERS, end), [place + 2 * number for place in places[segment]])
                )
            start = end
        parts = [part for segment in segments for part in segment]
        self._shape = b"".join([b"%b" if isinstance(part, str) else part.replace(b"%", b"%%") for part in parts])
        names = [part for part in parts if isinstance(part, str)]
        # What is joined where there are long pieces: these alone (which copies nothing), and those between them.
        longs = [at for at, piece in enumerate(self.pieces) if len(piece) >= LONG]
        edges = sorted({0, len(self.pieces), *longs, *[at + 1 for at in longs]})
        self._runs = list(pairwise(edges)) if longs else []
        # One value, or a tuple of several: what ``%`` wants in either case.
        self._pick: Callable[[Mapping[str, bytes]], bytes | tuple[bytes, ...]] | None = (
            itemgetter(*names) if names else None
        )

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        pieces = self.pieces.copy()
        if self._pick is None:
            return pieces
        encoded = b2a_base64(self._shape % self._pick(values), newline=False)
        for start, end, places in self._cuts:
            line = encoded[start:end]
            for place in places:
                pieces[place] = line
        return [b"".join(pieces[start:end]) for start, end in self._runs] if self._runs else pieces


def _length(segment: Segment, lengths: Mapping[str, int]) -> int:
    return sum([lengths[part] if isinstance(part, str) else len(part) for part in segment])


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
    def is_long(self) -> bool:
        """Whether it has stretches that are not copied into each message."""
        return any(length >= LONG for length in self._encoded_lengths())

    @property
    def copied_bytes(self) -> int:
        """About how many bytes of each message are its own, and not shared with others."""
        return sum([length for length in self._encoded_lengths() if length < LONG])

    def _encoded_lengths(self) -> list[int]:
        return [len(literal) * (LINE_CHARACTERS + 2) // LINE_BYTES for literal in self._literals]

    @property
    def prefix(self) -> bytes:
        """What every filling begins with: encoded, all before the first slot, or the whole part where it has none."""
        length = len(self._literals[0])
        return self._encode_stretch(0, 0, length - length % 3 if self._slots else length)

    def fill(self, values: Mapping[str, bytes]) -> list[bytes]:
        """The part in base64, in pieces that are to be joined. Raises `KeyError` when a slot has no value."""
        lengths = tuple([len(values[name]) for name in self.names])
        layout = self._layouts.get(lengths)
        if layout is None:
            if len(self._layouts) >= MOST_LAYOUTS:
                self._layouts.clear()
            layout = self._layouts[lengths] = self._lay_out(dict(zip(self.names, lengths, strict=True)))
        return layout.fill(values)

    def _encode_stretch(self, number: int, head: int, end: int) -> bytes:
        """Of a literal, the bytes from `head` to `end`: the latter follows from the former."""
        if (number, head) not in self._stretches:
            self._stretches[number, head] = encode_lines(self._literals[number][head:end])
        return self._stretches[number, head]

    def _lay_out(self, lengths: Mapping[str, int]) -> Layout:
        pieces: list[bytes | Segment] = []
        pending: list[bytes | str] = []
        phase = 0
        for number, literal in enumerate(self._literals):
            if number:
                name = self._slots[number - 1]
                pending.append(name)
                phase = (phase + lengths[name]) % 3
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
        return Layout(pieces, lengths)
