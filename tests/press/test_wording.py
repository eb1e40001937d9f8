import pytest

from mailer.press.wording import clauses, colophon_lines, date_line, issue_line
from tests.press.samples import make_content


@pytest.mark.parametrize(
    ("year", "number", "total", "volume", "chinese", "english"),
    [
        (2025, "7", "131", None, "2025年第7期（总第131期）", "No. 7, 2025 (whole No. 131)"),
        (2025, "7", None, None, "2025年第7期", "No. 7, 2025"),
        (2025, "7", None, "12", "第12卷 2025年第7期", "Vol. 12, No. 7, 2025"),
        (2025, None, None, "12", "2025年第12卷", "Vol. 12, 2025"),
        (None, "7-8", None, "12", "第12卷第7-8期", "Vol. 12, No. 7-8"),
        (None, "7", None, None, "第7期", "No. 7"),
        (None, None, None, "12", "第12卷", "Vol. 12"),
        (2025, None, None, None, "2025年", "Year 2025"),
        (None, None, "131", None, "（总第131期）", "(whole No. 131)"),
        (None, None, None, None, "", ""),
    ],
)
def test_the_issue_line_says_what_is_known(
    year: int | None, number: str | None, total: str | None, volume: str | None, chinese: str, english: str
) -> None:
    content = make_content(year=year, number=number, total_number=total, volume=volume)
    assert issue_line(content) == chinese
    content = make_content(year=year, number=number, total_number=total, volume=volume, language="en")
    assert issue_line(content) == english


def test_the_date_is_written_as_its_language_does() -> None:
    assert date_line(make_content()) == "2025年3月28日"
    assert date_line(make_content(language="en")) == "March 28, 2025"
    assert date_line(make_content(published_on=None)) == ""


def test_the_colophon_says_nothing_twice() -> None:
    content = make_content(colophon="编辑：王小明\n 校对：李小红 \n\n", contact="示例市水源路1号\n校对：李小红")
    assert colophon_lines(content) == [
        "编印单位：示例市水利信息中心",
        "电话：0471-5550100",
        "编辑：王小明",
        "校对：李小红",
        "示例市水源路1号",
    ]


def test_what_the_documents_own_colophon_says_is_not_said_again() -> None:
    own = "Editor: Nora Whitlock | Phone: (000) 555-0341 | Fax: (000) 555-0342"
    content = make_content(publisher="", editor="Nora Whitlock", phone="(000) 555-0341", contact="", colophon=own)
    assert colophon_lines(content) == [own]
    content = make_content(
        publisher="", editor="顏若水", phone="555-0331", contact="", colophon="編輯小組：顏若水、甘棠\n傳真：555-0331"
    )
    assert colophon_lines(content) == ["电话：555-0331", "編輯小組：顏若水、甘棠", "傳真：555-0331"]


def test_a_chinese_title_breaks_at_its_blank_and_an_english_one_anywhere() -> None:
    assert clauses("春灌有序 用水无忧") == ["春灌有序 ", "用水无忧"]
    assert clauses("春灌有序——以河套灌区为例") == ["春灌有序", "——以河套灌区为例"]
    assert clauses("河套灌区：春灌有序") == ["河套灌区：", "春灌有序"]
    assert clauses("每晚8：30开闸") == ["每晚8：30开闸"]
    assert clauses("春灌有序 ——以 河套为例") == ["春灌有序 ", "——以 ", "河套为例"]
    assert clauses("春灌——节水先行——有序") == ["春灌——节水先行——有序"]
    assert clauses("Spring irrigation") == ["Spring irrigation"]
