import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.press.plaintext import COLUMNS, centre, justify, tidy, width, wrap
from mailer.press.slots import NAME, slot

CHINESE = "各类创新主体积极响应、深度参与“概念验证中心”的建设和运营（试行），为科技成果转化提供了有力支撑。"


def test_a_chinese_character_takes_two_columns() -> None:
    assert width("水利 A1") == 7
    assert width("e\u0301\u200b") == 1


def test_chinese_is_wrapped_at_38_characters() -> None:
    lines = wrap(CHINESE * 5).split("\n")
    assert all(width(line) <= COLUMNS for line in lines)
    assert all(width(line) >= COLUMNS - 6 for line in lines[:-1])
    assert "".join(lines) == CHINESE * 5


@pytest.mark.parametrize("columns", range(12, 40))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(columns: int) -> None:
    for line in wrap(CHINESE * 3, columns=columns).split("\n"):
        assert line[0] not in "，。、）”"
        assert line[-1] not in "（“"


def test_words_and_addresses_are_never_broken() -> None:
    address = "https://example.org/" + "x" * 100
    lines = wrap(f"see {address} for more", columns=20).split("\n")
    assert lines == ["see", address, "for more"]


def test_the_first_line_and_the_others_have_their_margins() -> None:
    assert wrap("one two three", first="- ", rest="  ", columns=9) == "- one two\n  three"


def test_a_slot_takes_the_room_of_a_name_and_is_never_broken() -> None:
    token = slot(NAME)
    assert width(token) == 8
    assert wrap(f"尊敬的{token}：您好", columns=17) == f"尊敬的{token}：\n您好"


def test_mixed_text_keeps_its_blanks() -> None:
    assert wrap("占 GDP 比重 15.5%") == "占 GDP 比重 15.5%"


@given(st.text(max_size=300))
def test_wrapping_loses_no_character(text: str) -> None:
    squeeze = lambda value: "".join(value.split())  # noqa: E731
    assert squeeze(wrap(text)) == squeeze(text)


def test_a_title_is_centred_and_an_imprint_justified() -> None:
    assert centre("刊名", 10) == "   刊名"
    line = justify("示例中心", "2025年3月28日", 40)
    assert width(line) == 40
    assert line.startswith("示例中心 ")
    assert line.endswith(" 2025年3月28日")


def test_a_leader_leads_to_the_page() -> None:
    line = justify("★ 春灌用水调度", "12", 40, leader=".")
    assert width(line) == 40
    assert line.startswith("★ 春灌用水调度 ...")
    assert line.endswith("... 12")
    assert justify("★ 春灌用水调度", "", 40, leader=".") == "★ 春灌用水调度"


def test_a_long_left_side_is_wrapped_before_the_right_one() -> None:
    lines = justify("长" * 30, "9", 40, leader=".").split("\n")
    assert len(lines) == 2
    assert all(width(line) <= 40 for line in lines)
    assert lines[1].endswith(" 9")


def test_tidying_leaves_single_empty_lines_and_one_end() -> None:
    assert tidy("\n\na  \n\n\n\nb\n\n") == "a\n\nb\n"
