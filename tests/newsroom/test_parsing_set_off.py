"""What a document sets off stays set off: emphasis, raised and lowered characters, lists, marks of notes. The text that
is parsed knows nothing of it.
"""

import io

import docx
import pytest
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.text.paragraph import Paragraph
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from mailer.newsroom.bodies import body_of
from mailer.newsroom.parsing import parse_document
from mailer.newsroom.readers.content import DocumentContent
from mailer.newsroom.readers.packing import packed, unpacked
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin, ParsedPart
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.spans import ListItem, Mark, Run, Span, lines_of, number_in
from mailer.press.sanitising import sanitise_body

TIDE = "https://example.org/tide"
LONG = "观测站建在礁石上，每六分钟读一次潮位，读数传到岸上的机房，由值班员核对后发布给港口和渔船。" * 6


def page(body: str) -> ParsedBulletin:
    text = f"<h1>观潮简讯</h1><p>2025年第3期</p><h2>观测站建成</h2>{body}"
    return parse_document(text.encode(), "a.html")


def markdown(body: str) -> ParsedBulletin:
    return parse_document(f"# 观潮简讯\n\n2025年第3期\n\n## 观测站建成\n\n{body}\n".encode(), "a.md")


def word() -> Document:
    document = docx.Document()
    for line in ("观潮简讯", "2025年第3期"):
        document.add_paragraph(line)
    document.add_heading("观测站建成", 1)
    return document


def parsed(document: Document) -> ParsedBulletin:
    stream = io.BytesIO()
    document.save(stream)
    return parse_document(stream.getvalue(), "a.docx")


def only(bulletin: ParsedBulletin) -> str:
    assert len(bulletin.articles) == 1
    body = body_of(bulletin.articles[0], "zh_CN")
    # Mail can carry all of it.
    assert sanitise_body(body) == body
    return body


def numbered(paragraph: Paragraph, number: int, depth: int = 0) -> None:
    properties = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>'
    paragraph._p.get_or_add_pPr().append(parse_xml(properties))


def numbering(document: Document, number: int, *levels: tuple[str, str]) -> None:
    root = document.part.numbering_part.element
    shown = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for at, (kind, text) in enumerate(levels)
    )
    abstract = parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">{shown}</w:abstractNum>')
    root.insert(0, abstract)
    root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="{number}"><w:abstractNumId w:val="{number}"/></w:num>'))


def test_bold_italic_struck_raised_and_lowered_runs_of_word_are_kept() -> None:
    document = word()
    paragraph = document.add_paragraph("全市")
    paragraph.add_run("研发").bold = True
    paragraph.add_run("投入").bold = True
    paragraph.add_run("增长，")
    paragraph.add_run("企业").italic = True
    paragraph.add_run("占七成，")
    paragraph.add_run("原").underline = True
    paragraph.add_run("计划")
    paragraph.add_run("三").font.strike = True
    paragraph.add_run("两年内完成，面积500 m")
    paragraph.add_run("2").font.superscript = True
    paragraph.add_run("，含CO")
    paragraph.add_run("2").font.subscript = True
    paragraph.add_run("监测。")
    bulletin = parsed(document)
    assert bulletin.articles[0].paragraphs == (
        "全市研发投入增长，企业占七成，原计划三两年内完成，面积500 m2，含CO2监测。",
    )
    assert only(bulletin) == (
        "<p>全市<strong>研发投入</strong>增长，<em>企业</em>占七成，<u>原</u>计划<s>三</s>两年内完成，"
        "面积500 m<sup>2</sup>，含CO<sub>2</sub>监测。</p>"
    )


def test_the_same_words_are_set_off_where_they_were_and_not_before() -> None:
    assert only(page("<p>水位上升，<b>水位</b>又降，第二次水位回升，水位<i>水位</i>。</p>")) == (
        "<p>水位上升，<strong>水位</strong>又降，第二次水位回升，水位<em>水位</em>。</p>"
    )


def test_marks_are_nested_and_links_enclose_them() -> None:
    body = f'<p>详见<a href="{TIDE}"><u><b>潮位<i>公报</i></b></u></a>，共三页，另有附件若干，可向值班室索取。</p>'
    assert only(page(body)) == (
        f'<p>详见<a href="{TIDE}"><strong>潮位</strong></a><a href="{TIDE}"><strong><em>公报</em></strong></a>'
        "，共三页，另有附件若干，可向值班室索取。</p>"
    )


