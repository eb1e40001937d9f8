"""What a body's paragraphs and cells are, told by where they stand: every edition sets them alike."""

import pytest

from mailer.press.bodies import Body
from mailer.press.linking import LinkRegister

PICTURE = '<p><img src="https://news.example.org/media/1.png" alt="外景"></p>'


def html_of(html: str, language: str = "zh_CN") -> str:
    return Body(html, language=language, own_host="news.example.org").as_html(LinkRegister(), None)


@pytest.mark.parametrize(
    "words",
    ["<em>示例中心外景（王小明摄）</em>", "图1　示例中心外景", "圖二 外景", "Fig. 2. The centre", "<em>图1</em>"],
)
def test_words_under_a_picture_are_its_caption(words: str) -> None:
    assert '<p class="picture captioned"><img' in html_of(f"{PICTURE}<p>{words}</p>")
    assert f'<p class="caption">{words}</p>' in html_of(f"{PICTURE}<p>{words}</p>")


@pytest.mark.parametrize(
    "words", ["图中可见，示例中心已经建成。", f"图1显示，{'各类创新主体积极响应。' * 9}", "<em>注</em>：见下"]
)
def test_a_paragraph_that_only_follows_a_picture_is_none(words: str) -> None:
    html = html_of(f"{PICTURE}<p>{words}</p>")
    assert '<p class="picture"><img' in html
    assert f"<p>{words}</p>" in html


def test_words_over_a_table_are_its_caption() -> None:
    table = "<table><tbody><tr><td>区县</td></tr></tbody></table>"
    assert '<p class="caption">表1　主要指标</p>' in html_of(f"<p>表1　主要指标</p>{table}")
    assert '<p class="caption"><em>主要指标</em></p>' in html_of(f"<p>甲</p><p><em>主要指标</em></p>{table}")


def test_subtitle_and_author_stand_at_the_head_of_an_article_only() -> None:
    head = "<p><strong>——兼论若干问题</strong></p><p><em>王小明</em></p>"
    html = html_of(f"{head}<p>正文。</p><p><em>王小明</em></p>")
    assert '<p class="subtitle"><strong>——兼论若干问题</strong></p><p class="byline"><em>王小明</em></p>' in html
    assert "<p>正文。</p><p><em>王小明</em></p>" in html


def test_an_article_all_in_italics_has_no_author_line() -> None:
    assert html_of(f"<p><em>{'斜体正文，' * 20}</em></p>").startswith("<p><em>")


ROWS = [["区县", "产值", "同比（%）"], ["东湖区", "1,250.3", "-12.5"], ["西山区", "850", "—"], ["合计", "2,100.3", ""]]


def rows_of(rows: list[list[str]], head: str = "th") -> str:
    tags = [head] + ["td"] * (len(rows) - 1)
    cells = ["".join(f"<{tag}>{cell}</{tag}>" for cell in row) for tag, row in zip(tags, rows, strict=True)]
    return f"<table><tbody>{''.join(f'<tr>{row}</tr>' for row in cells)}</tbody></table>"


@pytest.mark.parametrize("head", ["th", "td"])
def test_columns_of_figures_are_known_with_their_heads(head: str) -> None:
    html = html_of(rows_of(ROWS, head))
    assert html.count('class="amount"') == 8
    assert '<td class="amount">1,250.3</td>' in html
    assert '<td class="short">东湖区</td>' in html


@pytest.mark.parametrize(
    "rows", [[["号码"], ["见表2"], ["12"]], [["年份"], ["—"], [""]], [["甲", "乙"]], [["1"], ["2024年"], ["3"]]]
)
def test_a_column_with_words_in_it_is_none_of_figures(rows: list[list[str]]) -> None:
    assert "amount" not in html_of(rows_of(rows))


def test_a_table_with_spans_has_no_columns_to_tell() -> None:
    spanned = (
        '<table><tr><th colspan="2">产值</th></tr><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>'
    )
    assert "amount" not in html_of(spanned)


def test_the_caption_of_a_wide_table_is_held_to_what_a_phone_shows() -> None:
    row = "".join(f"<td>{number}年</td>" for number in range(2020, 2026))
    assert '<caption><span class="held">表1</span></caption>' in html_of(
        f"<table><caption>表1</caption><tr>{row}</tr></table>"
    )
    assert "<caption>表1</caption>" in html_of("<table><caption>表1</caption><tr><td>甲</td></tr></table>")
