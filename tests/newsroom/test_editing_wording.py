from dataclasses import dataclass

import pytest

from mailer.newsroom.wording import PREHEADER_WIDTH, SUBJECT_WIDTH, issue_name, propose_preheader, propose_subject
from mailer.press.plaintext import width


@dataclass
class Named:
    title: str = "科技情报参考"
    year: int | None = 2024
    number: str | None = "9"
    total_number: str | None = None
    volume: str | None = None


def test_an_issue_is_called_by_title_and_number() -> None:
    assert issue_name(Named(), "zh_CN") == "科技情报参考 2024年第9期"
    assert issue_name(Named(year=None, number=None), "zh_CN") == "科技情报参考"


def test_every_issue_gets_a_subject_of_its_own() -> None:
    subjects = {propose_subject(Named(number=str(number)), [], "zh_CN") for number in range(1, 13)}
    assert len(subjects) == 12


def test_the_first_article_joins_the_subject_where_there_is_room() -> None:
    assert (
        propose_subject(Named(), ["宁波创建概念验证中心"], "zh_CN") == "科技情报参考 2024年第9期：宁波创建概念验证中心"
    )
    assert propose_subject(Named(), ["很长" * 40], "zh_CN") == "科技情报参考 2024年第9期"
    assert propose_subject(Named(title="Tech News"), ["A new centre"], "en").endswith(": A new centre")


@pytest.mark.parametrize("titles", [["甲"], ["甲" * 30] * 9, ["甲" * 300]])
def test_proposals_stay_within_what_an_inbox_shows(titles: list[str]) -> None:
    assert width(propose_subject(Named(), titles, "zh_CN")) <= SUBJECT_WIDTH
    assert width(propose_preheader(titles, "科技情报参考")) <= PREHEADER_WIDTH


def test_no_title_however_long_overflows_the_column() -> None:
    assert len(propose_subject(Named(title="题" * 250), [], "zh_CN")) <= 255


def test_the_preheader_names_what_the_subject_does_not() -> None:
    assert propose_preheader(["甲", "乙", "丙"], "参考：甲") == "乙 · 丙"
    assert propose_preheader(["甲"], "参考：甲") == "甲"
    assert propose_preheader([], "参考") == ""


def test_the_preheader_leads_with_the_first_article_where_the_subject_has_no_room_for_it() -> None:
    assert propose_preheader(["甲", "乙"], "参考 2024年第9期") == "甲 · 乙"