def test_a_style_has_the_last_word() -> None:
    body = (
        '<b style="font-weight:normal"><p>读数<span style="font-weight:700">每六分钟</span>一次，由'
        '<span style="font-style: italic">值班员</span>核对后发布。</p></b>'
    )
    assert only(page(body)) == "<p>读数<strong>每六分钟</strong>一次，由<em>值班员</em>核对后发布。</p>"


def test_what_is_bold_throughout_is_not_set_off() -> None:
    assert only(page(f"<p><b>{LONG}</b></p><p>余下的<i>话</i>。</p>")) == f"<p>{LONG}</p><p>余下的<em>话</em>。</p>"


def test_a_paragraph_of_its_own_weight_is_bold() -> None:
    assert only(page(f"<p>{LONG}</p><p><b>结论是潮位仍在上升，须继续观测。</b></p><p>{LONG}</p>")) == (
        f"<p>{LONG}</p><p><strong>结论是潮位仍在上升，须继续观测。</strong></p><p>{LONG}</p>"
    )


def test_emphasis_of_markdown_is_kept_also_beside_chinese_punctuation() -> None:
    assert only(markdown("入夏**，气温**升高，*潮位*随之上涨，**港口**照常。")) == (
        "<p>入夏<strong>，气温</strong>升高，<em>潮位</em>随之上涨，<strong>港口</strong>照常。</p>"
    )


def test_lists_of_word_are_lists_with_their_levels() -> None:
    document = word()
    numbering(document, 41, ("bullet", "•"), ("decimal", "%2."))
    document.add_paragraph(LONG)
    for text, depth in (("平台建设", 0), ("中试基地", 1), ("重点实验室", 1), ("人才引进", 0)):
        numbered(document.add_paragraph(text), 41, depth)
    document.add_paragraph("以上各项年内完成，由市局督办。")
    bulletin = parsed(document)
    assert bulletin.articles[0].paragraphs[1:5] == ("• 平台建设", "1. 中试基地", "2. 重点实验室", "• 人才引进")
    assert only(bulletin) == (
        f"<p>{LONG}</p><ul><li><p>平台建设</p><ol><li><p>中试基地</p></li>"
        "<li><p>重点实验室</p></li></ol></li><li><p>人才引进</p></li></ul><p>以上各项年内完成，由市局督办。</p>"
    )


def test_numbers_that_mean_something_stay_as_they_are_written() -> None:
    document = word()
    numbering(document, 42, ("chineseCounting", "%1、"))
    document.add_paragraph("会议确定了两件事，均在年内完成：")
    for text in ("加快平台建设，年内投入使用。", "抓紧引进人才，年内到岗。"):
        numbered(document.add_paragraph(text), 42)
    assert only(parsed(document)).endswith("<p>一、加快平台建设，年内投入使用。</p><p>二、抓紧引进人才，年内到岗。</p>")


def test_a_list_goes_on_counting_behind_what_interrupts_it() -> None:
    first, second = "<li>加大<b>投入</b></li><li>引进人才</li>", "<li>建设平台</li><li>共享数据</li>"
    body = f"<ol>{first}</ol><p>{LONG}</p><ol start=3>{second}</ol>"
    assert only(page(body)) == (
        "<ol><li><p>加大<strong>投入</strong></p></li><li><p>引进人才</p></li></ol>"
        f'<p>{LONG}</p><ol start="3"><li><p>建设平台</p></li><li><p>共享数据</p></li></ol>'
    )


def test_a_single_item_is_no_list() -> None:
    assert (
        only(page(f"<p>{LONG}</p><ol><li>引进人才</li></ol><p>{LONG}</p>"))
        == f"<p>{LONG}</p><p>1. 引进人才</p><p>{LONG}</p>"
    )


def test_numbered_paragraphs_are_no_list() -> None:
    assert only(page(f"<ol><li>{LONG}</li><li>引进人才。</li></ol>")) == f"<p>1. {LONG}</p><p>2. 引进人才。</p>"


