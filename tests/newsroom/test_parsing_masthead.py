"""The head of the first page: titles, numbers, dates and makers as they are really printed."""
# ruff: noqa: E501  (a sentence in Chinese counts two columns a character, and is best left whole)

import datetime as dt

import pytest

from mailer.newsroom.structure.blocks import blocks_of_text
from mailer.newsroom.structure.credits import co_publishers_of, editor_of, phone_of, publisher_of
from mailer.newsroom.structure.imprint import is_organisation, person_name, phone_number, read_labels, read_makers
from mailer.newsroom.structure.masthead import Masthead, read_masthead, unspaced
from mailer.newsroom.structure.numerals import numeral
from mailer.newsroom.structure.typography import fold


def head(*lines: str) -> Masthead:
    return read_masthead(blocks_of_text("\n".join(lines)))


@pytest.mark.parametrize(
    ("line", "number", "total", "volume", "year"),
    [
        ("2024年第9期", "9", None, None, 2024),
        ("第06期", "6", None, None, None),
        ("第二十一期", "21", None, None, None),
        ("第 21 期", "21", None, None, None),
        ("第　二　十　期", "20", None, None, None),
        ("2024年第7期（总第91期）", "7", "91", None, 2024),
        ("（总第 217 期）", None, "217", None, None),
        ("总第〇九一期", None, "91", None, None),
        ("第3期 累计第120期", "3", "120", None, None),
        ("2024年10—11期合刊", "10-11", None, None, 2024),
        ("第9、10期（合刊）", "9-10", None, None, None),
        ("2024年第1-2期合刊（总第77—78期）", "1-2", "77-78", None, 2024),
        ("〔2024〕第3期", "3", None, None, 2024),
        ("创刊号", "1", None, None, None),
        ("第7卷 第3期", "3", None, "7", None),
        ("Vol. 7 No. 3", "3", None, "7", None),
        ("VOL.VII, ISSUE 12", "12", None, "7", None),
        ("Volume 4, Number 2, Spring 2025 (Whole No. 31)", "2", "31", "4", 2025),
        ("No9 二0二四年", "9", None, None, 2024),
        ("二〇二四年第十期", "10", None, None, 2024),
        ("中華民國一一三年 第９期", "9", None, None, 2024),
        ("2024.09 总第105期", None, "105", None, 2024),
        ("No. 6  December 2024", "6", None, None, 2024),
        ("March 2025", None, None, None, 2025),
    ],
)
def test_numbers_in_every_notation(
    line: str, number: str | None, total: str | None, volume: str | None, year: int | None
) -> None:
    found = head("科技参考", line)
    assert (found.number, found.total_number, found.volume, found.year) == (number, total, volume, year)
    assert found.title == "科技参考"
    assert found.strays == []


@pytest.mark.parametrize(
    "printed",
    ["2024年8月5日", "2024 年 08 月 05 日出版", "二〇二四年八月五日", "二○二四年八月五日", "2024-8-5", "2024.08.05",
     "2024/8/5", "5 August 2024", "August 5th, 2024", "Aug. 5, 2024", "民國113年8月5日", "出版日期：2024年8月5日",
     "2024年8月5日　星期一"],
)  # fmt: skip
def test_dates_in_every_notation(printed: str) -> None:
    assert head("科技参考", printed).date == dt.date(2024, 8, 5)


@pytest.mark.parametrize("printed", ["2024年2月30日", "2024-13-01", "二〇二四年十三月一日"])
def test_a_date_that_no_calendar_has_stays_unknown_and_is_told(printed: str) -> None:
    found = head("科技参考", printed)
    assert found.date is None
    assert [block.text for block in found.impossible_dates] == [printed]


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (["北 屿 信 息 快 报", "第1期"], "北屿信息快报"),
        (["科技 情报 参考", "第1期"], "科技情报参考"),
        (["《科技参考》2024年第1期"], "科技参考"),
        (["望川大学图书馆", "知 识 服 务 动 态", "第1期"], "知识服务动态"),
        (["内部资料　注意保存", "科技工作简报", "第1期"], "科技工作简报"),
        (["N O R T H   N O T E S", "No. 1"], "NORTH NOTES"),
        (["机密★一年", "情况通报", "第1期"], "情况通报"),
        (["The Harbour Review, Vol. 2, No. 4 (May 2024)"], "The Harbour Review"),
        (["创新驱动", "LANZHOU SCIENCE NEWS", "第1期"], "创新驱动"),
        (["2024年第1期"], None),
    ],
)
def test_the_title_is_found_among_what_stands_beside_it(lines: list[str], title: str | None) -> None:
    assert head(*lines).title == title


