"""Web pages, what Word and WPS save as HTML, Markdown, and several files at once."""

import pytest

from mailer.newsroom.parsing import parse_document, parse_documents
from mailer.newsroom.structure.lines import PartKind
from tests.newsroom.documents import FIELDS, Way, chosen, make_docx, section_of, truth_of
from tests.newsroom.test_parsing_word import DOT, check

HEAD = ("望川科技要情", "2025年第11期（总第138期）", "望川市科学技术信息研究院 编印", "2025年11月5日")
FOOT = ("编辑：石 玥", "电话：0000-5550145")


def as_html(paragraph="<p>{}</p>", title="<h2>{}</h2>", name="<h1>{}</h1>", entry="<p>{}……{}</p>") -> str:
    articles = chosen(is_english=False)
    lines = [paragraph.format(line) for line in HEAD]
    lines.append(paragraph.format("目&nbsp; 录"))
    lines += [entry.format(text, 2 * number + 1) for number, (text, _) in enumerate(articles)]
    for number, (text, paragraphs) in enumerate(articles):
        if number == 0 or section_of(number) != section_of(number - 1):
            lines.append(name.format(section_of(number)))
        lines += [title.format(text), *(paragraph.format(one) for one in paragraphs)]
    lines += [paragraph.format(line) for line in FOOT]
    return "\n".join(lines)


