import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.headings import Source, Standing, Target
from mailer.audience.layouts import Layout, Row, propose, tidy
from mailer.errors import RuleError


@pytest.mark.parametrize(
    "heading", ["Email,Name", "E-mail,full_name", "电子邮件,姓名", "EMAIL ADDRESS,NAME", "邮箱地址,称呼", "地址,名字"]
)
def test_headings_are_recognised_in_chinese_and_english(heading: str) -> None:
    layout = propose(heading.split(","))
    assert layout.has_header
    assert layout.read(2, ["ann@example.org", "Ann"]) == Row(2, "ann@example.org", "Ann")


def test_columns_may_stand_in_any_order_among_others_and_rows_may_be_short() -> None:
    layout = propose(["编号", "姓名", "单位", "邮箱"])
    assert layout.read(2, ["1", "安娜", "科技局", "ann@example.org"]) == Row(2, "ann@example.org", "安娜")
    assert layout.read(3, ["2", "鲍勃"]) == Row(3, "", "鲍勃")


def test_without_a_heading_the_column_with_an_at_sign_is_the_address() -> None:
    two = propose(["安娜", "ann＠example.org"])
    assert not two.has_header
    assert two.read(1, ["安娜", "ann＠example.org"]) == Row(1, "ann＠example.org", "安娜")
    three = propose(["1", "ann@example.org", "x"])
    assert three.targets == (Target.IGNORE, Target.EMAIL, Target.IGNORE)


def test_a_name_may_stand_before_the_address_as_mail_programs_write_it() -> None:
    layout = propose(["Li Wei <li@example.org>"])
    assert layout.read(1, ['"Li Wei" <li@example.org>']).name == "Li Wei"


def test_without_an_address_there_is_no_proposal() -> None:
    with pytest.raises(RuleError):
        propose(["name", "phone"])


def test_exactly_one_column_is_the_address() -> None:
    for targets in ([Target.NAME], [Target.EMAIL, Target.EMAIL]):
        with pytest.raises(RuleError):
            Layout(targets, ["a", "b"], has_header=True)


LISTMONK = ["uuid", "email", "name", "attributes", "status", "created_at", "updated_at"]
MAILCHIMP = ["Email Address", "First Name", "Last Name", "MEMBER_RATING", "OPTIN_TIME", "LEID", "EUID", "NOTES"]
MAILMAN = ["address", "delivery_mode", "display_name", "role"]
PHPLIST = ["Email", "Is this user confirmed (1/0)", "Is this user blacklisted (1/0)", "Entered", "Unique ID for User"]


@pytest.mark.parametrize(
    ("headings", "source"),
    [
        (LISTMONK, Source.LISTMONK),
        (MAILCHIMP, Source.MAILCHIMP),
        ([*MAILCHIMP, "UNSUB_TIME"], Source.MAILCHIMP),
        (MAILMAN, Source.MAILMAN),
        (PHPLIST, Source.PHPLIST),
        (["email", "name", "newsletter", "list", "state", "source"], Source.MAILER),
        (["email", "name"], Source.TABLE),
    ],
)
def test_systems_are_told_apart_by_their_headings(headings: list[str], source: Source) -> None:
    assert propose(headings).source is source
    assert propose([heading.upper() for heading in headings]).source is source