@pytest.mark.parametrize(
    ("lines", "publisher", "others"),
    [
        (["望川市科技局 编"], "望川市科技局", ()),
        (["望川市科技局主办"], "望川市科技局", ()),
        (["望川市科技局　编　印"], "望川市科技局", ()),
        (["主办单位：望川市科技局"], "望川市科技局", ()),
        (["主办：望川市科技局    承办：望川市科技情报研究所"], "望川市科技局", ("望川市科技情报研究所",)),
        (["望川市科技局主办 / 望川市科技情报研究所承办"], "望川市科技局", ("望川市科技情报研究所",)),
        (["主管：望川大学", "主办：望川大学图书馆"], "望川大学图书馆", ("望川大学",)),
        (["望川市科技局", "编"], "望川市科技局", ()),
        (["望川市科学技术局", "综合保障中心 编辑"], "望川市科学技术局综合保障中心", ()),
        (["望川市科学技术协会", "望川大学图书馆　合编"], "望川市科学技术协会", ("望川大学图书馆",)),
        (["望川市科技局办公室　　　　2024年3月29日"], "望川市科技局办公室", ()),
        (["编辑：望川市科技情报研究所"], "望川市科技情报研究所", ()),
        (["Published by the Office of Research, Northisle University"], "Office of Research, Northisle University", ()),
        (["Northisle Institute of Marine Science"], "Northisle Institute of Marine Science", ()),
        (["月刊"], None, ()),
    ],
)
def test_the_publisher_is_found(lines: list[str], publisher: str | None, others: tuple[str, ...]) -> None:
    found = head("科技简报", "第1期", *lines)
    assert (publisher_of(found.imprints), co_publishers_of(found.imprints)) == (publisher, others)


def test_what_is_not_understood_at_the_head_is_kept_as_a_stray() -> None:
    found = head("科技简报", "第1期", "春风化雨 润物无声")
    assert [block.text for block in found.strays] == ["春风化雨 润物无声"]


@pytest.mark.parametrize(
    ("printed", "name"),
    [("李 涛", "李涛"), ("李　涛", "李涛"), ("欧阳 若溪", "欧阳若溪"), ("王 小明", "王小明"), ("郑可 乔木", "郑可 乔木"),
     ("李 涛　　王 明", "李涛 王明"), ("李 涛 王 明", "李涛 王明"), ("郑可、乔木", "郑可、乔木"), ("苗青禾　石　玥", "苗青禾 石玥"), ("李 涛、王 喆", "李涛、王喆"), ("Jane  Doe", "Jane Doe"),
     ("", "")],
)  # fmt: skip
def test_spaces_that_only_justify_a_name_are_taken_out(printed: str, name: str) -> None:
    assert person_name(printed) == name


@pytest.mark.parametrize(
    ("line", "editor", "phone"),
    [
        ("编辑：李 涛　电话：0000-5550101", "李涛", "0000-5550101"),
        ("主编：顾临川  责任编辑：白若溪  校对：米岚", "白若溪", None),
        ("主编：顾临川", "顾临川", None),
        ("编　辑　苗青禾　电　话　0000-5550101", "苗青禾", "0000-5550101"),
        ("（责编 李涛）", "李涛", None),
        ("责任编辑/排版：范小渔", "范小渔", None),
        ("传真：0000-5550102 电话：0000-5550101", None, "0000-5550101"),
        ("电话/传真：0000-5550101", None, "0000-5550101"),
        ("联系电话：（0000）５５５０１０１", None, "(0000)5550101"),
        ("☎ 0000-5550101", None, "0000-5550101"),
        ("電話：0000-5550101", None, "0000-5550101"),
        ("Editor: Jane Doe | Tel. +00 0000 555019 | Fax: +00 0000 555020", "Jane Doe", "+00 0000 555019"),
        ("Edited by Jane Doe", "Jane Doe", None),
        ("传真：0000-5550102", None, None),
        ("电话：见官网", None, None),
    ],
)
def test_editor_and_phone_are_found(line: str, editor: str | None, phone: str | None) -> None:
    _, imprints = read_labels(line)
    assert (editor_of(imprints), phone_of(imprints)) == (editor, phone)


def test_the_editors_phone_goes_before_a_phone_of_the_last_article() -> None:
    imprints = [
        label
        for line in ("报名电话：0000-1", "电话：5550100", "编辑：李涛", "电话：5550101")
        for label in read_labels(line)[1]
    ]
    assert phone_of(imprints) == "5550101"


@pytest.mark.parametrize(
    "text", ["科技文献汇编", "望川市召开科技工作推进会", "郑可", "程砚（云漓大学）", "新区建成换电示范站"]
)
def test_what_only_looks_like_a_body_is_none(text: str) -> None:
    assert not is_organisation(text)
    assert read_makers(text) == []


@pytest.mark.parametrize(
    ("printed", "value"),
    [("09", 9), ("二十一", 21), ("一百零五", 105), ("廿三", 23), ("二〇二四", 2024), ("VII", 7), ("XIV", 14), ("甲", None),
     ("", None)],
)  # fmt: skip
def test_numerals_have_their_value(printed: str, value: int | None) -> None:
    assert numeral(fold(printed)) == value


def test_the_number_of_an_official_letter_is_no_issues_number() -> None:
    found = head("望川市科学技术局文件", "望科〔2024〕15号")
    assert found.number is None
    assert [block.text for block in found.strays] == ["望科〔2024〕15号"]


def test_only_letter_spaced_words_lose_their_spaces() -> None:
    assert unspaced("澜州大学 科技动态") == "澜州大学 科技动态"
    assert unspaced("本 期 要 目") == "本期要目"


def test_a_phone_keeps_its_extension() -> None:
    assert phone_number("0000 - 5550120 转 8012（工作日）") == "0000-5550120 转 8012"
