"""What holds for any text at all: it parses or is refused, and nothing in it is lost."""
# ruff: noqa: E501  (a sentence in Chinese counts two columns a character, and is best left whole)

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.errors import UnreadableError
from mailer.newsroom.parsing import parse_document
from mailer.newsroom.reading import read_text
from mailer.newsroom.structure.blocks import blocks_of_text
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.typography import fold, join
from tests.newsroom.traced import untold

# Pieces that mean something to the parser, to be thrown together at random.
PIECES = (
    "科技简报", "第3期", "（总第91期）", "2024年7月15日", "目录", "★海洋观测站启用……1", "1. 渔港改造 3", "P03 标题", "◆要闻◆", "【见闻】",
    "海洋观测站启用", "渔港改造", "正文一句，意思完整。", "没有写完的一句，", "”接上一页", "　　缩进的一段。", "一是抓落实；", "问：几点？", "编者按：",
    "——副标题", "本刊记者 郑可", "来源：科技日报", "表1 名单", "甲　　乙　　丙", "①注", "文字①在此", "— 3 —", "3", "\f", "", "",
    "编辑：李 涛", "电话：5550101", "报：市委。", "（完）", "──────", "Vol. 7 No. 3", "hyphen-", "ated words go on", "By Jane Doe", "# 标题",
    "【海洋观测站启用】本月三日启用，共设十二处测站，资料每十分钟上传一次。", "【渔港改造工程】改造完成，共有泊位四十个，", "◆渔港改造：改造已经完成，共有泊位四十个。",
    "【本刊讯】本月三日，观测站启用，资料每十分钟上传一次。",
)  # fmt: skip
documents = st.lists(st.sampled_from(PIECES), max_size=40).map("\n".join)


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
@example(b"\xff\xfe\x00\xd8")
@example(b"\x00")
def test_any_bytes_are_parsed_or_refused(content: bytes) -> None:
    try:
        told = parse_document(content, "a.txt").as_json()
    except UnreadableError:
        return
    assert told["articles"] or told["title"]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=300), documents))
def test_any_text_is_parsed_and_every_line_of_it_is_accounted_for(text: str) -> None:
    try:
        bulletin = parse_document(text.encode(), "a.txt")
    except UnreadableError:
        return
    blocks = blocks_of_text(read_text(text.encode()).text)
    assert untold(blocks, bulletin.lines) == []


@settings(max_examples=150, deadline=None)
@given(documents)
def test_no_letter_of_an_articles_text_is_lost(text: str) -> None:
    try:
        bulletin = parse_document(text.encode(), "a.txt")
    except UnreadableError:
        return
    told = letters("".join(f"{article.title}{article.source}" for article in bulletin.articles))
    told += letters("".join(part.text for article in bulletin.articles for part in article.parts))
    labels = {PartKind.EDITORS_NOTE: "编者按", PartKind.SOURCE: "来源"}
    for line in bulletin.lines:
        if line.article is not None and line.role not in ("title", *labels):
            assert letters(line.text) in told or letters(line.text).rstrip("-") in told


@settings(max_examples=100, deadline=None)
@given(documents, st.sampled_from(("zh_CN", "en")))
def test_the_contract_holds_for_any_document(text: str, locale: str) -> None:
    try:
        told = parse_document(text.encode(), "a.txt").as_json(locale)
    except UnreadableError:
        return
    assert list(told) == [
        "title", "year", "number", "total_number", "volume", "publisher", "date", "editor", "phone", "contents", "articles",
        "warnings",
    ]  # fmt: skip
    assert all(set(entry) == {"title", "page"} for entry in told["contents"])
    assert all(set(article) == {"title", "section", "paragraphs", "source"} for article in told["articles"])
    assert all(isinstance(sentence, str) and sentence for sentence in told["warnings"])
    assert isinstance(told["year"], int | None)


@pytest.mark.parametrize(
    "line",
    [
        "汉" * 700_000, "a" * 1_000_000, "标题" + "." * 1_000_000 + "3", "甲，" * 300_000, "x" + " " * 1_000_000 + "y",
        "“" * 500_000 + "甲", "（1）" * 500_000,
    ],
    ids=["ideographs", "letters", "dots", "commas", "spaces", "quotes", "brackets"],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_a_line_of_megabytes_is_parsed_in_bounded_time(line: str) -> None:
    bulletin = parse_document(f"科技简报\n第3期\n\n{line}".encode(), "a.txt")
    assert letters(line)[:50] in letters("".join(traced.text for traced in bulletin.lines))


@pytest.mark.parametrize(
    "line",
    ["标题一个", "★标题一个……3", "没有结尾的一行文字而且还比较长一些，", "①注", "编辑：李涛 电话：5550101", "甲  乙  丙", "7", "编者按", "\f第3页", "局主办 " * 40],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_thousands_of_like_lines_are_parsed_in_bounded_time(line: str) -> None:
    try:
        bulletin = parse_document(("目录\n" + f"{line}\n" * 6_000).encode(), "a.txt")
    except UnreadableError:
        return
    assert len(bulletin.warnings) <= 301


def test_thousands_of_titles_against_hundreds_of_entries_stay_within_the_budget() -> None:
    words = ["".join(four) for four in product("科技创新产业", "发展研究平台", "建设推进会议", "中心项目基地")]
    contents = "".join(f"★{word}情况通报……{number}\n" for number, word in enumerate(words[:390]))
    body = "".join(f"{word}进展综述\n\n正文内容。\n\n" for word in words * 3)
    bulletin = parse_document(f"科技简报\n第3期\n\n目录\n{contents}\n{body}".encode(), "a.txt")
    assert len(bulletin.contents) == 390


@given(st.text(max_size=60))
def test_folding_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_joining_adds_at_most_a_space_and_takes_at_most_a_hyphen(left: str, right: str) -> None:
    joined = join(left, right)
    assert joined in (left + right, f"{left} {right}", left[:-1] + right)
    assert joined != left[:-1] + right or not left or left[-1] in "-\u2010\u00ad" or left[:-1] + right == left + right
