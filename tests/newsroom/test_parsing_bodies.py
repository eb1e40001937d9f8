"""From lines to articles: paragraphs made whole, and what stands apart from them."""
# ruff: noqa: E501  (a sentence in Chinese counts two columns a character, and is best left whole)

import pytest

from mailer.newsroom.parsing import parse_document
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin
from mailer.newsroom.structure.lines import PartKind

HEAD = "科技简报\n2024年第3期\n望川市科技局主办\n\n目录\n★海洋观测站启用……1\n\n"


def parse(body: str, head: str = HEAD) -> ParsedBulletin:
    return parse_document((head + body).encode(), "a.txt")


def article(text: str) -> ParsedArticle:
    (only,) = parse(f"海洋观测站启用\n\n{text}").articles
    return only


CUTS = {
    "inside a word": (
        "海洋观测站正式启用，全市共设十二处测",
        "站，资料每十分钟上传一次，渔民在手机上就能看到浪高。",
        "",
    ),
    "between number and measure word": (
        "据统计，全市机构共推出科技金融产品 50 余",
        "款，首批企业已经用上了这些产品，反响良好。",
        "",
    ),
    "between number and unit": (
        "所需经费由市财政按每个团队每年不超过8",
        "万元的标准列支，专款专用，不得挪作他用。",
        "",
    ),
    "after a closing quotation mark": (
        "分中心将积极推动海洋观测的“一张网 一片海”",
        "的协同发展模式，加强两地交流与合作，提升服务水平。",
        "",
    ),
    "between two quotations": (
        "要深入实施“战略协同推进”“平台提能造峰”",
        "“产业赛道赶超”“企业培育”等六大行动，形成合力。",
        "",
    ),
    "inside a quotation": ("常态化举办“大孵化器进校园”“高", "校巡回引才”等双向奔赴活动，吸引青年人才来望川。", ""),
    "after a comma": ("近日，望川市海洋观测站正式启用，", "全市共设十二处测站，资料每十分钟上传一次，渔民很满意。", ""),
    "after an opening bracket": (
        "海洋观测站正式启用，全市共设十二处测站（",
        "含两处浮标站），资料每十分钟上传一次，渔民很满意。",
        "",
    ),
    "inside brackets": (
        "补助对象限于在本市注册的企业（不含分公司",
        "和办事处），每家企业每年只能申请一次，材料网上提交。",
        "",
    ),
    "before what looks like an ordinal": (
        "今年三月起，科技馆把开放时间延长到每周",
        "三、周五的晚上九点，市民可以免费预约参加夜校课程。",
        "",
    ),
    "before a number that ends the paragraph": ("截至六月末，贷款余额比年初大幅增加，增幅达", "74.54%。", ""),
    "between letters": (
        "观测站的全部历史资料现在都可以用 Python 或者 R",
        "语言读取，接口文档已经公开，高校课题组可以直接调用。",
        "",
    ),
}


@pytest.mark.parametrize("rule", ["\n\n", "\n\n— 3 —\n\n", "\n— 3 —\n\f", "\n\n\f科技简报　2024年第3期\n\n"])
@pytest.mark.parametrize(("first", "second", "between"), CUTS.values(), ids=CUTS.keys())
def test_a_paragraph_that_a_page_cut_is_whole_again(first: str, second: str, between: str, rule: str) -> None:
    before = "本月三日，仪式在白渡镇码头举行，渔民代表和科研人员共同按下启动键，现场还发布了首份浪高预报。"
    assert article(f"{before}\n\n{first}{rule}{second}").paragraphs == (before, first + between + second)


WHOLE = {
    "a full stop": ("第一段到此为止，意思完整，不必再接。", "第二段另起，说的是另一件事情，自成一段。"),
    "a full stop inside a quotation": (
        "站长说：“渔民出海前，打开手机就能看到浪高。”",
        "第二段另起，说的是另一件事情，自成一段。",
    ),
    "a full stop before brackets": (
        "全市渔民都可以免费查询。（记者 郑可）",
        "第二段另起，说的是另一件事情，自成一段。",
    ),
    "a colon before a list": ("会议强调，下半年要抓好以下工作：", "一是建好观测站，年内完成全部十二处测站建设；"),
    "a semicolon between items": (
        "一是建好观测站，年内完成全部十二处测站建设；",
        "二是用好观测资料，每十分钟上传一次，免费开放。",
    ),
    "an exclamation": ("这一天，渔民们等了整整七年，终于等到了！", "第二段另起，说的是另一件事情，自成一段。"),
    "a question and its answer": ("问：观测站什么时候可以投入使用？", "答：本月三日起已经正式启用，资料免费开放查询。"),
}


