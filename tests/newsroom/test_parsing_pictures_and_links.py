"""Pictures of PDFs come out of them once and in their place; links keep where they lead, whatever the format."""

import io

import docx
import pytest
import typst
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image

from mailer.newsroom.bodies import body_of
from mailer.newsroom.parsing import parse_document
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin, ParsedPart
from mailer.newsroom.structure.lines import PartKind
from mailer.newsroom.structure.spans import Span

HEAD = "观潮简讯\n\n2025年第3期\n\n"
FONTS = '("Libertinus Serif", "Noto Serif CJK SC")'
BEFORE = "观测站建在礁石上，每六分钟读一次潮位，读数传到岸上的机房，由值班员核对后发布给港口和渔船。"
AFTER = "第二座观测站明年开工，选址已经完成，经费由市里和大学分担，建成后归大学的海洋学院管理。"


def picture(color: str, size: tuple[int, int] = (60, 40), kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, kind)
    return stream.getvalue()


def shown(content: bytes, kind: str = "png", width: str = "6cm") -> str:
    return f'#image(bytes(({", ".join(map(str, content))})), format: "{kind}", width: {width})'


def pdf_of(*pieces: str, page: str = "") -> ParsedBulletin:
    source = [f'#set page(paper: "a5", {page})', f'#set text(size: 11pt, lang: "zh", font: {FONTS})', *pieces]
    return parse_document(typst.compile("\n\n".join(source).encode(), format="pdf"), "a.pdf")


def titled(text: str) -> str:
    return f'#align(center, text(size: 18pt, weight: "bold")[{text}])'


def kinds(article: ParsedArticle) -> list[PartKind]:
    return [part.kind for part in article.parts]


def links(bulletin: ParsedBulletin) -> list[tuple[str, str]]:
    return [(one.words, one.address) for article in bulletin.articles for part in article.parts for one in part.spans]


def test_a_picture_of_a_pdf_stands_between_the_paragraphs_it_stood_between() -> None:
    bulletin = pdf_of(HEAD, titled("观测站建成"), BEFORE, shown(picture("red")), "图1 观测站", AFTER)
    (article,) = bulletin.articles
    assert kinds(article) == [PartKind.PARAGRAPH, PartKind.PICTURE, PartKind.CAPTION, PartKind.PARAGRAPH]
    assert article.parts[1].picture == 0
    with Image.open(io.BytesIO(bulletin.pictures[0].content)) as kept:
        assert kept.size == (60, 40)
        assert kept.convert("RGB").getpixel((30, 20)) == (255, 0, 0)


def test_a_photograph_is_taken_as_the_file_has_it() -> None:
    photo = picture("blue", (80, 60), "JPEG")
    bulletin = pdf_of(HEAD, titled("观测站建成"), BEFORE, shown(photo, "jpg"), AFTER)
    assert [(one.media_type, one.content[:2]) for one in bulletin.pictures] == [("image/jpeg", b"\xff\xd8")]


def test_ornaments_and_logos_that_return_on_every_page_are_no_pictures_of_articles() -> None:
    logo = f"header: [{shown(picture('green'))}], margin: (top: 5.5cm),"
    body = [
        part
        for number in range(3)
        for part in (titled(f"第{number + 1}座观测站建成"), BEFORE, "#pagebreak(weak: true)")
    ]
    bulletin = pdf_of(HEAD, *body, shown(picture("black"), width="0.5cm"), AFTER, page=logo)
    assert [part for article in bulletin.articles for part in article.parts if part.kind is PartKind.PICTURE] == []


def test_a_picture_under_a_whole_page_is_told_and_not_taken() -> None:
    ground = f"background: {shown(picture('silver'), width='100%').lstrip('#')},"
    tall = ground.replace("width: 100%", "width: 100%, height: 100%")
    bulletin = pdf_of(HEAD, titled("观测站建成"), BEFORE, page=tall)
    assert bulletin.pictures == ()
    assert any("cover a whole page" in warning.message for warning in bulletin.warnings)


