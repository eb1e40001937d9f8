"""The print edition is judged by opening the PDF: its words, pages, fonts and properties."""

import base64
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from mailer.errors import CompositionError
from mailer.press.bodies import Body
from mailer.press.content import Content
from mailer.press.printing import print_edition
from mailer.press.typesetting import CHINESE_FAMILIES, choose_families
from mailer.resources import TEMPLATES
from tests.press.samples import ISSUE_URL, LONG, make_article, make_content
from tests.press.test_golden import chinese, english

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
LEADERS = re.compile(r"[.\s]*")


def read(content: Content, **options: object) -> PdfReader:
    return PdfReader(io.BytesIO(print_edition(content, **options)))  # type: ignore[arg-type]


def words_of(reader: PdfReader) -> list[str]:
    """The words of each page, without blanks: line ends fall where they may."""
    return ["".join(page.extract_text().split()) for page in reader.pages]


def many(count: int, paragraphs: int) -> Content:
    articles = tuple(
        make_article(
            key,
            title=f"第{key}篇文章的标题",
            section="动态" if key > 2 else "政策",
            body=f"<p>{LONG * 3}</p>" * paragraphs,
        )
        for key in range(1, count + 1)
    )
    return make_content(articles=articles)


def test_the_words_of_an_issue_stand_on_paper() -> None:
    first, *rest = words_of(read(chinese()))
    for words in (
        "水利信息摘编",
        "2025年第7期（总第131期）",
        "示例市水利信息中心",
        "2025年3月28日",
        "目录",
        "灌区动态",
    ):
        assert words in first
    inside = "".join(rest)
    for words in (
        "河套灌区春灌有序",
        "来源：示例日报",
        "尊敬的读者：3月下旬以来",
        "1,250",
        "推广滴灌",
        "节水优先",
        "[巡渠人员查看水位]",
        "校对：李小红",
    ):
        assert words in inside


def test_contents_name_the_pages_that_articles_begin_on() -> None:
    reader = read(many(7, 6))
    pages = words_of(reader)
    assert len(pages) > 4
    for key in range(1, 8):
        title = f"第{key}篇文章的标题"
        (named,) = re.findall(rf"{title}[. ]*([0-9]+)", pages[0])
        (real,) = [number for number, words in enumerate(pages, 1) if number > 1 and title in words]
        assert int(named) == real
        assert f"—{real}—" in pages[real - 1]


def test_contents_lead_to_their_articles_with_leaders_between() -> None:
    reader = read(many(3, 2))
    assert re.search(r"标题[. ]{20,}2", reader.pages[0].extract_text())
    links = [entry.get_object() for entry in reader.pages[0]["/Annots"]]  # type: ignore[union-attr]
    assert len([link for link in links if "/Dest" in link or "/A" in link]) >= 3


def test_a_long_masthead_is_set_in_one_line() -> None:
    for title in ("THE MARSH LABORATORY NEWSLETTER", "示例市科学技术信息研究所科技情报参考"):
        first = read(make_content(title=title)).pages[0].extract_text().split("\n")[0]
        assert "".join(first.split()) == "".join(title.split())


def test_a_long_title_ends_its_lines_between_its_clauses() -> None:
    halves = ["示例市加快培育新质生产力推动科技创新和产业创新", "——以生物医药产业概念验证中心建设为例（上）"]
    reader = read(make_content(articles=(make_article(1, title="".join(halves)),)))
    assert set(halves) <= {line.strip() for line in reader.pages[1].extract_text().split("\n")}
    assert [entry.title for entry in reader.outline] == ["".join(halves)]  # type: ignore[union-attr]


def test_captions_authors_and_figures_are_told_to_the_typesetter() -> None:
    picture = '<p><img src="https://news.example.org/media/1.png" alt="外景"></p>'
    table = "<table><tr><td>县</td><td>产值</td></tr><tr><td>甲</td><td>1,250</td></tr></table>"
    html = f"<p><em>王小明</em></p><p>正文。</p>{picture}<p>图1 外景</p>{table}"
    body = Body(html, language="zh_CN", own_host="news.example.org")
    byline, text, drawn, caption, figures = body.as_blocks({"https://news.example.org/media/1.png": "1.png"}, {})
    assert (byline["role"], caption["role"], drawn["is_captioned"]) == ("byline", "caption", True)
    assert "role" not in text
    assert [cell["is_figure"] for cell in figures["cells"]] == [False, True, False, True]


def test_a_reader_finds_its_way_by_bookmarks() -> None:
    outline = read(many(3, 1)).outline
    assert [entry.title for entry in outline if not isinstance(entry, list)] == ["政策", "动态"]  # type: ignore[union-attr]
    assert [entry.title for entry in outline[1]] == ["第1篇文章的标题", "第2篇文章的标题"]  # type: ignore[index, union-attr]


