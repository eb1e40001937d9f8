"""Contents lists in every dress: bullets, ordinals, leaders, pages anywhere or nowhere, sections, wrapped entries."""
# ruff: noqa: E501  (a sentence in Chinese counts two columns a character, and is best left whole)

import pytest

from mailer.newsroom.parsing import parse_document
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.contents import is_contents_heading
from mailer.newsroom.structure.matching import SAME, normal_form, similarity

HEAD = "科技简报\n2024年第3期\n望川市科技局主办\n\n"
BODY = """
海洋观测站启用

本月三日，海洋观测站正式启用，全市共设十二处测站，资料每十分钟上传一次。

渔港改造进入第二阶段

渔港改造第一阶段完成码头照明与冷链改造，损耗率由百分之十一降到百分之四。

“百团进百企”行动启动

行动为期两年，首批二十一个团队当天签约，每个团队每季度至少到企业工作五天。

编辑：李涛
"""
TITLES = ["海洋观测站启用", "渔港改造进入第二阶段", "“百团进百企”行动启动"]


def parse(contents: str, body: str = BODY) -> ParsedBulletin:
    return parse_document((HEAD + contents + "\n" + body).encode(), "a.txt")


def entries(bulletin: ParsedBulletin) -> list[tuple[str, int | None]]:
    return [(entry.title, entry.page) for entry in bulletin.contents]


PAGED = {
    "stars and ellipses": "目录\n★{}……1\n★{}……3\n★{}……12",
    "no heading": "★{}……1\n★{}……3\n★{}……12",
    "no heading, only brackets": "●{}（1）\n●{}（3）\n●{}（12）",
    "no bullets": "本期要目\n{} ………… 1\n{} ………… 3\n{} ………… 12",
    "dots": "目 录\n· {}........1\n· {}........3\n· {}........12",
    "dashes": "目录：\n★{}——1\n★{}——3\n★{}——12",
    "middle dots": "目录\n◆{}·······1\n◆{}·······3\n◆{}·······12",
    "tabs": "目录\n{}\t1\n{}\t3\n{}\t12",
    "wide spaces": "目录\n{}      1\n{}      3\n{}     12",
    "single spaces": "目录\n★ {} 1\n★ {} 3\n★ {} 12",
    "square brackets": "目录\n★{}[1]\n★{}[3]\n★{}[12]",
    "P": "目录\n{} P1\n{} P3\n{} P12",
    "第…页": "目录\n{}……第1页\n{}……第3页\n{}……第12页",
    "ranges": "目录\n★{}……1-2\n★{}……3-11\n★{}……12-15",
    "slashes": "目录\n{}/1\n{}/3\n{}/12",
    "full width": "目录\n★{}……１\n★{}……３\n★{}……１２",
    "ordinals": "目录\n1. {}……1\n2. {}……3\n3. {}……12",
    "Chinese ordinals": "目录\n一、{}……1\n二、{}……3\n三、{}……12",
    "ordinals in brackets": "目录\n（1）{}（1）\n（2）{}（3）\n（3）{}（12）",
    "pages at the left": "目录\nP01  {}\nP03  {}\nP12  {}",
    "bare pages at the left": "目录\n1  {}\n3  {}\n12  {}",
    "bracketed pages at the left": "目录\n[01] {}\n[03] {}\n[12] {}",
    "第…版 at the left": "导读\n第1版：{}\n第3版：{}\n第12版：{}",
    "Markdown": "目录\n\n- ★ {}……1\n- ★ {} …… 3\n- ★ {} …12",
    "authors": "目录\n{}　　郑可……1\n{}　　白若溪、石玥……3\n{}　　卢岸……12",
    "rules around": "目录\n──────\n{}……1\n{}……3\n{}……12\n──────",
    "English heading": "CONTENTS\n{}……1\n{}……3\n{}……12",
}


@pytest.mark.parametrize("contents", PAGED.values(), ids=PAGED.keys())
def test_entries_and_pages_are_read(contents: str) -> None:
    bulletin = parse(contents.format(*TITLES))
    assert entries(bulletin) == list(zip(TITLES, [1, 3, 12], strict=True))
    assert [article.title for article in bulletin.articles] == TITLES
    assert bulletin.warnings == ()


