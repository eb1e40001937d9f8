"""Mending an import: every act does what it says, and no word is ever lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from mailer.errors import RuleError
from mailer.newsroom.mending import (
    Piece,
    blocks_of,
    demote,
    dissolve,
    merge,
    promote,
    rows_of,
    split,
    text_of,
    toggle_heading,
)

ARTICLES = (
    Piece(
        1, "平台通过验收", "要闻", "科技日报", 1, "<p>第一段。</p><h3>下一步</h3><p>第二段<strong>重点</strong>。</p>"
    ),
    Piece(2, "绿色防控", "见闻", "", 3, "<p>傍晚。</p><ul><li>一</li><li>二</li></ul>"),
    Piece(3, "水文站", "见闻", "水利网", 5, "<table><tbody><tr><td>甲</td></tr></tbody></table>"),
)


def words(articles) -> str:
    """Every word of articles, in order."""
    shown = ""
    for article in articles:
        body = "".join(html.fragment_fromstring(article.body, create_parent="div").itertext())
        shown += article.title + body + article.source
    return "".join(sorted(shown))


def test_a_body_is_taken_apart_at_its_top_level() -> None:
    assert blocks_of(ARTICLES[0].body) == ("<p>第一段。</p>", "<h3>下一步</h3>", "<p>第二段<strong>重点</strong>。</p>")
    assert "".join(blocks_of(ARTICLES[1].body)) == ARTICLES[1].body
    assert blocks_of("裸文字<p>段</p>尾巴") == ("<p>裸文字</p>", "<p>段</p>", "<p>尾巴</p>")
    assert blocks_of(" \n") == ()


def test_merging_keeps_the_title_as_a_subheading_and_both_sources() -> None:
    merged = merge(ARTICLES, 1)
    assert [article.id for article in merged] == [1, 3]
    assert merged[0].body == ARTICLES[0].body + "<h3>绿色防控</h3>" + ARTICLES[1].body
    assert merge(merged, 1)[0].body.endswith("<p>水利网</p>")
    with pytest.raises(RuleError, match="above the first"):
        merge(ARTICLES, 0)


def test_splitting_makes_a_new_article_of_what_follows() -> None:
    first, second, *_ = split(ARTICLES, 0, 1)
    assert (first.id, first.title, first.body, first.source) == (1, "平台通过验收", "<p>第一段。</p>", "")
    assert (second.id, second.title, second.section, second.source) == (None, "下一步", "要闻", "科技日报")
    assert second.body == "<p>第二段<strong>重点</strong>。</p>"


def test_splitting_and_merging_again_leaves_the_text_as_it_was() -> None:
    again = merge(split(ARTICLES, 0, 1), 1)
    assert again == ARTICLES


def test_promoting_makes_a_paragraph_the_title() -> None:
    mended = promote(ARTICLES, 1, 0)
    assert mended[1].title == "傍晚。"
    assert mended[1].body == "<p>绿色防控</p><ul><li>一</li><li>二</li></ul>"


def test_demoting_gives_title_and_text_to_the_article_above_or_below() -> None:
    assert demote(ARTICLES, 1)[0].body.endswith("<p>绿色防控</p>" + ARTICLES[1].body)
    assert demote(ARTICLES, 0)[0].body.startswith("<p>平台通过验收</p><p>第一段。</p>")
    with pytest.raises(RuleError, match="only article"):
        demote(ARTICLES[:1], 0)


def test_a_subheading_becomes_a_paragraph_and_back() -> None:
    once = toggle_heading(ARTICLES, 0, 1)
    assert "<p>下一步</p>" in once[0].body
    assert toggle_heading(once, 0, 1) == ARTICLES


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("<ul><li><p>一<b>二</b></p></li><li>三 <em>四</em></li></ul>", "<p>• 一<b>二</b></p><p>• 三 <em>四</em></p>"),
        (
            '<ol start="3"><li><p>甲</p><ul><li><p>乙</p></li></ul></li><li><p>丙</p><p>又丙</p></li></ol>',
            "<p>3. 甲</p><p>• 乙</p><p>4. 丙</p><p>又丙</p>",
        ),
        ("<ol><li><h3>题</h3><p>文</p></li><li></li></ol>", "<p>1. </p><h3>题</h3><p>文</p><p>2. </p>"),
    ],
)
def test_the_items_of_a_list_become_paragraphs_with_what_stood_before_them(body: str, mended: str) -> None:
    pieces = (Piece(1, "甲", body=f"<p>前</p>{body}<p>后</p>"),)
    assert dissolve(pieces, 0, 1)[0].body == f"<p>前</p>{mended}<p>后</p>"
    assert [row.is_list for row in rows_of(pieces[0].body)] == [False, True, False]


def test_only_a_list_has_items() -> None:
    with pytest.raises(RuleError, match="no list"):
        dissolve(ARTICLES, 0, 0)


def test_markup_in_a_title_stays_text() -> None:
    pieces = (Piece(1, "甲"), Piece(2, "<b>乙</b> & 丙"))
    assert merge(pieces, 1)[0].body == "<h3>&lt;b&gt;乙&lt;/b&gt; &amp; 丙</h3>"
    assert text_of(blocks_of(merge(pieces, 1)[0].body)[0]) == "<b>乙</b> & 丙"


@pytest.mark.parametrize("act", [split, promote, toggle_heading, dissolve])
def test_what_is_not_there_any_more_is_said(act) -> None:
    with pytest.raises(RuleError, match="not there"):
        act(ARTICLES, 0, 9)
    with pytest.raises(RuleError, match="not there"):
        act(ARTICLES, 7, 0)


def test_a_whole_paragraph_is_no_subheading() -> None:
    with pytest.raises(RuleError, match="300"):
        toggle_heading((Piece(1, "甲", body=f"<p>{'长' * 301}</p>"),), 0, 0)


acts = st.lists(
    st.tuples(st.sampled_from((merge, split, promote, demote, toggle_heading)), st.integers(0, 3), st.integers(0, 4)),
    max_size=8,
)


@given(acts)
def test_no_word_is_lost_whatever_is_done(steps) -> None:
    articles = ARTICLES
    for act, at, block in steps:
        try:
            articles = act(articles, at) if act in (merge, demote) else act(articles, at, block)
        except RuleError:
            continue
    # A source that two articles shared may be told once; here all differ.
    assert words(articles) == words(ARTICLES)


def test_a_title_in_brackets_at_the_head_of_a_paragraph_is_split_from_its_text() -> None:
    run_in = "<p><strong>【水库除险】</strong>全市<em>三座</em>水库完工。</p>"
    pieces = (Piece(1, "简讯", body=f"<p>甲。</p>{run_in}<p>乙。</p>", source="水利网"),)
    first, second = split(pieces, 0, 1)
    assert (first.title, first.body, first.source) == ("简讯", "<p>甲。</p>", "")
    assert (second.title, second.source) == ("水库除险", "水利网")
    assert second.body == "<p>全市<em>三座</em>水库完工。</p><p>乙。</p>"
    (promoted,) = promote(pieces, 0, 1)
    assert (promoted.title, promoted.body) == (
        "水库除险",
        "<p>简讯</p><p>甲。</p><p>全市<em>三座</em>水库完工。</p><p>乙。</p>",
    )


def test_an_article_can_begin_at_a_paragraph_too_long_for_a_title() -> None:
    text = "<b>各县</b>抓紧<a href='https://example.org/'>春耕备耕</a>" + "一" * 400
    _, second = split((Piece(1, "甲", body=f"<p>前。</p><p>抢抓农时：{text}</p>"),), 0, 1)
    assert second.title == "抢抓农时"
    assert second.body == f"<p>{text}</p>".replace("'", '"')
    # Where no clause heads it, the opening words stand for a title and the paragraph stays whole.
    _, second = split((Piece(1, "甲", body=f"<p>前。</p><p>{'丙' * 400}</p>"),), 0, 1)
    assert (second.title, second.body) == ("丙" * 30 + "…", f"<p>{'丙' * 400}</p>")


def test_a_row_tells_the_title_it_would_give() -> None:
    line, run_in, long, table = rows_of(
        f"<p>春耕</p><p>【水库】三座完工。</p><p>农时：{'一' * 400}</p><table><tr><td>表</td></tr></table>"
    )
    assert (line.title, run_in.title, long.title, table.title) == ("春耕", "水库", "农时", "")


def test_a_head_that_only_its_spaces_make_too_long_loses_no_text() -> None:
    (piece,) = (Piece(1, "简讯", body=f"<p>甲。</p><p>【水{' ' * 100}库】三座完工。</p>"),)
    _, second = split((piece,), 0, 1)
    assert second.title == "水 库"
    assert "三座完工。" in second.body
