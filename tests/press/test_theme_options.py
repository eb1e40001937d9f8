"""What a newsletter may choose about a theme, and what comes of it in every theme."""

import lxml.html
import pytest

from mailer.errors import CompositionError
from mailer.press.abridging import Length
from mailer.press.colours import CONTRAST, NIGHT, QUIET, WHITE, contrast
from mailer.press.compiling import Compiled, compile_edition
from mailer.press.fontstacks import STACKS, TITLE_STACKS
from mailer.press.theme_options import LONGEST_BLOCK, check_options
from mailer.press.themes import get_theme, list_themes
from mailer.resources import TEMPLATES
from tests.press.samples import LONG, PIXEL_URL, click_url, make_article, make_content

THEMES = [theme.name for theme in list_themes()]
LOGO = {"logo_url": "https://news.example.org/media/logo.png", "logo_alt": "示例市水利信息中心", "logo_width": 200}


def compile_with(theme: str, options: dict[str, object], **changes: object) -> Compiled:
    content = make_content(theme=theme, theme_options=options, **changes)
    return compile_edition(content, click_url=click_url, pixel_url=PIXEL_URL)


@pytest.mark.parametrize("theme", list_themes(), ids=lambda theme: theme.name)
def test_a_theme_describes_itself_in_both_languages_and_can_be_read(theme) -> None:
    for locale in ("zh_CN", "en"):
        assert theme.title_in(locale)
        assert len(theme.description_in(locale)) > 20
    assert theme.title_in("en").isascii()
    assert theme.title_in("fr") == theme.title_in("zh_CN")
    assert theme.mark
    assert contrast(theme.colour, WHITE) >= CONTRAST
    assert contrast(QUIET, theme.ground) >= CONTRAST
    assert contrast(get_theme(theme.name, {}).night_colour, NIGHT) >= CONTRAST
    assert theme.fonts in STACKS
    assert theme.title_fonts in {"", *TITLE_STACKS}


@pytest.mark.parametrize("theme", list_themes(), ids=lambda theme: theme.name)
def test_english_mail_is_set_in_latin_type_and_chinese_mail_is_not(theme) -> None:
    english, chinese = get_theme(theme.name, {}, language="en"), get_theme(theme.name, {}, language="zh_CN")
    for stack in ("fonts", "title_fonts", "office_fonts", "office_title_fonts"):
        families = getattr(chinese, stack)
        assert getattr(english, stack) in {f"Arial, Helvetica, {families}", f'Georgia, "Times New Roman", {families}'}
    page = compile_with(theme.name, {}, language="en").html
    assert english.fonts.replace('"', "'") in page.replace('"', "'").replace("&quot;", "'")


def test_theme_folders_share_what_is_common_and_copy_nothing() -> None:
    lines: dict[str, str] = {}
    for name in ("shared", *THEMES):
        for path in sorted((TEMPLATES / "email" / name).glob("*.css")):
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith(".") and len(line) > 40:
                    assert lines.setdefault(line, name) == name, f"{name} repeats what {lines[line]} says: {line}"
    assert len(lines) > 40


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"colour": "red"}, "must look like #c8102e"),
        ({"colour": "#ffcc00"}, "too light"),
        ({"ground": "grey"}, "must look like #f2efe9"),
        ({"ground": "#808080"}, "too dark"),
        ({"width": 300}, "width must be between"),
        ({"width": "600"}, "width must be between"),
        ({"fonts": "comic"}, "no such choice of fonts"),
        ({"articles": "none"}, "in full or as abstracts"),
        ({"header": "x" * (LONGEST_BLOCK + 1)}, "too long"),
        ({"logo_url": "javascript:alert(1)", "logo_alt": "x"}, "needs a web address"),
        ({"logo_url": "http://[", "logo_alt": "x"}, "needs a web address"),
        ({"logo_url": "https://u:p@news.example.org/a.png", "logo_alt": "x"}, "needs a web address"),
        ({"logo_url": "https://other.example.com/a.png", "logo_alt": "x"}, "lies on another site"),
        ({**LOGO, "logo_alt": " "}, "needs words"),
        ({**LOGO, "logo_width": 4000}, "logo's width"),
    ],
)
def test_an_option_that_cannot_be_is_named(options: dict[str, object], words: str) -> None:
    _, (problem,) = check_options(options, own_host="news.example.org")
    assert words in problem
    with pytest.raises(CompositionError):
        get_theme("plain", options, own_host="news.example.org")


def test_empty_and_unknown_options_leave_the_theme_as_it_is() -> None:
    empty = {"colour": "", "ground": None, "width": "", "fonts": "", "articles": "", "header": "", "other": 1}
    assert get_theme("journal", empty) == get_theme("journal", {})