@pytest.mark.parametrize(
    "contents",
    [
        "目录\n★{}\n★{}\n★{}",
        "★{}\n★{}\n★{}",
        "本期要目\n{}\n{}\n{}",
        "1、{}\n2、{}\n3、{}",
        "{}\n{}\n{}",
        "目录\n{}……\n{}……\n{}……",
    ],
)
def test_a_list_without_pages_has_none(contents: str) -> None:
    bulletin = parse(contents.format(*TITLES))
    assert entries(bulletin) == [(title, None) for title in TITLES]
    assert [article.title for article in bulletin.articles] == TITLES


@pytest.mark.parametrize(
    "contents",
    [
        "目录\n要闻\n  {}……1\n见闻\n  {}……3\n  {}……12",
        "目录\n【要闻】\n★{}……1\n【见闻】\n★{}……3\n★{}……12",
        "目录\n■ 要闻\n★{}……1\n■ 见闻\n★{}……3\n★{}……12",
        "目录\n☆ 要闻\n1. {}……1\n☆ 见闻\n2. {}……3\n3. {}……12",
        "目录\n要闻\n★{}\n见闻\n★{}\n★{}",
        "目录\n一、要闻\n1. {}……1\n二、见闻\n2. {}……3\n3. {}……12",
        "目录\n【要闻】{}……1\n【见闻】{}……3\n【见闻】{}……12",
        "目录\n要闻｜{}……1\n见闻｜{}……3\n见闻｜{}……12",
    ],
)
def test_names_of_sections_are_no_entries(contents: str) -> None:
    bulletin = parse(contents.format(*TITLES))
    assert [entry.title for entry in bulletin.contents] == TITLES
    assert [article.section for article in bulletin.articles] == ["要闻", "见闻", "见闻"]


def test_sections_in_the_body_win_over_those_of_the_list() -> None:
    body = BODY.replace("海洋观测站启用\n\n本", "◆要闻◆\n\n海洋观测站启用\n\n本").replace("“百团", "◆见闻◆\n\n“百团")
    bulletin = parse("目录\n{}……1\n{}……3\n{}……12".format(*TITLES), body)
    assert [article.section for article in bulletin.articles] == ["要闻", "要闻", "见闻"]
    assert bulletin.sections == ("要闻", "见闻")


@pytest.mark.parametrize(
    "contents",
    [
        "目录\n★{}……1\n★渔港改造进入\n  第二阶段……3\n★{}……12",
        "目录\n{}……1\n渔港改造进入\n第二阶段……3\n{}……12",
        "目录\n1. {}……1\n2. 渔港改造进入\n   第二阶段……3\n3. {}……12",
        "目录\n★{}\n★渔港改造进入\n　第二阶段\n★{}",
    ],
)
def test_an_entry_of_two_lines_is_one(contents: str) -> None:
    bulletin = parse(contents.format(TITLES[0], TITLES[2]))
    assert [entry.title for entry in bulletin.contents] == TITLES
    assert bulletin.contents[1].lines == (bulletin.contents[0].lines[0] + 1, bulletin.contents[0].lines[0] + 2)


def test_numbers_that_belong_to_titles_are_no_pages() -> None:
    titles = ("青岚市签约 12.6 亿元", "科技周 2024", "深海机器人完成 2000 米级海试")
    body = "".join(f"\n{title}\n\n正文一句，足够长，能看出是一段正文而不是标题，也不是目录。\n" for title in titles)
    bulletin = parse("目录\n" + "\n".join(f"★{title}" for title in titles), body)
    assert entries(bulletin) == [(title, None) for title in titles]


def test_a_body_whose_titles_have_bullets_too_is_not_taken_for_the_list() -> None:
    body = BODY
    for title in TITLES:
        body = body.replace(title, f"★ {title}", 1)
    bulletin = parse("目录\n★{}\n★{}\n★{}".format(*TITLES), body)
    assert entries(bulletin) == [(title, None) for title in TITLES]
    assert [article.title for article in bulletin.articles] == TITLES