def fonts_of(reader: PdfReader) -> Iterator[DictionaryObject]:
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            yield from (entry.get_object() for entry in font.get_object().get("/DescendantFonts", [font]))


@pytest.mark.parametrize("content", [chinese(), english()], ids=["zh_CN", "en"])
def test_every_font_is_embedded(content: Content) -> None:
    fonts = list(fonts_of(read(content)))
    assert fonts
    for font in fonts:
        descriptor = font["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)


def test_the_file_says_its_title_language_and_date() -> None:
    reader = read(chinese())
    assert reader.metadata is not None
    assert reader.metadata.title == "水利信息摘编 2025年第7期（总第131期）"
    assert reader.metadata.author == "示例市水利信息中心"
    assert str(reader.metadata.creation_date).startswith("2025-03-28")
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"  # type: ignore[index]
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert reader.pages[0].mediabox.width == pytest.approx(595.3, abs=0.5)
    assert reader.pages[0].mediabox.height == pytest.approx(841.9, abs=0.5)
    assert read(english()).trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]


def test_the_same_issue_is_the_same_file() -> None:
    assert print_edition(chinese()) == print_edition(chinese())


@pytest.mark.parametrize(
    "evil",
    [
        "#panic(1)", '#read("/etc/passwd")', '#import "@preview/x:1.0.0"', "$x^2$", "*b* _i_ `c` @ref <tag>",
        "= 标题", '"); panic("', "\\u{41} \\ #", "#{while true {}}", "{{ 7*7 }}", "[", "]", "//", "/* ",
    ],
)  # fmt: skip
def test_what_an_editor_writes_is_never_typst(evil: str) -> None:
    html = evil.replace("&", "&amp;").replace("<", "&lt;")
    article = make_article(1, title=evil, section=evil, source=evil, body=f"<p>{html}</p><table><tr><td>{html}</table>")
    content = make_content(title=evil, publisher=evil, colophon=evil, articles=(article,))
    inside = "".join(words_of(read(content)))
    assert inside.count("".join(evil.split())) >= 5


def test_a_table_stands_as_it_was_and_its_head_comes_again() -> None:
    rows = "".join(f"<tr><td>{number}</td><td>数据{number}</td></tr>" for number in range(120))
    head = "<thead><tr><th>编号</th><th>内容甲</th></tr></thead>"
    spans = "<table><tr><td rowspan=2 colspan=99>左上</td><td>右</td></tr><tr><td>下</td></tr></table>"
    pages = words_of(read(make_content(articles=(make_article(1, body=f"<table>{head}<tbody>{rows}</table>{spans}"),))))
    assert "".join(pages).count("内容甲") >= 3
    assert all(f"数据{number}" in "".join(pages) for number in range(120))
    assert "左上" in "".join(pages)


def test_a_picture_is_printed_when_its_bytes_are_given_and_named_when_not() -> None:
    address = f"{ISSUE_URL}/a.png"
    content = make_content(articles=(make_article(1, body=f'<p>前<img src="{address}" alt="示意图">后</p>'),))
    without = read(content)
    assert "[示意图]" in "".join(words_of(without))
    with_picture = read(content, pictures={address: PIXEL, "https://news.example.org/b.svg": b"<svg/>"})
    assert "[示意图]" not in "".join(words_of(with_picture))
    drawn = [
        entry.get_object()["/Subtype"]
        for page in with_picture.pages
        for entry in page["/Resources"].get("/XObject", {}).values()  # type: ignore[attr-defined]
    ]
    assert drawn == ["/Image"]
    assert "前" in "".join(words_of(with_picture))


def test_no_word_runs_over_the_edge_of_the_paper() -> None:
    address = f"https://example.org/{'b' * 300}"
    link = f'<a href="{address}">{address}</a>'
    body = f"<p>详见{address}，又见{link}</p><table><tr><td>{address}</td><td>乙</td></tr></table>"
    page = read(make_content(articles=(make_article(1, body=body),))).pages[1]
    edges: list[float] = []

    def note(text: str, matrix: list[float], text_matrix: list[float], *_: object) -> None:
        if text.strip("\n\u200b"):
            edges.append(matrix[0] * text_matrix[4] + matrix[4] + 4.0 * len(text.strip()))

    page.extract_text(visitor_text=note)
    assert len(edges) > 12
    assert max(edges) <= float(page.mediabox.width)