@pytest.mark.parametrize("theme", THEMES)
def test_colour_ground_width_and_fonts_are_taken(theme: str) -> None:
    chosen = {"colour": "#0A5D2C", "ground": "#eef4ee", "width": 520, "fonts": "fangsong"}
    html = compile_with(theme, chosen).html
    assert "#0a5d2c" in html
    assert "background-color:#eef4ee" in html
    assert "max-width:520px" in html
    assert 'width="520"' in html
    assert "FangSong_GB2312" in html
    assert get_theme(theme, {}).colour not in html


@pytest.mark.parametrize("theme", THEMES)
def test_a_logo_stands_in_the_masthead_with_its_words(theme: str) -> None:
    page = lxml.html.document_fromstring(compile_with(theme, LOGO).html)
    (logo,) = page.xpath("//img[@class='logo-picture']")
    assert (logo.get("src"), logo.get("alt"), logo.get("width")) == (LOGO["logo_url"], LOGO["logo_alt"], "200")
    assert page.xpath("//img[@class='logo-picture']/following::h1")


@pytest.mark.parametrize("theme", THEMES)
def test_blocks_stand_at_head_and_foot_sanitised_with_their_links_counted(theme: str) -> None:
    header = (
        '<h2>编者按</h2><p onclick="x">致{{ name }}：<a href="https://example.org/head">详情</a><script>x</script></p>'
    )
    compiled = compile_with(theme, {"header": header, "footer": '<p><a href="https://example.org/foot">投稿</a></p>'})
    urls = [link.url for link in compiled.links]
    assert urls[0] == "https://example.org/head"
    assert urls[-1] == "https://example.org/foot"
    assert compiled.links[0].article_key is None
    assert "<script" not in compiled.html
    assert "onclick" not in compiled.html
    places = [compiled.html.index(words) for words in ("<h1", "编者按", "目录", LONG, "投稿", "编辑：王小明")]
    assert places == sorted(places)
    text = [
        compiled.text.index(words)
        for words in ("编者按", "链接1： https://example.org/head", LONG[:10], "https://example.org/foot")
    ]
    assert text == sorted(text)
    # A heading in a block is no chapter: the levels stay in order.
    levels = [element.tag for element in lxml.html.document_fromstring(compiled.html).iter("h1", "h2", "h3", "h4")]
    assert levels == ["h1", "h2", "h2", "h2"]


@pytest.mark.parametrize("theme", THEMES)
def test_lists_hold_their_marks_by_margins_which_outlook_reads(theme: str) -> None:
    body = "<ul><li><p>甲</p><ol start=9><li>乙</li></ol></li></ul>"
    page = lxml.html.document_fromstring(compile_with(theme, {}, articles=(make_article(1, body=body),)).html)
    for element in page.iter("ul", "ol"):
        style = dict(rule.strip().split(":", 1) for rule in element.get("style", "").split(";") if rule.strip())
        # Word hangs a mark of 24 pixels at the left of the margin; padding it ignores.
        assert int(style["margin"].split()[3].removesuffix("px")) >= 24
        assert style["padding"] == "0"


@pytest.mark.parametrize("theme", THEMES)
def test_articles_go_as_abstracts_where_that_is_chosen(theme: str) -> None:
    articles = (make_article(1, body=f"<p>{LONG * 4}</p>" * 9), make_article(2))
    full = compile_with(theme, {}, articles=articles)
    abstracts = compile_with(theme, {"articles": "abstract"}, articles=articles)
    assert full.shortened == {}
    # The second is no longer than its abstract would be: it needs no link to the whole.
    assert abstracts.shortened == {1: Length.ABSTRACT}
    assert abstracts.html.count(LONG) < full.html.count(LONG)
    assert abstracts.html.count("阅读全文") == 1
    assert "阅读全文：" in abstracts.text


@pytest.mark.parametrize("theme", THEMES)
def test_a_reserved_mark_in_a_block_or_logo_is_refused(theme: str) -> None:
    for options in ({"header": "<p>~mailer.link.9~</p>"}, {**LOGO, "logo_alt": "~mailer.slot.reader~"}):
        with pytest.raises(CompositionError, match="保留"):
            compile_with(theme, options)


def test_contents_are_marked_as_the_theme_says() -> None:
    marks = {
        theme: lxml.html.document_fromstring(compile_with(theme, {}).html).xpath("//td[contains(@class,'mark')]/text()")
        for theme in THEMES
    }
    assert marks["bulletin"] == ["★", "★"]
    assert marks["journal"] == ["1", "2"]
    assert "1 第1篇" in compile_with("journal", {}).text
