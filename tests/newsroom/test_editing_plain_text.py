import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.newsroom.plain_text import count_characters, from_plain, is_plain, to_plain


def test_lines_become_paragraphs_subheadings_and_list_entries() -> None:
    text = "今年以来。\n\n## 一是强化政策\n- 甲\n- 乙\n\n第二段。\n"
    html = "<p>今年以来。</p><h3>一是强化政策</h3><ul><li><p>甲</p></li><li><p>乙</p></li></ul><p>第二段。</p>"
    assert from_plain(text) == html
    assert to_plain(html) == "今年以来。\n\n## 一是强化政策\n\n- 甲\n- 乙\n\n第二段。"


def test_markup_typed_as_text_stays_text() -> None:
    html = from_plain("a < b & <script>alert(1)</script>")
    assert html == "<p>a &lt; b &amp; &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert to_plain(html) == "a < b & <script>alert(1)</script>"


@pytest.mark.parametrize(
    "html",
    [
        "<table><tbody><tr><td>甲</td><td>乙</td></tr></tbody></table>",
        '<p><a href="https://example.org/">甲</a></p>',
        "<p>很<strong>重要</strong></p>",
        "<ol><li><p>甲</p></li></ol>",
    ],
)
def test_what_plain_text_cannot_say_is_known_beforehand(html: str) -> None:
    assert not is_plain(html)


def test_a_table_reads_as_its_rows() -> None:
    html = "<table><tbody><tr><th>城市</th><th>数</th></tr><tr><td>宁波</td><td>34</td></tr></tbody></table>"
    assert to_plain(html) == "城市 | 数\n\n宁波 | 34"


def test_blanks_are_not_counted_as_characters() -> None:
    assert count_characters("<p>9 月 12 日，</p><p>宁波</p>") == 8


@given(st.text())
def test_plain_text_comes_back_as_it_was_understood(text: str) -> None:
    once = to_plain(from_plain(text))
    assert to_plain(from_plain(once)) == once
    assert is_plain(from_plain(once))
