import pytest

from mailer.errors import RuleError
from mailer.newsroom.fields import BODY_LIMIT, clean_article, clean_issue, clean_line, clean_text


def test_a_line_break_in_a_subject_never_reaches_a_header() -> None:
    assert clean_issue({"subject": "第9期\r\nBcc: everybody@example.org"}) == {
        "subject": "第9期 Bcc: everybody@example.org"
    }


def test_blanks_of_every_kind_become_one_and_control_characters_go() -> None:
    assert clean_line("　李\u00a0\u00a0涛\t\x00\x1b ", 20) == "李 涛"


@pytest.mark.parametrize("name", ["title", "subject", "preheader", "publisher", "editor", "phone", "number"])
def test_what_the_table_cannot_take_is_refused_by_name_of_its_beginning(name: str) -> None:
    with pytest.raises(RuleError, match="字字字"):
        clean_issue({name: "字" * 256})


def test_unknown_numbers_are_null_and_other_empty_lines_are_empty() -> None:
    assert clean_issue({"number": " ", "volume": None, "editor": None, "year": None}) == {
        "number": None,
        "volume": None,
        "editor": "",
        "year": None,
    }


def test_titles_are_needed() -> None:
    with pytest.raises(RuleError, match="An issue needs a title"):
        clean_issue({"title": " "})
    with pytest.raises(RuleError, match="An article needs a title"):
        clean_article({"title": "\n"})


@pytest.mark.parametrize("year", [1899, 2201, -1])
def test_years_far_off_are_slips_of_the_finger(year: int) -> None:
    with pytest.raises(RuleError, match="1900"):
        clean_issue({"year": year})


def test_pages_count_from_one() -> None:
    assert clean_article({"page": 1}) == {"page": 1}
    with pytest.raises(RuleError, match="page number"):
        clean_article({"page": 0})


def test_the_colophon_keeps_its_lines() -> None:
    assert clean_issue({"colophon": "编辑：李涛  \r\n电话：4366683\r\n\r\n"}) == {
        "colophon": "编辑：李涛\n电话：4366683"
    }
    with pytest.raises(RuleError, match="longer than 10"):
        clean_text("x" * 11, 10)


def test_a_body_beyond_all_measure_is_refused() -> None:
    with pytest.raises(RuleError, match="split it in two"):
        clean_article({"body": "x" * (BODY_LIMIT + 1)})


def test_an_unknown_field_is_a_programmers_error() -> None:
    with pytest.raises(TypeError, match="no field state"):
        clean_issue({"state": "approved"})
    with pytest.raises(TypeError, match="no field position"):
        clean_article({"position": 1})