def test_lists_of_markdown_are_lists() -> None:
    assert only(markdown(f"{LONG}\n\n- 平台\n  1. 基地\n  2. 实验室\n- 人才\n\n以上各项年内完成。")) == (
        f"<p>{LONG}</p><ul><li><p>平台</p><ol><li><p>基地</p></li><li><p>实验室</p></li></ol></li>"
        "<li><p>人才</p></li></ul><p>以上各项年内完成。</p>"
    )


def test_a_list_of_another_kind_at_the_same_level_is_another_list() -> None:
    items = [ListItem(0, None, "• "), ListItem(0, 1, "1. "), ListItem(0, 2, "2. ")]
    parts = tuple(
        ParsedPart(PartKind.PARAGRAPH, f"{item.label}项{at}", (at,), item=item) for at, item in enumerate(items, 1)
    )
    assert body_of(ParsedArticle("题", None, None, None, 1, parts), "zh_CN") == (
        "<ul><li><p>项1</p></li></ul><ol><li><p>项2</p></li><li><p>项3</p></li></ol>"
    )


def test_notes_of_word_have_their_mark_in_the_text() -> None:
    document = word()
    first = document.add_paragraph("全市研发投入增长")
    first.add_run()._r.append(parse_xml(f'<w:footnoteReference {nsdecls("w")} w:id="2"/>'))
    first.add_run("，企业占七成，比上年提高两个百分点。")
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:type="separator" w:id="-1"/>'
        '<w:footnote w:id="2"><w:p><w:r><w:t>数据来自统计公报。</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part

    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, notes.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    bulletin = parsed(document)
    assert bulletin.articles[0].paragraphs == ("全市研发投入增长，企业占七成，比上年提高两个百分点。",)
    assert only(bulletin) == (
        "<p>全市研发投入增长<sup>[1]</sup>，企业占七成，比上年提高两个百分点。</p><p>[1] 数据来自统计公报。</p>"
    )


def test_a_title_taken_out_of_its_line_does_not_move_what_is_set_off() -> None:
    body = (
        "<p>【潮位上升】本月<b>潮位</b>上升，港口照常作业，渔船已全部回港避风。</p>"
        "<p>【气温升高】入夏<b>气温</b>升高，各站照常观测，读数每六分钟发布一次。</p>"
    )
    bulletin = parse_document(
        f"<h1>观潮简讯</h1><p>2025年第3期</p><p>目录</p><p>潮位上升</p><p>气温升高</p>{body}".encode(), "a.html"
    )
    assert [article.title for article in bulletin.articles] == ["潮位上升", "气温升高"]
    assert [body_of(article, "zh_CN") for article in bulletin.articles] == [
        "<p>本月<strong>潮位</strong>上升，港口照常作业，渔船已全部回港避风。</p>",
        "<p>入夏<strong>气温</strong>升高，各站照常观测，读数每六分钟发布一次。</p>",
    ]


def test_the_reading_process_tells_what_is_set_off() -> None:
    spans = (Span("潮位", frozenset({Mark.STRONG, Mark.RAISED}), TIDE, "本月"), Span("", before="潮位", note="[1]"))
    block = Block("1. 本月潮位", 3, spans=spans, item=ListItem(1, 1, "1. "), note="[1]")
    assert unpacked(packed(DocumentContent([block], "docx"))).blocks == [block]


def test_an_address_that_leads_to_no_page_is_not_told_on() -> None:
    block = Block("本月潮位", 3, spans=(Span("潮位", address="javascript:alert(1)", before="本月"),))
    assert unpacked(packed(DocumentContent([block], "docx"))).blocks[0].spans[0].address == ""


@pytest.mark.parametrize(
    ("label", "number"), [("1. ", 1), ("12．", 12), ("一、", -1), ("（3）", -1), ("①", -1), ("1.2. ", -1), ("a. ", -1)]
)
def test_only_numbers_that_html_counts_make_a_list(label: str, number: int) -> None:
    assert number_in(label) == number