WORD_P = (
    '<p class=MsoNormal style="text-indent:24.0pt;mso-char-indent-count:2.0"><span lang=EN-US><o:p></o:p></span>{}</p>'
)
WORD = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta charset="gb2312"><title>junk</title>'
    "<style>p.MsoNormal {{margin:0}}</style><!--[if gte mso 9]><xml><o:x>secret</o:x></xml><![endif]--></head><body>"
)


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><html><body>" + as_html() + "</body></html>",
        "<html><body><table><tr><td>" + as_html() + "</td></tr></table></body></html>",
        "<html><body>" + as_html(paragraph="<div><span style='font-size:12pt'>{}</span></div>") + "</body></html>",
        "<html><body>" + as_html(entry='<p><a href="#x">{}</a>\t{}</p>') + "</body></html>",
        WORD + as_html(paragraph=WORD_P, entry="<p class=MsoToc1>{}......{}</p>") + "</body></html>",
    ],
    ids=["plain", "in a layout table", "divs", "linked contents", "saved by Word"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_web_page_is_found_whole(page: str, encoding: str) -> None:
    content = page.replace('charset="gb2312"', f'charset="{"utf-8" if encoding == "utf-8" else "gb2312"}"')
    bulletin = parse_document(content.encode(encoding), "a.html")
    check(bulletin, truth_of(is_english=False, has_sections=True, has_contents=True))
    assert "secret" not in str(bulletin)


def test_what_a_web_page_hides_or_runs_is_left_out() -> None:
    page = (
        "<html><body><h1>望川科技要情</h1><p>2025年第11期</p><h2>松岭实验室建成低温计量平台</h2>"
        "<script>document.write('坏')</script><style>坏</style><p style='display: none'>坏</p><p hidden>坏</p>"
        "<p onclick='坏()'>平台通过验收，<b>填补了</b>区域空白。"
        "<iframe src='坏'>坏</iframe></p><ol start=3><li>第三项</li></ol></body></html>"
    )
    bulletin = parse_document(page.encode(), "a.html")
    assert "坏" not in str(bulletin.articles)
    # Programs and styles say nothing to a reader; what was hidden or framed is told as left out.
    assert bulletin.furniture == ("坏", "坏", "坏")
    assert bulletin.articles[0].paragraphs == ("平台通过验收，填补了区域空白。", "3. 第三项")


def test_pictures_inside_a_page_are_kept_and_others_never_fetched() -> None:
    import base64

    data = base64.b64encode(DOT).decode()
    page = (
        "<html><body><p>望川科技要情</p><p>2025年第11期</p><h2>松岭实验室建成低温计量平台</h2><p>平台通过验收，填补了区域空白。</p>"
        f"<img alt='外景' src='data:image/png;base64,{data}'><img alt='别处' src='https://example.org/a.png'></body></html>"
    )
    bulletin = parse_document(page.encode(), "a.html")
    assert [picture.content for picture in bulletin.pictures] == [DOT]
    pictures = [part for part in bulletin.articles[0].parts if part.kind is PartKind.PICTURE]
    assert [(part.text, part.picture) for part in pictures] == [("外景", 0), ("别处", None)]


def test_markdown_is_found_whole() -> None:
    articles = chosen(is_english=False)
    lines = ["# 望川科技要情", "", *HEAD[1:], "", "## 目录", ""]
    lines += [f"- {title}……{2 * number + 1}" for number, (title, _) in enumerate(articles)]
    for number, (title, paragraphs) in enumerate(articles):
        if number == 0 or section_of(number) != section_of(number - 1):
            lines += ["", f"## {section_of(number)}"]
        lines += ["", f"### {title}", ""]
        for paragraph in paragraphs:
            half = len(paragraph) // 2
            lines += [f"{paragraph[:4]}**{paragraph[4:half]}**{paragraph[half:]}", ""]
    bulletin = parse_document("\n".join([*lines, *FOOT]).encode(), "a.md")
    check(bulletin, truth_of(is_english=False, has_sections=True, has_contents=True))


def test_markdown_keeps_tables_lists_and_pictures() -> None:
    text = (
        "# 望川科技要情\n\n2025年第11期\n\n## 松岭实验室建成低温计量平台\n\n平台通过验收，见[公告](https://example.org/)。\n\n"
        "| 区县 | 比例 |\n|---|---|\n| 海棠区 | 17.2 |\n\n1. 第一项\n2. 第二项\n\n![外景](a.png)\n"
    )
    article = parse_document(text.encode(), "a.md").articles[0]
    assert article.paragraphs == ("平台通过验收，见公告。", "1. 第一项", "2. 第二项")
    assert next(part.rows for part in article.parts if part.kind is PartKind.TABLE) == (
        ("区县", "比例"),
        ("海棠区", "17.2"),
    )
    assert article.texts(PartKind.PICTURE) == ("外景",)


def test_several_files_make_one_issue() -> None:
    articles = chosen(is_english=False)
    files = [("\n".join([*HEAD, *FOOT]).encode(), "00 刊头.txt")]
    files += [
        (f"{title}\n\n".encode() + "\n\n".join(paragraphs).encode(), f"{number:02d}.txt")
        for number, (title, paragraphs) in enumerate(articles, start=1)
    ]
    bulletin = parse_documents(files)
    assert bulletin.title == FIELDS["title"]
    assert [article.title for article in bulletin.articles] == [title for title, _ in articles]
    assert [list(article.paragraphs) for article in bulletin.articles] == [paragraphs for _, paragraphs in articles]


def test_one_file_among_several_is_the_same_as_alone() -> None:
    content, truth = make_docx(Way("alone", has_sections=True))
    check(parse_documents([(content, "a.docx")]), truth)


def test_files_of_several_kinds_keep_their_lines_and_pictures_apart() -> None:
    word, truth = make_docx(Way("first"))
    extra = "补充报道一则\n\n第二份文件里的文章，接在第一份文件之后，也算这一期的内容。\n"
    bulletin = parse_documents([(word, "a.docx"), (extra.encode(), "b.txt")])
    assert [article.title for article in bulletin.articles] == [*truth.titles, "补充报道一则"]
    lines = [line.line for line in bulletin.lines]
    assert lines == sorted(lines)
    assert any("b.txt" in str(warning.params) for warning in bulletin.warnings)


def test_a_number_that_stands_alone_above_a_title_is_no_text() -> None:
    items = (("01", "观测站建成", "观测站建在礁石上。"), ("02", "渔港改造开工", "渔港改造今天开工。"))
    body = "".join(f"<section><p>{n}</p><p><strong>{t}</strong></p></section><p>{p}</p>" for n, t, p in items)
    listed = "".join(f"<p>{n} {t}</p>" for n, t, _ in items)
    page = f"<p>观潮简讯</p><p>2025年第3期</p><p>本期导读</p>{listed}{body}"
    bulletin = parse_document(page.encode(), "a.html")
    assert [(one.title, one.paragraphs) for one in bulletin.articles] == [(t, (p,)) for _, t, p in items]


def test_soft_line_breaks_of_markdown_make_no_paragraphs() -> None:
    body = "观测站建在礁石上。\n它每六分钟读一次潮位。\n\n问：多久读一次？\n答：六分钟。\n"
    text = f"# 观潮简讯\n\n2025年第3期\n\n## 观测站建成\n\n{body}"
    bulletin = parse_document(text.encode(), "a.md")
    assert bulletin.articles[0].paragraphs == (
        "观测站建在礁石上。它每六分钟读一次潮位。",
        "问：多久读一次？",
        "答：六分钟。",
    )