@pytest.mark.parametrize(
    ("listed", "headed"),
    [
        ('"百团进百企"行动启动', "“百团进百企”行动启动"),
        ("百团进百企行动启动", "“百团进百企” 行动启动"),
        ("“百团进百企”行动启动", "「百团进百企」行动启动"),
        ("松岭高新区:一枚印章管审批", "松岭高新区：“一枚印章管审批”"),
        ("实验室—中试—量产全链条", "实验室－中试－量产全链条"),
        ("ＡＩ辅助诊断走进乡镇", "AI辅助诊断走进乡镇"),
        ("科技馆夜校受欢迎", "市科技馆“夜校”广受欢迎"),
        ("省重点实验室重组收官", "省重点实验室体系重组进入收官阶段"),
        ("首批概念验证中心创建化学反应", "首批概念验证中心创建"),
        ("概念验证平台建设若干措施", "关于概念验证平台建设若干措施的解读"),
    ],
)
def test_titles_are_matched_however_they_are_spelt(listed: str, headed: str) -> None:
    body = f"\n{headed}\n\n正文一句，足够长，能看出是一段正文而不是标题。\n\n另一篇文章\n\n正文又一句，足够长，也是正文。\n"
    bulletin = parse(f"目录\n★{listed}……1\n★另一篇文章……2", body)
    assert [(article.title, article.page) for article in bulletin.articles] == [(headed, 1), ("另一篇文章", 2)]


def test_an_entry_without_an_article_and_an_article_without_an_entry_are_told() -> None:
    body = BODY.replace("编辑", "【附】\n\n编辑").replace("“百团进百企”行动启动", "■ “百团进百企”行动启动")
    bulletin = parse(f"目录\n★{TITLES[0]}……1\n★{TITLES[1]}……3\n★来年计划预告……15", body)
    messages = [warning.message for warning in bulletin.warnings]
    assert any("no article has that title" in message for message in messages)
    assert any("may be a title that the contents list lacks" in message for message in messages)


def test_a_title_that_differs_in_words_is_told_and_the_bodys_is_kept() -> None:
    bulletin = parse(f"目录\n★{TITLES[0]}“化学反应”……1\n★{TITLES[1]}……3\n★{TITLES[2]}……12")
    (warning,) = bulletin.warnings
    assert warning.params == {"contents": f"{TITLES[0]}“化学反应”", "title": TITLES[0]}
    assert bulletin.articles[0].title == TITLES[0]
    assert bulletin.articles[0].contents_title == f"{TITLES[0]}“化学反应”"


def test_two_articles_of_one_title_stay_two() -> None:
    body = "\n简讯\n\n甲市启用新馆，首日接待三千人次。\n\n简讯\n\n乙市开通热线，首日接听八十通。\n"
    bulletin = parse("目录\n★简讯……1\n★简讯……2", body)
    assert [(article.title, article.page) for article in bulletin.articles] == [("简讯", 1), ("简讯", 2)]


def test_a_title_of_two_lines_is_joined_as_the_list_has_it() -> None:
    body = "\n“一院一链”打通堵点\n松岭探索新机制\n\n正文一句，足够长，能看出是一段正文。\n"
    bulletin = parse("目录\n★“一院一链”打通堵点 松岭探索新机制……1", body)
    assert [article.title for article in bulletin.articles] == ["“一院一链”打通堵点 松岭探索新机制"]


def test_ordinals_of_titles_are_taken_off_in_list_and_body() -> None:
    body = BODY
    for ordinal, title in zip("一二三", TITLES, strict=True):
        body = body.replace(title, f"{ordinal}、{title}", 1)
    bulletin = parse("目录\n一、{}……1\n二、{}……3\n三、{}……12".format(*TITLES), body)
    assert [article.title for article in bulletin.articles] == TITLES


def test_page_numbers_and_rules_in_the_list_are_furniture() -> None:
    bulletin = parse("目录\n{}……1\n{}……3\n{}……12\n— 1 —\n\f".format(*TITLES))
    assert [entry.page for entry in bulletin.contents] == [1, 3, 12]
    assert "— 1 —" in bulletin.furniture