def test_a_tables_caption_stands_on_the_page_of_the_table() -> None:
    # One of these heights leaves room for a caption at a page's foot and for nothing more.
    table = f"<table><caption>图注甲</caption>{'<tr><td>一行</td></tr>' * 3}</table>"
    articles = tuple(
        make_article(1 + lines, body="<p>行</p>" * lines + table, title="题", section=f"栏{lines}")
        for lines in range(29, 33)
    )
    for article in articles:
        pages = words_of(read(make_content(articles=(article,))))
        (page,) = [words for words in pages if "图注甲" in words]
        assert "一行" in page


def test_a_broken_picture_is_an_error_with_its_reason() -> None:
    address = f"{ISSUE_URL}/a.png"
    content = make_content(articles=(make_article(1, body=f'<p><img src="{address}" alt="图"></p>'),))
    with pytest.raises(CompositionError, match="无法排版印刷版"):
        print_edition(content, pictures={address: PIXEL[:20]})


def test_typesetting_ends_when_its_time_is_over() -> None:
    with pytest.raises(CompositionError, match="超过 0 秒"):
        print_edition(chinese(), seconds=0.01)


def test_an_issue_that_cannot_be_mailed_is_not_printed_either() -> None:
    with pytest.raises(CompositionError, match="没有文章"):
        print_edition(make_content(articles=()))


def test_a_wanted_font_comes_first_and_names_compare_without_case() -> None:
    assert choose_families(["SimSun", "noto serif cjk sc", "Arial"], []) == ["noto serif cjk sc", "SimSun"]
    assert choose_families(["SimSun", "Noto Serif CJK SC"], ["simsun"]) == ["SimSun"]
    assert choose_families(["Arial"], ["KaiTi"]) == []
    assert len(set(CHINESE_FAMILIES)) == len(CHINESE_FAMILIES)


def test_without_a_chinese_font_the_error_names_the_package() -> None:
    with pytest.raises(CompositionError, match=r"Nowhere Song.*fonts-noto-cjk"):
        print_edition(chinese(), fonts=["Nowhere Song"])


def test_a_latin_issue_needs_no_chinese_font() -> None:
    content = make_content(
        title="Water Digest", subject="No. 7", publisher="", editor="", contact="", language="en", preheader="",
        articles=(make_article(1, title="Spring irrigation", body="<p>Begun.</p>"),),
    )  # fmt: skip
    assert "Begun." in words_of(read(content, fonts=["Nowhere Song"]))[1]


@pytest.mark.parametrize(
    "body",
    [
        "<blockquote>" * 22 + "<p>深处</p>" + "</blockquote>" * 22,
        "<table><tr><td>" * 7 + "深处" + "</td></tr></table>" * 7,
        "<p>" + "<strong><em><u>" * 7 + "深处" + "</u></em></strong>" * 7 + "</p>",
        "<table>" + "<tr><td rowspan=300>深处</td><td>乙</td></tr>" + "<tr><td>丙</td></tr>" * 299 + "</table>",
        "<table><tr><td>深处" + "<p>一格之中内容很长</p>" * 300 + "</td><td></td></tr></table>",
        '<ol start="9999"><li>深处</li></ol><ol start="0"><li></li></ol>',
        f"<p>深处{'x' * 5000}</p>",
    ],
    ids=["quotes", "tables", "marks", "rowspan", "a cell over pages", "lists", "a long word"],
)
def test_what_is_deep_long_or_odd_is_printed_too(body: str) -> None:
    assert "深处" in "".join(words_of(read(make_content(articles=(make_article(1, body=body),)))))


def test_the_command_line_prints_a_document(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from mailer.cli.documents import compile_command

    source = tmp_path / "a.txt"
    source.write_text(
        "水利信息摘编\n2025年第7期\n目 录\n★春灌用水调度……1\n★节水奖励办法……2\n\n春灌用水调度\n"
        f"{LONG}\n\n节水奖励办法\n{LONG}\n",
        encoding="utf-8",
    )
    done = CliRunner().invoke(compile_command, [str(source), "--out", str(tmp_path / "out"), "--pdf"])
    assert done.exit_code == 0, done.output
    assert "edition.pdf" in done.output
    assert "春灌用水调度" in words_of(PdfReader(tmp_path / "out" / "edition.pdf"))[0]


def test_the_press_does_not_load_the_typesetter() -> None:
    code = "import sys, mailer.press.printing, mailer.press.compiling; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_template_names_no_package_and_reads_one_file() -> None:
    template = (TEMPLATES / "print" / "edition.typ").read_text(encoding="utf-8")
    assert "@preview" not in template
    assert "eval(" not in template
    assert re.findall(r"\b(?:read|json|yaml|toml|csv|xml|cbor|include|import)\(?\s*\"([^\"]*)\"", template) == [
        "edition.json"
    ]
