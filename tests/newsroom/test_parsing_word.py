"""Word documents: the same bulletin set in many ways is read as the same bulletin."""

import base64
from io import BytesIO

import docx
import pytest
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from mailer.newsroom.parsing import parse_document
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.tracing import LineRole
from tests.newsroom.documents import Truth, Way, make_docx

WAYS = (
    Way("heading styles"),
    Way("sections", has_sections=True),
    Way("contents field with sections", contents="field", has_sections=True),
    Way("contents field", contents="field", headings="manual"),
    Way("contents styles", contents="styles", has_sections=True),
    Way("outline levels", headings="outline", body="typed"),
    Way("set by hand", headings="manual"),
    Way("set by hand, sections", headings="manual", has_sections=True),
    Way("bold and centred", headings="bold"),
    Way("no contents", contents="none"),
    Way("no contents, sections", contents="none", has_sections=True),
    Way("no contents, by hand", contents="none", headings="manual"),
    Way("no contents, by hand, sections", contents="none", headings="manual", has_sections=True),
    Way("no contents, bold", contents="none", headings="bold"),
    Way("no contents, outline", contents="none", headings="outline", body="plain"),
    Way("numbered paragraphs", body="numbered"),
    Way("masthead in a table", masthead="table"),
    Way("masthead in a text box", masthead="box", has_furniture=True),
    Way("header and footer", has_furniture=True, headings="bold"),
    Way("English", is_english=True, body="plain"),
    Way("English by hand, no contents", is_english=True, contents="none", headings="manual"),
)
# The smallest PNG there is.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def check(bulletin: ParsedBulletin, truth: Truth) -> None:
    """Everything a document says is found: fields, titles, sections, pages and every paragraph whole."""
    found = bulletin.as_json()
    assert {key: found[key] for key in truth.fields} == truth.fields
    assert [article.title for article in bulletin.articles] == truth.titles
    assert [list(article.paragraphs) for article in bulletin.articles] == truth.paragraphs
    assert [article.section for article in bulletin.articles] == truth.sections
    assert [article.page for article in bulletin.articles] == truth.pages


def save(document) -> bytes:
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def bulletin_with(add) -> ParsedBulletin:
    """A bulletin of two articles; `add(document)` fills the first."""
    document = docx.Document()
    document.add_paragraph("望川科技要情")
    document.add_paragraph("2025年第11期")
    document.add_heading("松岭实验室建成低温计量平台", 1)
    add(document)
    document.add_heading("白渡镇绿色防控见闻", 1)
    document.add_paragraph("傍晚，白渡镇的稻田边亮起一盏盏紫色的灯，灯下的摄像头每隔十分钟拍一张照片。")
    return parse_document(save(document), "a.docx")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_bulletin_is_found_whole_however_it_is_set(way: Way) -> None:
    content, truth = make_docx(way)
    check(parse_document(content, "a.docx"), truth)


def test_headers_and_footers_never_leak_into_the_text() -> None:
    content, _ = make_docx(Way("furniture", has_furniture=True))
    bulletin = parse_document(content, "a.docx")
    assert set(bulletin.furniture) == {"望川科技要情 2025年第11期", "— 1 —"}
    assert {line.text for line in bulletin.lines if line.role is LineRole.FURNITURE} == set(bulletin.furniture)


def test_a_table_keeps_its_cells_and_is_no_paragraph() -> None:
    def add(document):
        document.add_paragraph("各区县的数据见下表，城区与县域的差距比两年前有所缩小。")
        table = document.add_table(3, 2)
        for row, values in zip(table.rows, (("区县", "比例"), ("海棠区", "17.2"), ("松陵县", "")), strict=True):
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
        document.add_paragraph("表后还有一段文字，说明数据来自市统计局的抽样调查。")

    article = bulletin_with(add).articles[0]
    table = next(part for part in article.parts if part.kind is PartKind.TABLE)
    assert table.rows == (("区县", "比例"), ("海棠区", "17.2"), ("松陵县", ""))
    assert len(article.paragraphs) == 2


def test_a_table_that_only_arranges_the_page_is_read_as_text() -> None:
    long = "松岭实验室低温计量平台通过验收，可在零下269摄氏度条件下对温度传感器进行量值传递。" * 4

    def add(document):
        table = document.add_table(1, 2)
        table.rows[0].cells[0].text = long
        table.rows[0].cells[1].text = "右栏也是一段完整的文字，读的时候应当接在左栏之后。"

    assert bulletin_with(add).articles[0].paragraphs == (
        long,
        "右栏也是一段完整的文字，读的时候应当接在左栏之后。",
    )