@pytest.mark.parametrize(
    "text", ["目录", "目　　录", "【本期导读】", "★本期要目★", "目录 CONTENTS", "In this issue", "目錄", "要目："]
)
def test_headings_of_contents_lists_are_known(text: str) -> None:
    assert is_contents_heading(text)


@pytest.mark.parametrize("text", ["目录学研究进展", "本期", "导读服务走进校园", "Inside the atom"])
def test_titles_that_begin_like_such_headings_are_not(text: str) -> None:
    assert not is_contents_heading(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("科技局召开一季度会议", "卫生局通报二季度数据"),
        ("海洋观测站启用", "渔港改造"),
        ("", "标题"),
        ("夜校", "夜校火了，名额秒光，一位难求"),
    ],
)
def test_different_titles_are_not_alike(first: str, second: str) -> None:
    assert similarity(normal_form(first), normal_form(second)) < SAME


def test_what_the_list_says_about_an_article_is_no_entry_and_is_told() -> None:
    first, second, third = TITLES
    bulletin = parse(
        f"导读\n◇ {first}（1）\n    全市共设十二处测站，资料免费开放查询。\n◇ {second}（3）\n◇ {third}（12）\n    首批二十一个团队当天签约。"
    )
    assert [(entry.title, entry.abstract) for entry in bulletin.contents] == [
        (first, "全市共设十二处测站，资料免费开放查询。"), (second, None), (third, "首批二十一个团队当天签约。"),
    ]  # fmt: skip
    assert [warning.params["text"] for warning in bulletin.warnings] == [
        "全市共设十二处测站，资料免费开放查询。",
        "首批二十一个团队当天签约。",
    ]
    assert [article.title for article in bulletin.articles] == TITLES


def test_an_author_beside_a_title_in_the_body_is_its_byline() -> None:
    body = BODY.replace("海洋观测站启用\n", "海洋观测站启用　　　　郑可\n", 1)
    bulletin = parse("目录\n★{}……1\n★{}……3\n★{}……12".format(*TITLES), body)
    assert (bulletin.articles[0].title, bulletin.articles[0].byline) == (TITLES[0], "郑可")


def test_a_wrapped_entry_is_told_from_a_sections_name_by_its_place() -> None:
    bulletin = parse(f"目录\n要闻\n  {TITLES[0]}……1\n见闻\n  渔港改造进入\n    第二阶段……3\n  {TITLES[2]}……12")
    assert [(entry.title, entry.section) for entry in bulletin.contents] == list(
        zip(TITLES, ["要闻", "见闻", "见闻"], strict=True)
    )


def test_a_list_of_one_entry_without_a_heading_is_found_by_its_return() -> None:
    body = "\n海洋观测站正式启用\n\n本月三日，海洋观测站正式启用，全市共设十二处测站，资料每十分钟上传一次。\n"
    assert entries(parse("●海洋观测站启用（1）", body)) == [("海洋观测站启用", 1)]


def test_a_title_with_a_bullet_above_text_that_begins_like_it_is_no_list() -> None:
    body = "★海洋观测站启用\n本月三日海洋观测站启用，全市共设十二处测站，资料每十分钟上传一次。\n★渔港改造\n渔港改造第一阶段完成，损耗率由百分之十一降到百分之四。\n"
    bulletin = parse("", body)
    assert bulletin.contents == ()
    assert [article.title for article in bulletin.articles] == ["海洋观测站启用", "渔港改造"]


def test_a_page_that_a_narrow_tab_left_right_behind_its_title_is_no_part_of_it() -> None:
    bulletin = parse("目录\n海洋观测站启用    1\n渔港改造进入第二阶段3\n“百团进百企”行动启动12")
    assert entries(bulletin) == list(zip(TITLES, [1, 3, 12], strict=True))
    assert [article.page for article in bulletin.articles] == [1, 3, 12]


def test_a_number_that_ends_a_title_of_the_body_stays_with_it() -> None:
    bulletin = parse("目录\n海洋观测站启用    1\n海洋观测站启用2    3", BODY.replace(TITLES[1], "海洋观测站启用2"))
    assert entries(bulletin)[:2] == [("海洋观测站启用", 1), ("海洋观测站启用2", 3)]
