from hypothesis import given
from hypothesis import strategies as st

from mailer.newsroom.comparing import Change, Row, compare, compare_html, is_same

TEXT = st.text(alphabet="全市科技工作。！\n abc.", max_size=120)


def marked(rows: list[Row]) -> tuple[list[str], list[str]]:
    before = [piece.text for row in rows for piece in row.before if piece.is_marked]
    after = [piece.text for row in rows for piece in row.after if piece.is_marked]
    return before, after


def test_a_changed_word_is_marked_inside_its_sentence_and_nothing_else() -> None:
    rows = compare("会议召开。会议强调要加快创新。散会。", "会议召开。会议强调要加快发展。散会。")
    assert [row.change for row in rows] == [Change.SAME, Change.CHANGED, Change.SAME]
    assert marked(rows) == (["创新"], ["发展"])


def test_latin_words_are_marked_whole() -> None:
    rows = compare("The price is 1200 yuan.", "The price is 1300 yuan.")
    assert marked(rows) == (["1200"], ["1300"])


def test_a_sentence_that_came_or_went_has_an_empty_other_side() -> None:
    rows = compare("第一句话。第三句话完全不同的内容。", "第一句话。另外添上的说明文字！第三句话完全不同的内容。")
    assert [row.change for row in rows] == [Change.SAME, Change.ADDED, Change.SAME]
    assert rows[1].before == ()
    rows = compare("甲乙丙丁。戊己庚辛。", "戊己庚辛。")
    assert [row.change for row in rows] == [Change.REMOVED, Change.SAME]


def test_a_closing_quote_stays_with_its_sentence() -> None:
    rows = compare("他说：“好。”然后走了。", "他说：“好。”然后来了。")
    assert [row.change for row in rows] == [Change.SAME, Change.CHANGED]
    assert rows[0].before[0].text == "他说：“好。”"


def test_emphasis_alone_changes_no_words() -> None:
    assert is_same(compare_html("<p>同样的话。</p>", "<p><strong>同样的话。</strong></p>"))
    assert not is_same(compare_html("<p>同样的话。</p>", "<p>别样的话。</p>"))


@given(TEXT, TEXT)
def test_each_side_holds_its_whole_text(before: str, after: str) -> None:
    rows = compare(before, after)
    for text, pieces in (
        (before, [piece.text for row in rows for piece in row.before]),
        (after, [piece.text for row in rows for piece in row.after]),
    ):
        assert "".join("".join(pieces).split()) == "".join(text.split())
