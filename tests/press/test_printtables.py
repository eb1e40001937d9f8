import lxml.html
import pytest

from mailer.press.printtables import MOST_COLUMNS, lay_out


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
