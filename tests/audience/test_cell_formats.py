"""What a cell shows, by its format. The examples were read off Excel's own documentation of number formats."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.cell_formats import LONGEST, show


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (7.0, "General", "7"),
        (13800138000.0, "General", "13800138000"),
        (8613800138000, "General", "8613800138000"),
        (1.38e10, "0.00E+00", "13800000000"),
        (0.1 + 0.2, "General", "0.3"),
        (2.5, "@", "2.5"),
        (7, "00000", "00007"),
        (1234567, "00000", "1234567"),
        (0, "00000", "00000"),
        (28001, "000-0000", "002-8001"),
        (1012345678, "000-0000", "101234-5678"),
        (5551234, "[<=9999999]###-####;(###) ###-####", "555-1234"),
        (2065551234, "[<=9999999]###-####;\\(###\\) ###-####", "(206) 555-1234"),
        (42, '"No. "000', "No. 042"),
        (42, "000号", "042号"),
        (0.125, "0.0%", "12.5%"),
        (0.125, "0%", "13%"),
        (1, "0.00%", "100.00%"),
        (3.5, "0.00", "3.50"),
        (3.5, "0.##", "3.5"),
        (3, "0.##", "3"),
        (2.345, "0.00", "2.35"),
        (1234567, "#,##0", "1234567"),
        (1234.5, "#,##0.00_);[Red](#,##0.00)", "1234.50"),
        (-1234.5, "#,##0.00_);[Red](#,##0.00)", "(1234.50)"),
        (-7, "00000", "-00007"),
        (0, '0;-0;"none"', "0"),
        (5, "0;;;", "5"),
        (5, ";;;", "5"),
        (12500, "0.0,", "12500"),
        (0.5, "# ?/?", "0.5"),
        (110, "[DBNum1][$-804]General", "110"),
        (99.5, "[$¥-804]0.00", "99.50"),
        (7, "0" * (LONGEST + 1), "7"),
        (float("inf"), "000", "inf"),
        (9007199254740993, "0", "9007199254740993"),
    ],
)
def test_a_number_is_read_as_its_cell_shows_it(value: float, number_format: str, shown: str) -> None:
    assert show(value, number_format) == shown


@given(
    st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**20), 10**20),
    st.text('0#?.,%;-_*\\"[]<>=E@a年 ', max_size=20),
)
def test_no_format_breaks_a_reading(value: float, number_format: str) -> None:
    assert isinstance(show(value, number_format), str)


@given(st.integers(0, 10**15))
def test_no_digit_is_lost_to_zeros_before_it(value: int) -> None:
    assert Decimal(show(value, "00000")) == value
    assert len(show(value, "00000")) == max(5, len(str(value)))