def test_runs_part_into_lines_with_what_is_set_off_in_each() -> None:
    bold = frozenset({Mark.STRONG})
    runs = [Run("  甲"), Run("乙\n丙", bold), Run("丁", bold), Run("\n \n戊", note="[1]")]
    assert lines_of(runs) == [
        ("  甲乙", (Span("乙", bold, before="甲"),)),
        ("丙丁", (Span("丙丁", bold),)),
        ("戊", (Span("", before="戊", note="[1]"),)),
    ]


TABLE = (
    "<table><thead><tr><th>地区</th><th>投入</th></tr></thead><tbody><tr><td>北渚县</td><td>3.2亿元</td></tr>"
    "<tr><td>南渚县</td><td>2.8亿元</td></tr></tbody></table>"
)
ROWS = (("地区", "投入"), ("北渚县", "3.2亿元"), ("南渚县", "2.8亿元"))


def table_of(tags: tuple[str, str]) -> str:
    plain = ("<td>", "</td>")
    rows = ["".join(cell.join(plain if at else tags) for cell in row) for at, row in enumerate(ROWS)]
    return f"<p>{LONG}</p><table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


@pytest.mark.parametrize("tags", [("<th>", "</th>"), ("<td><b>", "</b></td>")])
def test_the_row_of_a_table_that_names_its_columns_is_its_head(tags: tuple[str, str]) -> None:
    assert only(page(table_of(tags))) == f"<p>{LONG}</p>{TABLE}"


def test_a_table_without_such_a_row_has_no_head() -> None:
    assert "<thead>" not in only(page(table_of(("<td>", "</td>"))))


def test_tables_of_markdown_have_a_head() -> None:
    table = "| 地区 | 投入 |\n|---|---|\n| 北渚县 | 3.2亿元 |\n| 南渚县 | 2.8亿元 |"
    assert only(markdown(f"{LONG}\n\n{table}")) == f"<p>{LONG}</p>{TABLE}"


@pytest.mark.parametrize("is_repeated", [True, False])
def test_tables_of_word_have_a_head_where_it_is_repeated_or_bold(is_repeated: bool) -> None:
    document = word()
    document.add_paragraph(LONG)
    table = document.add_table(rows=3, cols=2)
    for row, texts in zip(table.rows, ROWS, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.paragraphs[0].add_run(text)
    if is_repeated:
        table.rows[0]._tr.get_or_add_trPr().append(parse_xml(f"<w:tblHeader {nsdecls('w')}/>"))
    else:
        for cell in table.rows[0].cells:
            cell.paragraphs[0].runs[0].bold = True
    assert only(parsed(document)) == f"<p>{LONG}</p>{TABLE}"


runs = st.lists(
    st.builds(
        Run,
        st.text("水位 升<&\n", max_size=5),
        st.sets(st.sampled_from(Mark)).map(frozenset),
        st.sampled_from(["", TIDE]),
        st.sampled_from(["", "[1]"]),
    ),
    max_size=12,
)


@given(runs)
def test_whatever_is_set_off_no_character_is_lost_or_moved(given_runs: list[Run]) -> None:
    for line, spans in lines_of(given_runs):
        part = ParsedPart(PartKind.PARAGRAPH, line.strip(), (1,), spans=spans)
        body = body_of(ParsedArticle("题", None, None, None, 1, (part,)), "zh_CN")
        shown = html.fragment_fromstring(body)
        # The runs have no brackets of their own, and what is raised beside a note is raised with it.
        assert "".join(shown.itertext()).replace("[1]", "") == line.strip()


@given(runs)
def test_what_is_set_off_is_so_for_the_words_that_were(given_runs: list[Run]) -> None:
    whole = "".join(run.text for run in given_runs)
    # Where most of it is strong nothing is set off, and where words come twice only the first may be meant.
    strong = [run.text for run in given_runs if Mark.STRONG in run.marks and run.text.strip()]
    if "\n" in whole or len("".join(strong)) * 2 > len(whole.strip()):
        return
    for line, spans in lines_of(given_runs):
        part = ParsedPart(PartKind.PARAGRAPH, line.strip(), (1,), spans=spans)
        shown = html.fragment_fromstring(body_of(ParsedArticle("题", None, None, None, 1, (part,)), "zh_CN"))
        found = "".join("".join(element.itertext()) for element in shown.iter("strong"))
        assert "".join(found.split()) == "".join("".join(strong).split())
