"""The foot of a bulletin is told from its last article."""
# ruff: noqa: E501  (a sentence in Chinese counts two columns a character, and is best left whole)

import pytest

from mailer.newsroom.parsing import parse_document
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.describing import colophon_of

HEAD = (
    "科技简报\n2024年第3期\n望川市科技局 编\n\n目录\n★海洋观测站启用……1\n\n海洋观测站启用\n\n正文一句，意思完整。\n\n"
)
FEET = {
    "labels": "编辑：李涛\n电话：5550101",
    "the compilers again": "望川市科技局编\n\n编辑：李涛\n\n电话：5550101",
    "distribution": "————\n报：市委、市政府。\n送：各县区，\n　　各部门。\n发：局属各单位。\n————\n编辑：李涛　电话：5550101\n（共印120份）",
    "address and notices": "编辑：李涛\n地址：望川市一号路　邮编：000000\n电话：5550101\n投稿邮箱：a@example.org\n内部资料　免费交流",
    "an unknown label": "编辑：李涛\n电话：5550101\n赞助：€200（约合人民币 1500 元）",
    "letter-spaced labels": "编　辑　李　涛\n电　话　5550101\n印　数　500份",
    "the office above": "本刊编辑部\n编辑：李涛\n电话：5550101",
    "in brackets": "（编辑：李涛　电话：5550101）",
    "the value below": "编辑：\n李涛\n电话：5550101",
    "a line without a label last": "编辑：李涛　电话：5550101\n望川市一号路 1 号 3 楼",
}


def parse(foot: str) -> ParsedBulletin:
    return parse_document((HEAD + foot).encode(), "a.txt")


@pytest.mark.parametrize("foot", FEET.values(), ids=FEET.keys())
def test_the_colophon_is_no_part_of_the_last_article(foot: str) -> None:
    found = parse(foot)
    assert found.articles[0].paragraphs == ("正文一句，意思完整。",)
    assert (found.editor, found.phone) == ("李涛", "5550101")
    kept = "\n".join((*found.colophon, *found.furniture))
    assert all(line.strip() in kept for line in foot.split("\n"))


@pytest.mark.parametrize(
    ("foot", "told"),
    [
        ("编辑：李涛\n电话：5550101", ""),
        ("（编辑：李涛　电话：5550101）", ""),
        ("编　辑　李　涛\n电　话　5550101\n印　数　500份", "印　数　500份"),
        ("编辑：李 涛    审核：乔木    电话：5550101  传真：5550102", "审核：乔木  传真：5550102"),
        ("编辑：李涛　地址：望川市一号路　电话：5550101", "地址：望川市一号路"),
        ("编辑：李涛，电话：5550101，投稿邮箱：a@example.org", "编辑：李涛，电话：5550101，投稿邮箱：a@example.org"),
        ("编辑：李涛　电话：5550101\n望川市一号路 1 号 3 楼", "望川市一号路 1 号 3 楼"),
    ],
)
def test_what_a_line_says_beside_editor_and_phone_is_kept(foot: str, told: str) -> None:
    assert colophon_of(parse(foot)) == told


@pytest.mark.parametrize(
    "ending",
    ["答：报名电话开通后另行通知，请大家耐心等待。", "联系方式：大家可以在工作日到一号楼三层的办公室当面咨询，也可以打电话或者写信，我们会在三个工作日之内答复。",
     "来源：科技日报", "3.推广。扩大使用范围。"],
)  # fmt: skip
def test_the_end_of_an_article_is_not_taken_for_a_colophon(ending: str) -> None:
    found = parse(ending)
    assert found.colophon == ()
    assert any(ending in part.text for part in found.articles[0].parts)


def test_what_is_not_there_stays_unknown() -> None:
    found = parse_document("科技简报\n\n海洋观测站启用\n\n正文一句，意思完整。\n".encode(), "a.txt")
    told = found.as_json()
    unknown = ("year", "number", "total_number", "volume", "publisher", "date", "editor", "phone")
    assert {key: told[key] for key in unknown} == dict.fromkeys(unknown)


@pytest.mark.parametrize(
    ("line", "editor"), [("Editor: Jane Hughes.", "Jane Hughes"), ("Editor: John Smith Jr.", "John Smith Jr.")]
)
def test_the_full_stop_of_a_sentence_that_names_the_editor_is_no_part_of_the_name(line: str, editor: str) -> None:
    head = "Lab Bulletin\nNo. 3, 2024\n\nContents\n1. New station opens\n\nNew station opens\n\n"
    body = "The station was opened on Monday and will measure the tides.\n\n"
    assert parse_document((head + body + line).encode(), "a.txt").editor == editor


def test_number_date_and_publisher_may_stand_at_the_foot() -> None:
    text = "科技简报\n\n目录\n★海洋观测站启用……1\n\n海洋观测站启用\n\n正文一句。\n\n望川市科技局主办\n2024年3月29日印发\n编辑：李涛\n"
    found = parse_document(text.encode(), "a.txt")
    assert (found.publisher, found.as_json()["date"], found.year) == ("望川市科技局", "2024-03-29", 2024)


@pytest.mark.parametrize(
    "foot", ["编辑：李涛　电话：5550101", "", "（共印120份）"], ids=["editors", "none", "print run"]
)
def test_the_one_sentence_of_an_announced_article_is_its_text_though_it_invites_as_a_colophon_does(foot: str) -> None:
    said = "感谢各界读者支持，本刊自本期起改为双月出刊，欢迎来稿。"
    text = HEAD.replace("启用……1\n", "启用……1\n★编后语……2\n", 1) + f"编后语\n\n{said}\n\n{foot}"
    found = parse_document(text.encode(), "a.txt")
    assert [(article.title, article.paragraphs) for article in found.articles] == [
        ("海洋观测站启用", ("正文一句，意思完整。",)),
        ("编后语", (said,)),
    ]
    assert found.colophon == ((foot,) if foot else ())