@pytest.mark.parametrize(
    ("headings", "cells", "standing"),
    [
        (LISTMONK, ["u", "a@example.org", "A", "{}", "enabled", "", ""], Standing.SUBSCRIBED),
        (LISTMONK, ["u", "a@example.org", "A", "{}", "disabled", "", ""], Standing.LEFT),
        (LISTMONK, ["u", "a@example.org", "A", "{}", "blocklisted", "", ""], Standing.BLOCKED),
        (LISTMONK, ["u", "a@example.org", "A", "{}", "something new", "", ""], Standing.UNCONFIRMED),
        ([*MAILCHIMP, "UNSUB_TIME"], ["a@example.org", *[""] * 7, "2025-01-01"], Standing.LEFT),
        ([*MAILCHIMP, "CLEAN_TIME"], ["a@example.org", *[""] * 7, "2025-01-01"], Standing.BLOCKED),
        (MAILCHIMP, ["a@example.org", *[""] * 7], Standing.SUBSCRIBED),
        (MAILMAN, ["a@example.org", "regular", "A", "member"], Standing.SUBSCRIBED),
        (MAILMAN, ["a@example.org", "regular", "A", "nonmember"], Standing.UNCONFIRMED),
        (PHPLIST, ["a@example.org", "1", "0", "", ""], Standing.SUBSCRIBED),
        (PHPLIST, ["a@example.org", "0", "0", "", ""], Standing.UNCONFIRMED),
        (PHPLIST, ["a@example.org", "1", "1", "", ""], Standing.LEFT),
    ],
)
def test_who_has_left_elsewhere_is_read_as_such(headings: list[str], cells: list[str], standing: Standing) -> None:
    assert propose(headings).read(2, cells).standing is standing


PHPLIST_3 = ["Email", "Is this subscriber confirmed", "Is this subscriber blacklisted", "Is this account disabled?"]


@pytest.mark.parametrize(
    ("cells", "standing"),
    [
        (["a@example.org", "1", "0", "0"], Standing.SUBSCRIBED),
        (["a@example.org", "1", "0", "1"], Standing.LEFT),
        (["a@example.org", "1", "1", "0"], Standing.LEFT),
        (["a@example.org", "0", "0", "1"], Standing.LEFT),
    ],
)
def test_who_was_disabled_in_phplist_is_sent_nothing_there_nor_here(cells: list[str], standing: Standing) -> None:
    layout = propose(PHPLIST_3)
    assert layout.source is Source.PHPLIST
    assert layout.read(2, cells).standing is standing


def test_names_of_two_parts_are_put_together_as_their_language_does() -> None:
    layout = propose(MAILCHIMP)
    assert layout.read(2, ["a@example.org", "Ann", "Lee"]).name == "Ann Lee"
    assert layout.read(2, ["a@example.org", "伟", "李"]).name == "李伟"


def test_attributes_come_from_json_and_from_columns() -> None:
    packed = propose(LISTMONK).read(
        2, ["u", "a@example.org", "", '{"city": "北京", "age": 7, "tags": ["a"], "x": null}']
    )
    assert packed.attributes == {"city": "北京", "age": 7, "tags": '["a"]'}
    layout = Layout([Target.EMAIL, Target.ATTRIBUTE, Target.ATTRIBUTE], ["email", "单位", ""], has_header=True)
    assert layout.read(2, ["a@example.org", " 科技局\x07 ", "x"]).attributes == {"单位": "科技局", "column 3": "x"}
    assert layout.read(2, ["a@example.org", "  "]).attributes == {}
    for bad in ("[]", "{", '"x"', "[" * 100_000):
        with pytest.raises(RuleError):
            propose(LISTMONK).read(2, ["u", "a@example.org", "", bad])


def test_languages_are_read_in_many_spellings() -> None:
    layout = propose(["email", "language"])
    said = ["zh", "zh-CN", "中文", "English", "en_US", "fr", ""]
    assert [layout.read(2, ["a@example.org", each]).locale for each in said] == [
        "zh_CN", "zh_CN", "zh_CN", "en", "en", "", "",
    ]  # fmt: skip


def test_a_layout_survives_the_table_it_is_kept_in() -> None:
    layout = propose(LISTMONK)
    again = Layout.from_json(layout.as_json())
    assert again.as_json() == layout.as_json()


@given(st.text(max_size=50), st.integers(1, 30))
def test_tidied_text_can_be_stored_and_tidying_it_again_changes_nothing(text: str, length: int) -> None:
    tidied = tidy(text, length)
    assert len(tidied) <= length
    tidied.encode()
    assert "\0" not in tidied
    assert tidy(tidied, length) == tidied.strip()


@given(st.lists(st.text(max_size=20), min_size=1, max_size=12), st.lists(st.text(max_size=20), max_size=14))
def test_any_row_is_read_or_refused(heading: list[str], cells: list[str]) -> None:
    try:
        row = propose(heading).read(2, cells)
    except RuleError:
        return
    assert row.line == 2