@pytest.mark.parametrize(("first", "second"), WHOLE.values(), ids=WHOLE.keys())
def test_two_paragraphs_stay_two(first: str, second: str) -> None:
    assert article(f"{first}\n\n{second}").paragraphs == (first, second)


def test_a_quotation_cut_from_its_speaker_by_a_page_edge_is_joined() -> None:
    first, second = "“过去最难熬的就是中间这一公里。”", "主任沈予宁介绍，中试线全部采用模块化设计，企业可以预约。"
    assert article(f"{first}\n— 2 —\n\f\n{second}").paragraphs == (first + second,)
    assert article(f"{first}\n\n{second}").paragraphs == (first, second)


def test_in_an_indented_text_a_line_at_the_margin_goes_on_over_the_page() -> None:
    text = "　　第一段在页末正好是句号。\n— 2 —\n\f这一句还是第一段，因为它没有缩进。\n　　第二段从这里开始，有缩进。"
    assert article(text).paragraphs == (
        "第一段在页末正好是句号。这一句还是第一段，因为它没有缩进。",
        "第二段从这里开始，有缩进。",
    )


def test_lines_broken_at_a_width_become_paragraphs() -> None:
    text = (
        "    海洋观测站正式启用，全市共设十二处测站，资料每十\n分钟上传一次。渔民出海之前，打开手机就能看到浪高，再\n也不用凭经验猜。\n"
        "    观测站由望川大学和市渔业局共同建设，总投资两千三\n百万元，其中一半来自省级海洋专项资金，其余由市财政和\n大学自筹。\n"
    )
    assert article(text).paragraphs == (
        "海洋观测站正式启用，全市共设十二处测站，资料每十分钟上传一次。渔民出海之前，打开手机就能看到浪高，再也不用凭经验猜。",
        "观测站由望川大学和市渔业局共同建设，总投资两千三百万元，其中一半来自省级海洋专项资金，其余由市财政和大学自筹。",
    )


def test_english_lines_are_joined_with_spaces_and_hyphenation_is_undone() -> None:
    text = (
        "The floating wind turbine anchored off Northisle has come through its\nfirst winter with no damage, the engineering depart-\n"
        "ment reports. Its long-\nterm future depends on a state-of-the-\nart cable that COVID-\n19 delayed by a year, says the director.\n"
    )
    head = "Northisle Notes\nVol. 1 No. 2\n\nContents\nA Good Winter ........ 1\n\n"
    (only,) = parse("A Good Winter\n\n" + text, head).articles
    assert only.paragraphs[0] == (
        "The floating wind turbine anchored off Northisle has come through its first winter with no damage, the engineering "
        "department reports. Its long-term future depends on a state-of-the-art cable that COVID-19 delayed by a year, says "
        "the director."
    )


def test_a_space_at_a_line_end_between_digit_and_ideograph_is_kept() -> None:
    text = "　　全市今年新增观测站 12 处，资料每隔 \n10 分钟上传一次，渔民可以随时查询浪高。\n　　第二段从这里开始，也有缩进，说另一件事。"
    assert article(text).paragraphs[0] == "全市今年新增观测站 12 处，资料每隔 10 分钟上传一次，渔民可以随时查询浪高。"


@pytest.mark.parametrize(
    "number", ["— 3 —", "- 3 -", "·3·", "第 3 页", "第3页 共12页", "3/12", "Page 3 of 12", "［3］", "第三页"]
)
def test_page_numbers_are_taken_out(number: str) -> None:
    found = parse(f"海洋观测站启用\n\n第一段，意思完整。\n\n{number}\n\n第二段，意思也完整。\n")
    assert found.articles[0].paragraphs == ("第一段，意思完整。", "第二段，意思也完整。")
    assert found.furniture == (number,)


def test_bare_numbers_are_page_numbers_where_they_count_the_pages() -> None:
    counting = parse("海洋观测站启用\n\n第一段。\n\n1\n\n第二段。\n\n2\n\n第三段。\n")
    assert counting.furniture == ("1", "2")
    beside = parse("海洋观测站启用\n\n第一段。\n\n7\n科技简报\n\n第二段。\n")
    assert beside.furniture == ("7", "科技简报")
    single = parse("海洋观测站启用\n\n今年新增的测站数是：\n\n12\n\n这个数字比去年翻了一番。\n")
    assert single.furniture == ()
    assert "12" in single.articles[0].paragraphs