def test_a_link_of_a_pdf_keeps_its_words_and_its_address() -> None:
    bulletin = pdf_of(HEAD, titled("观测站建成"), BEFORE + '详见#link("https://example.org/tide")[潮位公报]。', AFTER)
    assert links(bulletin) == [("潮位公报", "https://example.org/tide")]


def test_a_link_that_a_line_end_parts_is_one_link_in_the_body() -> None:
    words = "潮位公报与海浪预报以及风暴潮警报的发布规则和查询方法汇编"
    bulletin = pdf_of(HEAD, titled("观测站建成"), BEFORE + f'#link("https://example.org/tide")[{words}]。')
    body = body_of(bulletin.articles[0], "zh_CN")
    assert body.count("<a ") == 1
    assert f'<a href="https://example.org/tide">{words}</a>' in body


def word_with_links() -> bytes:
    document = docx.Document()
    for line in ("观潮简讯", "2025年第3期"):
        document.add_paragraph(line)
    document.add_heading("观测站建成", 1)
    paragraph = document.add_paragraph("详见")
    relation = document.part.relate_to(
        "https://example.org/tide",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink",
        is_external=True,
    )
    element = parse_xml(
        f'<w:hyperlink {nsdecls("w", "r")} r:id="{relation}"><w:r><w:t>潮位公报</w:t></w:r></w:hyperlink>'
    )
    paragraph._p.append(element)
    paragraph.add_run("和")
    for kind, text in (("begin", None), (None, ' HYPERLINK "https://example.org/wave" '), ("separate", None)):
        run = paragraph.add_run()._r
        if kind:
            run.append(parse_xml(f'<w:fldChar {nsdecls("w")} w:fldCharType="{kind}"/>'))
        else:
            run.append(parse_xml(f'<w:instrText {nsdecls("w")} xml:space="preserve">{text}</w:instrText>'))
    paragraph.add_run("海浪预报")
    paragraph.add_run()._r.append(parse_xml(f'<w:fldChar {nsdecls("w")} w:fldCharType="end"/>'))
    paragraph.add_run("。")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def test_links_of_word_are_kept_whether_elements_or_fields() -> None:
    bulletin = parse_document(word_with_links(), "a.docx")
    assert links(bulletin) == [("潮位公报", "https://example.org/tide"), ("海浪预报", "https://example.org/wave")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.html",
            '<h1>观潮简讯</h1><p>2025年第3期</p><h2>观测站建成</h2><p>详见<a href="{0}">潮位公报</a>，共三页。</p>',
        ),
        ("a.md", "# 观潮简讯\n\n2025年第3期\n\n## 观测站建成\n\n详见[潮位公报]({0})，共三页。\n"),
    ],
)
def test_links_of_web_pages_and_markdown_are_kept(name: str, text: str) -> None:
    bulletin = parse_document(text.format("https://example.org/tide").encode(), name)
    assert links(bulletin) == [("潮位公报", "https://example.org/tide")]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "#part", "data:text/html,x"])
def test_addresses_that_lead_to_no_page_are_left_out(address: str) -> None:
    page = f'<h1>观潮简讯</h1><p>2025年第3期</p><h2>观测站建成</h2><p>详见<a href="{address}">潮位公报</a>。</p>'
    bulletin = parse_document(page.encode(), "a.html")
    assert links(bulletin) == []
    assert bulletin.articles[0].paragraphs == ("详见潮位公报。",)


def test_an_address_cannot_break_out_of_its_attribute() -> None:
    part = ParsedPart(
        PartKind.PARAGRAPH, "详见潮位公报", (1,), spans=(Span("潮位公报", address="https://a.example/?a=1&b=%22'x"),)
    )
    article = ParsedArticle("观测站建成", None, None, None, 1, (part,))
    assert body_of(article, "zh_CN") == '<p>详见<a href="https://a.example/?a=1&amp;b=%22&#x27;x">潮位公报</a></p>'