def test_a_picture_is_kept_with_its_description_where_it_stood() -> None:
    def add(document):
        document.add_paragraph("10月20日，松岭实验室低温计量平台通过验收，填补了区域空白。")
        document.add_picture(BytesIO(DOT))
        document.inline_shapes[0]._inline.docPr.set("descr", "低温平台外景")
        document.add_paragraph("图1  低温平台外景")
        document.add_paragraph("企业的传感器今后可以就近校准，往返一次只要半天时间。")

    bulletin = bulletin_with(add)
    assert [picture.content for picture in bulletin.pictures] == [DOT]
    assert (bulletin.pictures[0].media_type, bulletin.pictures[0].alt) == ("image/png", "低温平台外景")
    kinds = [part.kind for part in bulletin.articles[0].parts]
    assert kinds == [PartKind.PARAGRAPH, PartKind.PICTURE, PartKind.CAPTION, PartKind.PARAGRAPH]
    assert bulletin.articles[0].parts[1].picture == 0


def test_tracked_changes_are_read_as_accepted_and_told() -> None:
    def add(document):
        paragraph = document.add_paragraph("验收")
        paragraph._p.append(parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>未能</w:delText></w:r></w:del>"))
        paragraph._p.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>顺利</w:t></w:r></w:ins>"))
        paragraph.add_run("通过，填补了区域空白，企业今后可以就近校准。")

    bulletin = bulletin_with(add)
    assert bulletin.articles[0].paragraphs == ("验收顺利通过，填补了区域空白，企业今后可以就近校准。",)
    assert any("tracked changes" in warning.message for warning in bulletin.warnings)


def test_a_soft_line_break_in_a_title_is_no_end_of_it() -> None:
    document = docx.Document()
    for line in ("望川科技要情", "2025年第11期"):
        document.add_paragraph(line)
    document.add_heading("云漓大学团队实现钙钛矿组件\n户外运行 3000 小时", 1)
    document.add_paragraph("日前，云漓大学在大面积钙钛矿光伏组件稳定性方面取得进展。")
    bulletin = parse_document(save(document), "a.docx")
    assert bulletin.articles[0].title == "云漓大学团队实现钙钛矿组件户外运行 3000 小时"


def test_hidden_text_and_field_codes_are_not_read() -> None:
    def add(document):
        paragraph = document.add_paragraph("平台通过验收，")
        hidden = paragraph.add_run("隐藏的批语")
        hidden.font.hidden = True
        for kind in ("begin", "instr", "separate"):
            run = paragraph.add_run()._r
            element = OxmlElement("w:instrText" if kind == "instr" else "w:fldChar")
            if kind == "instr":
                element.text = " PAGEREF _Toc1 "
            else:
                element.set(qn("w:fldCharType"), kind)
            run.append(element)
        paragraph.add_run("填补了区域空白。")

    assert bulletin_with(add).articles[0].paragraphs == ("平台通过验收，填补了区域空白。",)


def test_deeper_headings_are_subheadings_and_stay_in_the_text() -> None:
    def add(document):
        document.add_heading("建设背景", 2)
        document.add_paragraph("过去企业的传感器要送到一千公里外校准，往返一次至少三周。")
        document.add_heading("下一步", 2)
        document.add_paragraph("平台明年将向社会开放预约，首批名额优先安排给县域企业。")

    article = bulletin_with(add).articles[0]
    assert article.texts(PartKind.SUBHEADING) == ("建设背景", "下一步")
    assert len(article.paragraphs) == 4


def test_every_block_of_a_word_document_is_accounted_for() -> None:
    content, _ = make_docx(Way("all", has_sections=True, has_furniture=True, contents="field"))
    bulletin = parse_document(content, "a.docx")
    told = {line.text for line in bulletin.lines}
    texts = {
        " ".join(paragraph.text.split())
        for paragraph in docx.Document(BytesIO(content)).paragraphs
        if paragraph.text.strip()
    }
    assert {"".join(text.split()) for text in texts} <= {"".join(text.split()) for text in told}


def test_bold_lines_that_count_from_one_are_titles_where_no_other_line_is_bold() -> None:
    document = docx.Document()
    for line in ("望川科技要情", "2025年第11期"):
        document.add_paragraph(line)
    for number, title in enumerate(("松岭实验室建成低温计量平台", "白渡镇绿色防控见闻"), start=1):
        document.add_paragraph().add_run(f"{number}．{title}").bold = True
        document.add_paragraph("傍晚，白渡镇的稻田边亮起一盏盏紫色的灯，灯下的摄像头每隔十分钟拍一张照片。")
    bulletin = parse_document(save(document), "a.docx")
    assert [article.title for article in bulletin.articles] == ["松岭实验室建成低温计量平台", "白渡镇绿色防控见闻"]