@pytest.mark.parametrize(
    "header", ["科技简报", "科技简报  2024年第3期", "2024年第3期　　科技简报", "科技简报 · 第3期 · 2"]
)
def test_running_heads_are_taken_out(header: str) -> None:
    found = parse(f"海洋观测站启用\n\n第一段，意思完整。\n\f{header}\n\n第二段，意思也完整。\n")
    assert found.articles[0].paragraphs == ("第一段，意思完整。", "第二段，意思也完整。")
    assert found.furniture == (header,)


def test_a_head_that_returns_at_page_edges_only_is_taken_out_even_if_it_says_something_else() -> None:
    text = "海洋观测站启用\n\n第一段。\n\f海洋专辑\n第二段。\n\f海洋专辑\n第三段。\n"
    found = parse(text)
    assert found.furniture == ("海洋专辑", "海洋专辑")
    assert found.articles[0].paragraphs == ("第一段。", "第二段。", "第三段。")


def test_a_title_that_equals_the_bulletins_is_no_running_head() -> None:
    head = HEAD.replace("海洋观测站启用", "科技简报")
    (only,) = parse("科技简报\n\n正文一句，意思完整。\n", head).articles
    assert only.title == "科技简报"


def test_a_footnote_at_the_foot_of_a_page_does_not_cut_the_paragraph_above() -> None:
    found = article(
        "平台可以进行量值传递①，并且向高校\n①把基准复现的量值传给器具。\n— 1 —\n\f开放机时，首批课题组有十四个。"
    )
    assert found.paragraphs == ("平台可以进行量值传递①，并且向高校开放机时，首批课题组有十四个。",)
    assert found.texts(PartKind.FOOTNOTE) == ("①把基准复现的量值传给器具。",)


def test_circled_numbers_that_nothing_points_to_are_list_items() -> None:
    found = article("要抓好以下工作：\n\n①建好观测站。\n\n②用好观测资料。")
    assert found.paragraphs == ("要抓好以下工作：", "①建好观测站。", "②用好观测资料。")


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("来源：科技日报", "科技日报"),
        ("（来源：科技日报）", "科技日报"),
        ("【来源】科技日报", "科技日报"),
        ("稿件来源：市科技局", "市科技局"),
        ("（摘自《望川日报》2024年3月1日）", "《望川日报》2024年3月1日"),
        ("（据新华社）", "新华社"),
        ("資料來源：澎川市漁會", "澎川市漁會"),
        ("Source: Harbour Gazette", "Harbour Gazette"),
        ("来源：科技日报　　发布时间：2024-03-01", "科技日报"),
    ],
)
def test_a_source_on_its_own_line_is_no_paragraph(line: str, source: str) -> None:
    found = article(f"正文一句，意思完整。\n\n{line}")
    assert (found.source, found.paragraphs) == (source, ("正文一句，意思完整。",))


def test_a_source_at_the_end_of_the_last_paragraph_is_taken_off() -> None:
    found = article("第一段（来源不明）照登。\n\n最后一段，意思完整。（来源：科技日报）")
    assert (found.source, found.paragraphs) == ("科技日报", ("第一段（来源不明）照登。", "最后一段，意思完整。"))


def test_a_source_and_a_writer_on_one_line_are_told_apart() -> None:
    for line in ("来源：科技日报　作者：郑可", "作者：郑可　来源：科技日报"):
        found = article(f"{line}\n\n正文一句，意思完整。")
        assert (found.source, found.byline) == ("科技日报", "作者：郑可")


@pytest.mark.parametrize(
    "line",
    ["本刊记者　顾星野", "作者：郑可", "文/米岚", "郑可　乔木", "沈知微（望川大学信息管理学院）", "（望川大学　程砚）", "望川大学图书馆　程砚",
     "（本刊记者 郑可 通讯员 石玥）", "供稿：市科技局"],
)  # fmt: skip
def test_a_byline_under_the_title_is_no_paragraph(line: str) -> None:
    found = article(f"{line}\n\n正文一句，意思完整。")
    assert (found.byline, found.paragraphs) == (line, ("正文一句，意思完整。",))


