import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.envelopes import REPLY_LIMIT
from mailer.dispatch.smtp.reply import ENDLESS, GARBAGE, LINE_LIMIT, TOTAL_LIMIT, Reply, ReplyParser, readable


def parse(*pieces: bytes) -> tuple[list[Reply], str | None]:
    parser = ReplyParser()
    return [reply for piece in pieces for reply in parser.feed(piece)], parser.fault


def test_a_line_is_a_reply() -> None:
    assert parse(b"250 2.1.0 Ok\r\n") == ([Reply(250, (b"2.1.0 Ok",))], None)


def test_several_lines_are_one_reply() -> None:
    replies, _ = parse(b"220-first\r\n220-second\r\n220 last\r\n")
    assert [reply.text for reply in replies] == ["first\nsecond\nlast"]


@pytest.mark.parametrize("line", [b"250\r\n", b"250 \r\n", b"250 ok\n", b"250-a\r\n250\r\n"])
def test_odd_but_honest_lines_are_read(line: bytes) -> None:
    replies, fault = parse(line)
    assert fault is None
    assert [reply.code for reply in replies] == [250]


def test_where_the_lines_disagree_the_last_code_counts() -> None:
    assert parse(b"250-a\r\n550 b\r\n")[0] == [Reply(550, (b"a", b"b"))]


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"25 ok\r\n",
        b"099 ok\r\n",
        b"199 ok\r\n",
        b"600 ok\r\n",
        b"250_ok\r\n",
        b"\xff\xfe\x00\r\n",
        b"+OK POP3 ready\r\n",
        "２５０ ok\r\n".encode(),
    ],
)
def test_what_is_no_reply_is_garbage(line: bytes) -> None:
    assert parse(line) == ([], GARBAGE)


def test_nothing_is_read_after_garbage() -> None:
    replies, fault = parse(b"250 a\r\nwhat\r\n250 b\r\n", b"250 c\r\n")
    assert [reply.text for reply in replies] == ["a"]
    assert fault == GARBAGE


def test_an_endless_line_is_cut_off() -> None:
    parser = ReplyParser()
    fed = 0
    while parser.fault is None:
        parser.feed(b"2" * 1000)
        fed += 1000
        assert fed <= LINE_LIMIT + 1000
    assert parser.fault == ENDLESS


def test_endless_lines_are_cut_off() -> None:
    parser = ReplyParser()
    fed = 0
    while parser.fault is None:
        parser.feed(b"250-" + b"x" * 100 + b"\r\n")
        fed += 104
        assert fed <= TOTAL_LIMIT + 1000
    assert parser.fault == ENDLESS


def test_a_reply_is_kept_short_and_printable() -> None:
    (reply,) = parse(b"250-" + b"\x00\x1b[31m" + b"y" * 5000 + b"\r\n250 end\r\n")[0]
    assert len(reply.text) <= REPLY_LIMIT
    assert reply.text.isprintable()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_servers_are_understood_in_either_encoding(encoding: str) -> None:
    assert readable("用户不存在".encode(encoding)) == "用户不存在"


def test_what_is_text_in_no_encoding_is_still_text() -> None:
    assert readable(b"oops \xff\xff\xff") == "oops ���"


@pytest.mark.parametrize(
    ("line", "enhanced"),
    [
        (b"550 5.1.1 No such user", "5.1.1"),
        (b"550-5.7.26 Unauthenticated\r\n550 5.7.26 mail", "5.7.26"),
        (b"550 [5.7.1] no", "5.7.1"),
        (b"550 #5.1.1 no", "5.1.1"),
        (b"550 (5.1.10) no", "5.1.10"),
        (b"250 2.0.0", "2.0.0"),
        (b"550 4.2.1 not of the code's class", None),
        (b"550 1.2.3.4 is blocked", None),
        (b"550 5.1.2.3 is an address", None),
        (b"550 see 5.1.1", None),
        (b"550 5.1234.1 no", None),
        (b"550 no", None),
        (b"550", None),
    ],
)
def test_the_enhanced_code_is_at_the_beginning_and_of_the_codes_class(line: bytes, enhanced: str | None) -> None:
    (reply,) = parse(line + b"\r\n")[0]
    assert reply.enhanced == enhanced


texts = st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b""))
whole_replies = st.builds(
    Reply, st.integers(min_value=200, max_value=599), st.lists(texts, min_size=1, max_size=4).map(tuple)
)


def on_the_wire(reply: Reply) -> bytes:
    *first, last = reply.lines
    code = str(reply.code).encode()
    return b"".join(code + b"-" + line + b"\r\n" for line in first) + code + b" " + last + b"\r\n"


@given(st.lists(whole_replies, max_size=5), st.lists(st.integers(min_value=1, max_value=7), min_size=1, max_size=20))
def test_replies_are_the_same_however_the_stream_is_cut(replies: list[Reply], steps: list[int]) -> None:
    stream = b"".join(on_the_wire(reply) for reply in replies)
    parser, read, place, turn = ReplyParser(), [], 0, 0
    while place < len(stream):
        step = steps[turn % len(steps)]
        read += parser.feed(stream[place : place + step])
        place, turn = place + step, turn + 1
    assert read == replies
    assert parser.fault is None
    assert parser.is_clean


@given(st.lists(st.binary(max_size=3000), max_size=60))
def test_no_stream_makes_it_hold_more_than_its_limits(pieces: list[bytes]) -> None:
    parser = ReplyParser()
    for piece in pieces:
        for reply in parser.feed(piece):
            assert 200 <= reply.code < 600
            assert "\x00" not in reply.text
            assert len(reply.text) <= REPLY_LIMIT
            assert sum(map(len, reply.lines)) <= TOTAL_LIMIT + LINE_LIMIT + len(piece)
