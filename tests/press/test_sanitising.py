import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.press.sanitising import sanitise_body

TAGS = ("p", "b", "a", "h1", "table", "td", "ul", "li", "blockquote", "script", "style", "svg", "img", "br")
PIECES = st.one_of(
    st.sampled_from(TAGS).map("<{}>".format),
    st.sampled_from(TAGS).map("</{}>".format),
    st.sampled_from(("<!--", "-->", "&nbsp;", "&#0;", "&lt;", "水", "{{ name }}", "\0", "<ul><li>" * 30)),
    st.sampled_from(("<a href='https://example.org/'>", "<img src=https://example.org/x>")),
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("<p style='color:red' class=x onclick=y>文</p>", "<p>文</p>"),
        ("<script>alert(1)</script><p>文</p>", "<p>文</p>"),
        ("<h1>甲</h1><h2>乙</h2><h5>丙</h5>", "<h3>甲</h3><h3>乙</h3><h3>丙</h3>"),
        ("<p><b>粗</b><i>斜</i></p>", "<p><strong>粗</strong><em>斜</em></p>"),
        ("<div><p>文</p></div>", "<p>文</p>"),
        ("<p>文</p><p>&nbsp;</p><p><br></p>", "<p>文</p>"),
        ("<ol start=3><li>三</li></ol>", '<ol start="3"><li>三</li></ol>'),
        ("<ol start=x><li>三</li></ol>", "<ol><li>三</li></ol>"),
        (
            "<table width=9><tr><td colspan=2 style=x>格</td></tr></table>",
            '<table><tbody><tr><td colspan="2">格</td></tr></tbody></table>',
        ),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("<p>未完", "<p>未完</p>"),
        ("<iframe src=https://example.org></iframe><form><input></form>", ""),
        ("", ""),
    ],
)
def test_only_what_mail_can_carry_is_kept(typed: str, kept: str) -> None:
    assert sanitise_body(typed) == kept


@pytest.mark.parametrize("address", ["https://example.org/a?b=1&amp;c=2", "http://example.org", "mailto:x@example.org"])
def test_links_to_the_web_and_to_mailboxes_are_kept(address: str) -> None:
    assert sanitise_body(f'<a href="{address}">链接</a>') == f'<a href="{address}">链接</a>'


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "/local",
        "#anchor",
        "//example.org/x",
        "tel:123",
        "{{ name }}",
        "file:///etc/passwd",
        "\tjavascript:x",
    ],
)
def test_any_other_link_becomes_plain_text(address: str) -> None:
    assert sanitise_body(f'<a href="{address}">链<b>接</b></a>') == "链<strong>接</strong>"


def test_a_picture_needs_an_address_on_the_web() -> None:
    assert (
        sanitise_body('<img src="https://example.org/a.png" alt="图" onerror=x>')
        == '<img src="https://example.org/a.png" alt="图">'
    )
    for address in ("a.png", "data:image/png;base64,AAAA", "cid:1", "mailto:x@example.org", "javascript:x"):
        assert sanitise_body(f'<img src="{address}" alt="图">') == ""
    assert sanitise_body('<img alt="图">') == ""


def test_control_characters_and_their_references_are_gone() -> None:
    assert sanitise_body("<p>a\0b\x0bc&#1;d&#xFFFE;e\x7f\ud800f</p>") == "<p>abcdef</p>"


@given(st.lists(PIECES, max_size=20).map("".join))
def test_sanitising_twice_changes_nothing(typed: str) -> None:
    once = sanitise_body(typed)
    assert sanitise_body(once) == once


@given(st.text())
def test_any_text_is_survived(typed: str) -> None:
    assert "<script" not in sanitise_body(typed)