@pytest.mark.parametrize("line", ["总体情况", "作者认为，观测站意义重大。", "记者获悉，观测站已经启用。"])
def test_what_only_looks_like_a_byline_stays_in_the_text(line: str) -> None:
    assert article(f"{line}\n\n正文一句，意思完整。").paragraphs == (line, "正文一句，意思完整。")


@pytest.mark.parametrize("label", ["【编者按】", "编者按：", "[编者按]", "编者的话：", "编 者 按：", "Editor's note: "])
def test_an_editors_note_stands_apart(label: str) -> None:
    found = article(f"{label}今年是观测站建设的第三年。\n\n正文一句，意思完整。")
    assert (found.editors_note, found.paragraphs) == ("今年是观测站建设的第三年。", ("正文一句，意思完整。",))


def test_an_editors_note_whose_label_stands_alone_takes_the_next_paragraph() -> None:
    found = article("编者按\n\n今年是观测站建设的第三年。\n\n正文一句，意思完整。")
    assert (found.editors_note, found.paragraphs) == ("今年是观测站建设的第三年。", ("正文一句，意思完整。",))


def test_an_editors_note_above_a_title_belongs_to_the_article_below() -> None:
    head = HEAD.replace("\n\n", "\n★渔港改造……2\n\n", 2).replace("★渔港改造……2\n\n目录", "\n目录")
    found = parse("海洋观测站启用\n\n正文一句。\n\n编者按：下文说渔港。\n\n渔港改造\n\n正文又一句。\n", head)
    assert [one.editors_note for one in found.articles] == [None, "下文说渔港。"]


def test_a_label_of_a_note_that_nothing_follows_is_kept() -> None:
    assert "编者按" in article("正文一句，意思完整。\n\n编者按").texts(PartKind.EDITORS_NOTE)


def test_a_subtitle_is_told_from_the_title() -> None:
    found = article("——白渡镇见闻\n\n正文一句，意思完整。")
    assert (found.subtitle, found.paragraphs) == ("白渡镇见闻", ("正文一句，意思完整。",))


def test_tables_and_captions_stand_apart() -> None:
    found = article(
        "正文一句，意思完整。\n\n表1　获奖名单\n名次　　队伍　　得分\n一等奖　　甲队　　96\n\n图为颁奖现场。\n\n正文又一句。"
    )
    assert found.paragraphs == ("正文一句，意思完整。", "正文又一句。")
    assert found.texts(PartKind.CAPTION) == ("表1　获奖名单", "图为颁奖现场。")
    (table,) = (part for part in found.parts if part.kind is PartKind.TABLE)
    assert table.rows == (("名次", "队伍", "得分"), ("一等奖", "甲队", "96"))


@pytest.mark.parametrize(
    ("rows", "is_table"), [(("甲　　2　　3", "乙　　4　　5"), True), (("甲　　2", "乙　　4　　5"), False)]
)
def test_rows_of_a_table_may_have_space_between_them_if_their_cells_are_as_many(
    rows: tuple[str, ...], is_table: bool
) -> None:
    found = article("正文一句，意思完整。\n\n" + "\n\n".join(("队伍　　场　　分", *rows)))
    tables = [part.rows for part in found.parts if part.kind is PartKind.TABLE]
    assert tables == ([tuple(tuple(row.split("　　")) for row in ("队伍　　场　　分", *rows))] if is_table else [])


def test_numbered_headings_inside_an_article_are_its_text() -> None:
    lines = ("一、主要进展", "（一）贷款投放加快。审批时间缩短。", "二、存在问题", "1.网点少。县域只有两家。")
    assert article("\n\n".join(lines)).paragraphs == lines


def test_without_a_contents_list_titles_are_found_by_their_shape() -> None:
    head = "科技简报\n2024年第3期\n望川市科技局主办\n\n"
    body = "甲市启用新馆\n\n新馆首日接待三千人次。\n\n问：几点开门？\n\n答：九点。\n\n乙市的热线怎么样了？\n\n热线首日接听八十通。\n"
    found = parse(body, head)
    assert [one.title for one in found.articles] == ["甲市启用新馆", "乙市的热线怎么样了？"]
    assert found.articles[0].paragraphs == ("新馆首日接待三千人次。", "问：几点开门？", "答：九点。")


def test_two_blank_lines_outrank_one() -> None:
    head = "科技简报\n2024年第3期\n\n\n"
    body = "甲市启用新馆\n\n新馆首日接待三千人次。\n\n馆里有什么\n\n馆里有球幕。\n\n\n乙市开通热线\n\n热线首日接听八十通。\n"
    found = parse(body, head)
    assert [one.title for one in found.articles] == ["甲市启用新馆", "乙市开通热线"]
    assert found.articles[0].texts(PartKind.SUBHEADING) == ("馆里有什么",)


