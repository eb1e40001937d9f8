import lxml.html
import pytest

from mailer.press.compiling import compile_edition
from mailer.press.previewing import Look, preview_html, preview_text, reader_values
from tests.press.samples import make_article, make_content

BODY = '<p>尊敬的{{ name }}：<img src="https://news.example.org/a.png" alt="水位"></p>'
COMPILED = compile_edition(make_content(articles=(make_article(1, body=BODY),)))


def shown(look: Look = Look.LIGHT, **reader: str) -> str:
    return preview_html(COMPILED.html, reader_values("zh_CN", **reader), look)


def test_a_chosen_readers_name_and_address_stand_in_the_preview() -> None:
    html = shown(name="李<雷>", address="lilei@example.com")
    assert "尊敬的李&lt;雷&gt;：" in html
    assert "lilei@example.com" in html
    assert "~mailer." not in html


def test_a_reader_without_a_name_is_called_one() -> None:
    assert "尊敬的读者：" in shown(name=" ")
    assert reader_values("en")["name"] == "reader"
    text = preview_text(COMPILED.text, reader_values("zh_CN"), "zh_CN")
    assert "尊敬的读者：" in text


def test_text_does_not_show_links_that_lead_nowhere() -> None:
    text = preview_text(COMPILED.text, reader_values("zh_CN"), "zh_CN")
    # Text shows where its links lead: nowhere would look like a fault.
    assert "#" not in text
    assert text.count("（每位读者自己的链接）") == 3


def test_a_preview_unsubscribes_nobody() -> None:
    page = lxml.html.document_fromstring(shown())
    assert {anchor.get("href") for anchor in page.iter("a") if "退订" in anchor.text_content()} == {"#"}


def test_dark_rules_are_forced_and_the_others_left_alone() -> None:
    assert "prefers-color-scheme" in shown()
    dark = shown(Look.DARK)
    assert "prefers-color-scheme" not in dark
    assert dark.count("@media all") == 2
    assert "@media only screen and (min-width: 600px)" in dark


def test_with_pictures_off_nothing_is_loaded_and_words_remain() -> None:
    html = shown(Look.PICTURES_OFF)
    assert "a.png" not in html
    assert 'alt="水位"' in html


@pytest.mark.parametrize("theme", ["bulletin", "journal", "plain"])
def test_without_head_and_body_the_mail_is_still_dressed(theme: str) -> None:
    compiled = compile_edition(make_content(theme=theme))
    html = preview_html(compiled.html, reader_values("zh_CN"), Look.HEADLESS)
    page = lxml.html.document_fromstring(html)
    assert page.find(".//style") is None
    assert page.get("lang") == "zh-CN"
    assert "font-family" in page.find("body")[0].get("style")
    assert "水利信息摘编" in page.text_content()
