import lxml.html
import pytest

from mailer.press.printtables import LONGEST_WORD, MARGINS, MOST_COLUMNS, ROOM, lay_out


def grid(html: str) -> tuple[list[tuple[str, int, int, int, int]], dict[str, object]]:
    """Each cell's text, place and spans; and the table."""
    table = lay_out(lxml.html.fragment_fromstring(html), lambda cell: [{"text": cell.text_content()}])
    assert table is not None
    cells = [
        ("".join(node["text"] for node in cell["inside"]), cell["x"], cell["y"], cell["colspan"], cell["rowspan"])
        for cell in table["cells"]
    ]
    return cells, table


def test_cells_stand_in_rows_and_columns() -> None:
    cells, table = grid("<table><tr><th>甲<th>乙</tr><tr><td>1<td>2</tr></table>")
    assert cells == [("甲", 0, 0, 1, 1), ("乙", 1, 0, 1, 1), ("1", 0, 1, 1, 1), ("2", 1, 1, 1, 1)]
    assert (table["head_rows"], table["head_cells"]) == (1, 2)


def test_spans_push_their_neighbours_aside() -> None:
    cells, _ = grid("<table><tr><td rowspan=2>甲<td colspan=2>乙</tr><tr><td>1<td>2</tr></table>")
    assert cells == [("甲", 0, 0, 1, 2), ("乙", 1, 0, 2, 1), ("1", 1, 1, 1, 1), ("2", 2, 1, 1, 1)]


def test_a_span_ends_with_the_table_and_before_what_is_taken() -> None:
    cells, _ = grid("<table><tr><td>1<td rowspan=9>2</tr><tr><td colspan=5>3</tr></table>")
    assert cells == [("1", 0, 0, 1, 1), ("2", 1, 0, 1, 2), ("3", 0, 1, 1, 1)]


def test_what_has_no_column_left_joins_the_last() -> None:
    cells, table = grid(f"<table><tr>{''.join(f'<td>{n}' for n in range(MOST_COLUMNS + 2))}</tr></table>")
    assert len(cells) == MOST_COLUMNS == len(table["columns"])  # type: ignore[arg-type]
    assert cells[-1][0] == "23" + "24" + "25"


def test_rows_of_a_table_in_a_cell_are_that_cells() -> None:
    cells, _ = grid("<table><tr><td>外<table><tr><td>内</td></tr></table></td></tr></table>")
    assert len(cells) == 1


@pytest.mark.parametrize(
    ("html", "rows"),
    [
        ("<table><tr><th>1</tr><tr><td>2</tr></table>", 1),
        ("<table><tr><td>1</tr><tr><th>2</tr></table>", 0),
        ("<table><tr><th>1</tr></table>", 0),
        ("<table><tr><th rowspan=2>1<th>2</tr><tr><th>3</tr><tr><td>4<td>5</tr></table>", 2),
        ("<table><tr><th rowspan=2>1<th>2</tr><tr><td>3</tr></table>", 0),
    ],
)
def test_heading_rows_are_whole_and_reach_no_further(html: str, rows: int) -> None:
    assert grid(html)[1]["head_rows"] == rows


def test_a_table_without_cells_is_none() -> None:
    assert lay_out(lxml.html.fragment_fromstring("<table><caption>空</caption></table>"), lambda _: []) is None


def test_a_column_keeps_its_longest_word_whole_where_the_table_fills_the_page() -> None:
    sentence = "Example Institute of Oceanographic Instrumentation"
    heads = [sentence, "Expenditure (million)", "Publications", "International collaborations", "Change (%)"]
    _, table = grid(f"<table><tr>{''.join(f'<th>{head}' for head in heads)}</tr></table>")
    columns = table["columns"]
    assert isinstance(columns, list)
    assert sum(columns) <= ROOM
    for column, head in zip(columns, heads, strict=True):
        assert column >= max(map(len, head.split())) + MARGINS


def test_a_narrow_table_has_the_widths_of_its_words() -> None:
    _, table = grid("<table><tr><td>示例省科学技术情报研究院<td>1</tr></table>")
    assert table["columns"] == [24 + MARGINS, 6 + MARGINS]


def test_an_empty_column_has_the_least_of_widths() -> None:
    _, table = grid("<table><tr><td>甲<td></tr></table>")
    assert table["columns"] == [6 + MARGINS, 6 + MARGINS]


def test_columns_too_many_for_their_words_share_the_page() -> None:
    row = "".join(f"<td>{'x' * 60}" for _ in range(12))
    _, table = grid(f"<table><tr>{row}</tr></table>")
    assert table["columns"] == [LONGEST_WORD + MARGINS] * 12
    assert table["is_crowded"]


def test_chinese_columns_are_no_narrower_than_four_characters_while_there_is_room() -> None:
    row = "<td>内蒙古自治区科学技术厅" + "<td>1,234.56万元人民币" * 3 + "<td>含省属单位" * 3
    columns = grid(f"<table><tr>{row}</tr></table>")[1]["columns"]
    assert isinstance(columns, list)
    assert min(columns) >= 8 + MARGINS
    assert sum(columns) <= ROOM


def test_a_short_row_is_never_cut_by_a_pages_end_and_a_long_one_may_be() -> None:
    cells = grid(f"<table><tr><td>{'短' * 20}<td>{'长' * 500}<td>{'<p>行</p>' * 40}</tr></table>")[1]["cells"]
    assert [cell["is_whole"] for cell in cells] == [True, False, False]  # type: ignore[attr-defined]
