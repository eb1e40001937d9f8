"""An edition's HTML is judged by parsing it, its text by reading it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser

import cssutils
import lxml.html
import pytest
from lxml.html import HtmlElement

from mailer.errors import CompositionError
from mailer.press import drafting
from mailer.press.abridging import Length
from mailer.press.colours import contrast
from mailer.press.compiling import Compiled, compile_edition
from mailer.press.content import ArticleContent, Content
from mailer.press.fitting import BUDGET_BYTES
from mailer.press.plaintext import COLUMNS, width
from mailer.press.slots import READER_SLOT, UNSUBSCRIBE_URL, slot
from mailer.press.themes import list_themes
from tests.press.samples import ISSUE_URL, LONG, PIXEL_URL, click_url, make_article, make_content


def compile_tracked(**changes: object) -> Compiled:
    return compile_edition(make_content(**changes), click_url=click_url, pixel_url=PIXEL_URL)


def parse(compiled: Compiled) -> HtmlElement:
    return lxml.html.document_fromstring(compiled.html)


def big_articles(count: int, paragraphs: int) -> tuple[object, ...]:
    return tuple(make_article(key, body=f"<p>{LONG * 4}</p>" * paragraphs) for key in range(1, count + 1))


def test_links_are_numbered_in_the_order_of_the_page() -> None:
    body = '<p><a href="https://example.org/a?x=1&amp;y=2">甲</a><a href="mailto:x@example.org">信</a></p>'
    compiled = compile_tracked(articles=(make_article(11, body=body), make_article(12)))
    assert [(link.ordinal, link.url, link.article_key) for link in compiled.links] == [
        (1, f"{ISSUE_URL}/articles/11", 11),
        (2, f"{ISSUE_URL}/articles/12", 12),
        (3, "https://example.org/a?x=1&y=2", 11),
    ]
    assert compiled.links[0].label == "第11篇：春灌用水调度"


def test_tracked_links_lead_through_the_click_address_and_no_others() -> None:
    compiled = compile_tracked()
    hrefs = [anchor.get("href") for anchor in parse(compiled).iter("a")]
    tracked = [href for href in hrefs if "/c/" in href]
    assert tracked == [click_url(link.ordinal, link.url) for link in compiled.links]
    for href in set(hrefs) - set(tracked):
        assert href in {slot(UNSUBSCRIBE_URL), slot("preferences_url"), ISSUE_URL, "https://news.example.org/n/water/"}


def test_ampersands_of_click_addresses_are_escaped() -> None:
    compiled = compile_edition(
        make_content(), click_url=lambda n, _: f"https://news.example.org/c?n={n}&r={READER_SLOT}"
    )
    assert f"/c?n=1&amp;r={READER_SLOT}" in compiled.html


def test_the_pixel_is_the_last_thing_of_the_page() -> None:
    html = compile_tracked().html
    assert html.count("<img") == 1
    assert re.search(rf'<img src="{re.escape(PIXEL_URL)}"[^>]* alt=""[^>]*></body>', html)


def test_an_untracked_newsletter_has_plain_links_and_no_pixel() -> None:
    compiled = compile_tracked(is_tracked=False)
    assert READER_SLOT not in compiled.html
    assert "<img" not in compiled.html
    assert f'href="{ISSUE_URL}/articles/1"' in compiled.html


def test_a_preview_has_the_hash_of_the_edition_made_of_it() -> None:
    content = make_content()
    preview = compile_edition(content)
    edition = compile_tracked()
    assert preview.content_hash == edition.content_hash
    assert preview.text == edition.text
    assert preview.html != edition.html


def test_the_same_content_has_the_same_hash_whatever_edition_it_is_for() -> None:
    content = make_content()
    other = compile_edition(content, click_url=lambda n, _: f"https://news.example.org/c/other{n}/{READER_SLOT}")
    assert other.content_hash == compile_tracked().content_hash
    assert re.fullmatch("[0-9a-f]{64}", other.content_hash)


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "另一个主题 第7期"},
        {"preheader": "另一句"},
        {"editor": "李小红"},
        {"is_tracked": False},
        {"articles": (make_article(1, body="<p>改了一个字。</p>"), make_article(2, page=5))},
        {"articles": (make_article(2, page=5), make_article(1, page=2))},
        {"theme_options": {"colour": "#8a0f1f"}},
    ],
)
def test_any_change_changes_the_hash(change: dict[str, object]) -> None:
    assert compile_edition(make_content(**change)).content_hash != compile_edition(make_content()).content_hash


def test_headings_come_in_order() -> None:
    body = "<p>文</p><h2>小标题</h2>"
    plain = parse(compile_tracked(articles=(make_article(1, body=body),)))
    assert [element.tag for element in plain.iter("h1", "h2", "h3", "h4")] == ["h1", "h2", "h2", "h3"]
    articles = (make_article(1, section="政策", body=body), make_article(2, section="动态"))
    sectioned = parse(compile_tracked(articles=articles))
    assert [element.tag for element in sectioned.iter("h1", "h2", "h3", "h4")] == [
        "h1",
        "h2",
        "h2",
        "h3",
        "h4",
        "h2",
        "h3",
    ]


def test_the_masthead_says_what_is_known() -> None:
    page = parse(compile_tracked()).text_content()
    for words in (
        "水利信息摘编",
        "2025年第7期（总第131期）",
        "示例市水利信息中心",
        "2025年3月28日",
        "★",
        "编辑：王小明",
        "电话：0471-5550100",
    ):
        assert words in page
    bare = compile_tracked(
        subject="摘编", year=None, number=None, total_number=None, published_on=None, editor="", phone="", publisher=""
    )
    page = parse(bare).text_content()
    for words in ("None", "2025", "年第", "总第", "编辑：", "电话：", "编印单位"):
        assert words not in page


def test_pages_stand_in_the_contents_only_where_known() -> None:
    with_pages = parse(compile_tracked()).xpath("//td[contains(@class, 'page')]/text()")
    assert with_pages == ["2", "5"]
    without = compile_tracked(articles=(make_article(1), make_article(2)))
    assert parse(without).xpath("//td[contains(@class, 'page')]") == []


def test_an_english_newsletter_speaks_english() -> None:
    compiled = compile_tracked(
        language="en",
        title="Water Digest",
        articles=(make_article(1, title="Spring irrigation", body="<p>Begun.</p>", source="Example Daily"),),
    )
    page = parse(compiled)
    assert page.get("lang") == "en"
    text = page.text_content()
    for words in (
        "No. 7, 2025 (whole No. 131)",
        "March 28, 2025",
        "Contents",
        "Source: Example Daily",
        "Unsubscribe",
        "Editor: ",
    ):
        assert words in text
    assert "Unsubscribe:\n" in compiled.text
    assert "退订" not in compiled.html + compiled.text


def test_the_page_says_its_language_where_head_and_body_are_dropped() -> None:
    page = parse(compile_tracked())
    assert page.get("lang") == "zh-CN"
    assert page.find("body")[0].get("lang") == "zh-CN"
    assert "font-family" in page.find("body")[0].get("style")


def test_every_layout_table_is_marked_and_every_picture_has_words() -> None:
    body = "<table><tr><td>1</td></tr></table><img src='https://news.example.org/a.png'>"
    page = parse(compile_tracked(articles=(make_article(1, body=body),)))
    tables = list(page.iter("table"))
    assert [table.get("role") for table in tables if table.get("class") != "data"] == ["presentation"] * (
        len(tables) - 1
    )
    assert all(image.get("alt") is not None for image in page.iter("img"))


def test_nothing_is_loaded_from_anywhere_but_our_own_host() -> None:
    body = "<img src='https://other.example.com/a.png'><img src='https://news.example.org/b.png' alt='b'>"
    html = compile_tracked(articles=(make_article(1, body=body),)).html
    assert re.findall(r'src="([^"]*)"', html) == ["https://news.example.org/b.png", PIXEL_URL]
    assert not re.search(r"url\(|@import|@font-face|<link|<script", html)


def test_css_is_inline_and_the_head_keeps_its_important_rules() -> None:
    html = compile_tracked().html
    head, _, body = html.partition("<body")
    assert "prefers-color-scheme: dark" in head
    assert "min-width: 600px" in head
    assert head.count("!important") > 20
    assert "<style" not in body
    assert re.search(r'<h1 class="title[^"]*" style=[\'"][^>]*color:#c8102e', body)
    assert "{%" not in html
    assert "{{" not in html


def test_text_is_large_and_dark_enough() -> None:
    body = "<h3>题</h3><p><a href='https://example.org/'>链</a></p><table><caption>表</caption><tr><th>头</th></tr></table><blockquote><p>引</p></blockquote>"
    page = parse(compile_tracked(articles=(make_article(1, body=body, source="源"),)))
    for element in page.iter():
        style = element.get("style") or ""
        if "display:none" in style or not (element.text or "").strip("\xa0 \n"):
            continue
        for size in re.findall(r"font-size:([0-9]+)px", style):
            assert int(size) >= 14, (element.tag, style)
        for colour in re.findall(r"(?:^|[; ])color:(#[0-9a-f]{3,6})", style):
            full = colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])
            ground = (
                "#c8102e" if full == "#ffffff" else "#f2efe9" if "footer" in str(element.get("class")) else "#ffffff"
            )
            assert contrast(full, ground) >= 4.5, (element.tag, style)


def test_the_way_out_stands_at_both_ends_of_the_page() -> None:
    compiled = compile_tracked()
    for content in (compiled.html, compiled.text):
        places = [match.start() for match in re.finditer(re.escape(slot(UNSUBSCRIBE_URL)), content)]
        assert len(places) == 2
        assert places[0] < content.index(LONG[:12]) < places[1]
        assert ISSUE_URL in content


def test_the_preheader_is_hidden_and_left_out_when_empty() -> None:
    page = parse(compile_tracked())
    preheader = page.xpath("//div[@class='preheader']")[0]
    assert preheader.text.startswith("河套灌区春灌全面展开")
    assert "display:none" in preheader.get("style")
    assert parse(compile_tracked(preheader="")).xpath("//div[@class='preheader']") == []


def test_the_text_part_is_made_to_be_read() -> None:
    compiled = compile_tracked(
        articles=(make_article(1, page=2, body=f"<p>{LONG * 5}</p>", source="示例日报"), make_article(2))
    )
    lines = compiled.text.split("\n")
    assert all(width(line) <= COLUMNS or "~mailer.slot." in line for line in lines)
    assert all(len(line.encode()) <= 998 for line in lines)
    assert lines[0].strip() == "水利信息摘编"
    assert f"  {ISSUE_URL}/articles/1" in lines
    assert "来源：示例日报" in lines
    assert "<" not in compiled.text
    assert "&" not in compiled.text
    assert "\n\n\n" not in compiled.text


def test_editors_text_is_escaped_everywhere() -> None:
    evil = "<script>alert(1)</script>{{ 7*7 }}"
    compiled = compile_tracked(
        title=f"刊{evil}", publisher=evil, editor=evil, colophon=evil, contact=evil, preheader=evil, subject=f"7{evil}",
        articles=(make_article(1, title=evil, section=evil, source=evil),),
    )  # fmt: skip
    assert "<script" not in compiled.html
    assert "49" not in re.sub(r"[#0-9a-f]{6}", "", compiled.html).replace("0471-5550100", "")
    assert compiled.html.count("{{ 7*7 }}") >= 8


class Checker(HTMLParser):
    """Counts what is left open."""

    VOID = frozenset({"meta", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed() -> None:
    checker = Checker()
    checker.feed(compile_tracked(articles=big_articles(12, 8)).html)
    checker.close()
    assert checker.open == []


def test_a_bulletin_within_the_budget_is_whole() -> None:
    compiled = compile_tracked(articles=big_articles(6, 10))
    assert compiled.shortened == {}
    assert compiled.html.count(LONG) == 6 * 10 * 4
    assert len(compiled.html.encode()) < BUDGET_BYTES


def test_above_the_budget_the_longest_articles_become_abstracts() -> None:
    articles = (make_article(1, body=f"<p>{LONG * 4}</p>" * 150), *big_articles(4, 20)[1:])
    compiled = compile_tracked(articles=articles)
    assert compiled.shortened == {1: Length.ABSTRACT}
    assert len(compiled.html.encode()) <= BUDGET_BYTES
    more = parse(compiled).xpath("//a[@class='button']")
    assert [anchor.text for anchor in more] == ["阅读全文"]
    assert compiled.links[len(articles)].article_key == 1
    assert f"阅读全文：\n{ISSUE_URL}/articles/1\n" in compiled.text


def test_a_preview_abridges_what_the_edition_will() -> None:
    content = make_content(articles=big_articles(8, 24))
    preview, edition = compile_edition(content), compile_edition(content, click_url=click_url)
    assert preview.shortened == edition.shortened != {}
    assert preview.content_hash == edition.content_hash


def test_as_few_articles_as_will_do_are_abridged_by_few_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    draw = drafting._Pages.draw_html

    def note(self: drafting._Pages, lengths: Mapping[int, Length]) -> drafting._Page:
        counts.append(len(lengths))
        return draw(self, lengths)

    monkeypatch.setattr(drafting._Pages, "draw_html", note)
    articles = tuple(make_article(key, body=f"<p>{LONG * 2}</p>" * (5 + key * 7 % 23)) for key in range(1, 17))
    compiled = compile_edition(make_content(articles=articles, preheader="few drawings"))
    fewest = len(compiled.shortened)
    assert 1 < fewest < 15
    # The whole, the shortest, and the two that prove the count; a guess may be off by a little.
    assert {0, 16, fewest - 1, fewest} <= set(counts)
    assert len(counts) <= 6
    assert len(compiled.html.encode()) <= BUDGET_BYTES

    # What was drawn once is not drawn again, whoever asks; any change of it is.
    counts.clear()
    assert compile_edition(make_content(articles=articles, preheader="few drawings")) == compiled
    assert counts == []
    compile_edition(make_content(preheader="few drawings"))
    assert counts == [0]


def test_a_style_sheet_is_parsed_once_for_all_pages_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def contents(text: str) -> list[Content]:
        return [
            make_content(theme=theme.name, language=language, articles=(make_article(1, body=f"<p>{text}</p>"),))
            for theme in list_themes()
            for language in ("zh_CN", "en")
        ]

    parsed: list[str] = []
    parse_sheet = cssutils.parseString
    monkeypatch.setattr(
        cssutils, "parseString", lambda css, **options: parsed.append(css) or parse_sheet(css, **options)
    )
    for content in [*contents("甲"), *contents("乙")]:
        compile_edition(content)
    assert len(parsed) == len(set(parsed)) <= 6


def long_articles(count: int) -> tuple[ArticleContent, ...]:
    return tuple(
        make_article(key, title=f"第{key}篇：各地推进节水工作", body=f"<p>{LONG * 5}</p>" * 12)
        for key in range(1, count + 1)
    )


@pytest.mark.parametrize(
    ("theme", "count", "articles"),
    [
        ("bulletin", 25, "full"),
        ("bulletin", 32, "abstract"),
        ("bulletin", 60, "full"),
        ("journal", 60, "abstract"),
        ("plain", 100, "full"),
    ],
)
def test_however_many_articles_are_shortened_until_they_fit(theme: str, count: int, articles: str) -> None:
    content = make_content(articles=long_articles(count), theme=theme, theme_options={"articles": articles})
    compiled = compile_edition(content, click_url=click_url, pixel_url=PIXEL_URL)
    assert len(compiled.html.encode()) <= BUDGET_BYTES
    # Each is named, and its title leads to it; as much of it goes out as there is room for, of the first ones most.
    entries = {link.url for link in compiled.links}
    assert {article.url for article in content.articles} <= entries
    lengths = [compiled.shortened.get(article.key, Length.WHOLE) for article in content.articles]
    assert Length.WHOLE not in lengths or count < 30
    if Length.BRIEF in lengths or Length.LISTED in lengths:
        assert lengths == sorted(lengths)
    # The budget is used: what fits is not shortened further.
    assert len(compiled.html.encode()) > BUDGET_BYTES * 0.7


def test_articles_that_stand_in_the_contents_only_are_said_to_be_on_the_web() -> None:
    compiled = compile_edition(make_content(articles=(*long_articles(60), make_article(61, section="末栏"))))
    listed = [key for key, length in compiled.shortened.items() if length is Length.LISTED]
    page = parse(compiled)
    said = f"另有 {len(listed)} 篇文章载于网页版，点击目录中的标题即可阅读。"
    assert said in page.text_content()
    assert said in compiled.text
    assert page.xpath("//a[@class='button']")[-1].text == "网页版"
    # No heading of a section without articles, no title without text.
    assert "末栏" not in [heading.text_content() for heading in page.iter("h2")]
    assert len(page.xpath("//*[@class='article-title']")) == 61 - len(listed)
    one = compile_edition(make_content(language="en", articles=long_articles(25)))
    assert "more article" not in one.text


def test_what_does_not_fit_even_by_its_contents_is_cut_to_them() -> None:
    compiled = compile_edition(make_content(articles=long_articles(300)))
    assert len(compiled.html.encode()) > BUDGET_BYTES
    assert set(compiled.shortened.values()) == {Length.LISTED}


def test_links_count_for_the_budget_as_long_as_they_will_be() -> None:
    body = "".join(f'<p><a href="https://example.org/{"x" * 60}{n}">甲</a></p>' for n in range(130))
    articles = (make_article(1, body=body), make_article(2, body=body))
    assert compile_edition(make_content(articles=articles, is_tracked=False)).shortened == {}
    assert compile_edition(make_content(articles=articles)).shortened


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"articles": ()}, "没有文章"),
        ({"title": " "}, "没有刊名"),
        ({"subject": ""}, "主题为空"),
        ({"subject": "第7期\r\nBcc: x@example.org"}, "换行"),
        ({"web_url": "/issues/7"}, "网页地址"),
        ({"theme": "../bulletin"}, "没有这种版式"),
        ({"theme": "letters"}, "没有这种版式"),
        ({"theme_options": {"colour": "red"}}, "#c8102e"),
        ({"theme_options": {"colour": "#ffcc00"}}, "过浅"),
        ({"theme_options": {"width": 2000}}, "480"),
        ({"language": "fr"}, "language"),
        ({"articles": (make_article(1, title=""),)}, "没有标题"),
        ({"articles": (make_article(1, url=""),)}, "网页地址"),
        ({"articles": (make_article(1, url="http://["),)}, "网页地址"),
        ({"articles": (make_article(1), make_article(1))}, "编号相同"),
        ({"contact": "~mailer.link.9~"}, "保留"),
        ({"articles": (make_article(1, body="<p>&#126;mailer.link.9~</p>"),)}, "保留"),
        ({"articles": (make_article(1, body="<p>~mailer<b>.slot.reader~</b></p>"),)}, "保留"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_reason(change: dict[str, object], words: str) -> None:
    with pytest.raises(CompositionError) as caught:
        compile_edition(make_content(**change))
    assert len(caught.value.problems) == 1
    assert words in caught.value.problems[0]


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(CompositionError) as caught:
        compile_edition(make_content(title="", subject="", articles=(make_article(1, title="", url=""),)))
    assert len(caught.value.problems) == 4


def test_a_theme_may_choose_its_colour_and_width() -> None:
    html = compile_tracked(theme_options={"colour": "#0A4D8C", "width": 600, "other": 1}).html
    assert "#c8102e" not in html
    assert "#0a4d8c" in html
    assert "max-width:600px" in html


def test_content_is_not_changed_by_compiling() -> None:
    content = make_content()
    compile_edition(content, click_url=click_url)
    assert content == replace(make_content())