def test_centred_titles_outrank_flush_lines() -> None:
    head = "科技简报\n2024年第3期\n\n"
    body = "            甲市启用新馆\n\n新馆首日接待三千人次。\n\n馆里有什么\n\n馆里有球幕。\n\n            乙市开通热线\n\n热线首日接听八十通。\n"
    assert [one.title for one in parse(body, head).articles] == ["甲市启用新馆", "乙市开通热线"]


def test_numbered_lines_are_titles_only_where_there_are_no_others() -> None:
    head = "科技简报\n2024年第3期\n\n"
    body = "一、甲市启用新馆\n\n新馆首日接待三千人次。\n\n二、乙市开通热线\n\n热线首日接听八十通。\n"
    assert [one.title for one in parse(body, head).articles] == ["甲市启用新馆", "乙市开通热线"]


def test_text_above_the_first_title_is_kept_and_told() -> None:
    found = parse("卷首的话没有标题，但是也不能丢掉，它说的是新年的打算。\n\n海洋观测站启用\n\n正文一句。\n")
    assert [one.title for one in found.articles] == [None, "海洋观测站启用"]
    assert any("Text above the first title" in warning.message for warning in found.warnings)


def test_a_text_without_any_title_is_one_article() -> None:
    (only,) = parse("只有一段话，没有标题，也没有目录，说的是一件小事。\n", "科技简报\n第3期\n\n").articles
    assert only.title is None
    assert only.paragraphs == ("只有一段话，没有标题，也没有目录，说的是一件小事。",)


@pytest.mark.parametrize("mark", ["（完）", "■", "（本期完）", "###"])
def test_marks_that_end_an_article_are_furniture(mark: str) -> None:
    found = parse(f"海洋观测站启用\n\n正文一句。\n\n{mark}\n")
    assert found.articles[0].paragraphs == ("正文一句。",)
    assert found.furniture == (mark,)


def test_references_below_their_heading_are_footnotes() -> None:
    found = article(
        "正文一句，意思完整。\n\n参考文献\n[1] 卢岸. 渔港研究. 望川学报, 2023(1): 1-5.\n[2] 石玥. 观测站概论. 2022."
    )
    assert found.paragraphs == ("正文一句，意思完整。",)
    assert len(found.texts(PartKind.FOOTNOTE)) == 3


def test_keywords_are_a_paragraph_of_their_own() -> None:
    found = article("摘要：本文介绍观测站。\n\n关键词：海洋；观测\n\n正文一句，意思完整。")
    assert found.paragraphs == ("摘要：本文介绍观测站。", "关键词：海洋；观测", "正文一句，意思完整。")


def test_an_affiliation_in_brackets_belongs_to_the_byline() -> None:
    found = article("郑　可\n\n（望川大学海洋学院，望川 000000）\n\n正文一句，意思完整。")
    assert (found.byline, found.paragraphs) == ("郑　可 （望川大学海洋学院，望川 000000）", ("正文一句，意思完整。",))


@pytest.mark.parametrize(
    "mark", ["【海洋观测站启用】", "海洋观测站启用：", "◆海洋观测站启用　　", "〖海洋观测站启用〗 "]
)
def test_an_announced_title_may_run_into_its_text(mark: str) -> None:
    text = "本月三日，海洋观测站启用，共设十二处测站，资料每十分钟上传一次。"
    (only,) = parse(f"{mark}{text}\n\n渔民在手机上就能看到浪高，出海前心里有数。").articles
    assert (only.title, only.paragraphs) == ("海洋观测站启用", (text, "渔民在手机上就能看到浪高，出海前心里有数。"))


def test_a_sentence_that_begins_like_the_title_above_it_stays_whole() -> None:
    text = "海洋观测站启用：本月三日，渔民代表和科研人员共同按下启动键，现场气氛热烈。"
    assert article(text).paragraphs == (text,)


@pytest.mark.parametrize("label", ["本刊讯", "新华社望川3月1日电", "背景链接", "本报记者 郑可 通讯员 乔木 望川报道"])
def test_a_label_in_brackets_is_no_title(label: str) -> None:
    text = f"【{label}】本月三日，海洋观测站启用，共设十二处测站，资料每十分钟上传一次。"
    assert article(text).paragraphs == (text,)
