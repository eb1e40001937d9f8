import base64
import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.press.encoding import LINE_BYTES, SlottedPart, encode_lines
from mailer.press.slots import SLOTS, fill_text, slot

TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="~\r\n"), max_size=80)
# Also stretches long enough to be pieces of their own.
CONTENTS = st.lists(
    st.one_of(TEXTS, TEXTS.map(lambda text: text * 60), st.sampled_from(SLOTS).map(slot)), max_size=12
).map("".join)
VALUES = st.fixed_dictionaries(dict.fromkeys(SLOTS, TEXTS))


def fill(content: str, values: dict[str, str]) -> bytes:
    part = SlottedPart(content)
    return b"".join(part.fill({name: values[name].encode() for name in part.names}))


@given(CONTENTS, VALUES)
def test_a_filled_part_decodes_to_what_a_plain_encoder_would_send(content: str, values: dict[str, str]) -> None:
    encoded = fill(content, values)
    assert base64.b64decode(encoded, validate=False) == fill_text(content, values).encode()
    # Padding is legal only at the very end (RFC 2045 section 6.8).
    assert b"=" not in encoded.rstrip(b"=\r\n")


@given(CONTENTS, VALUES)
def test_every_line_is_short_and_of_whole_groups(content: str, values: dict[str, str]) -> None:
    encoded = fill(content, values)
    lines = encoded.split(b"\r\n")
    assert lines.pop() == b""
    assert all(0 < len(line) <= 76 and len(line) % 4 == 0 for line in lines)
    assert all(re.fullmatch(rb"[A-Za-z0-9+/]+=*", line) for line in lines)


@given(st.lists(VALUES, min_size=2, max_size=5))
def test_one_reader_leaves_nothing_behind_for_the_next(readers: list[dict[str, str]]) -> None:
    content = "".join(f"{slot(name)} 一段不变的文字，长到足以单独编码。" for name in SLOTS)
    part = SlottedPart(content)
    for values in readers:
        encoded = b"".join(part.fill({name: values[name].encode() for name in part.names}))
        assert base64.b64decode(encoded) == fill_text(content, values).encode()


@pytest.mark.parametrize("size", [0, 1, 2, 3, LINE_BYTES - 1, LINE_BYTES, LINE_BYTES + 1, 3 * LINE_BYTES])
def test_lines_break_at_57_bytes(size: int) -> None:
    raw = bytes(range(size % 256)) if size < 256 else b"x" * size
    encoded = encode_lines(raw)
    assert base64.b64decode(encoded) == raw
    assert encoded.count(b"\r\n") == -(-size // LINE_BYTES)


def test_line_ends_become_crlf_before_encoding() -> None:
    assert base64.b64decode(b"".join(SlottedPart("a\nb\r\nc\rd").fill({}))) == b"a\r\nb\r\nc\r\nd"


def test_a_part_without_slots_is_encoded_once() -> None:
    part = SlottedPart("水" * 100)
    assert part.names == ()
    assert b"".join(part.fill({})) == b"".join(part.fill({})) == encode_lines(("水" * 100).encode())


def test_a_part_is_kept_at_most_three_times_however_values_fall() -> None:
    content = "".join(f"{slot(name)}{'不变的文字' * 200}" for name in SLOTS)
    part = SlottedPart(content)
    for lengths in product(range(3), repeat=len(SLOTS)):
        part.fill({name: b"x" * length for name, length in zip(SLOTS, lengths, strict=True)})
    pieces = {id(piece): len(piece) for layout in part._layouts.values() for piece in layout.pieces}
    assert len(part._layouts) == 3 ** len(SLOTS)
    assert sum(pieces.values()) < 3 * 1.4 * len(content.encode())


def test_a_slot_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        SlottedPart(slot("name")).fill({})
