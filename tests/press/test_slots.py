import pytest

from mailer.press.slots import (
    ADDRESS,
    NAME,
    READER,
    SLOTS,
    UNSUBSCRIBE_URL,
    fill_html,
    fill_text,
    find_foreign_braces,
    place_editors_slots,
    slot,
    split,
)


@pytest.mark.parametrize("name", SLOTS)
def test_a_token_needs_no_escaping_anywhere(name: str) -> None:
    from html import escape
    from urllib.parse import quote

    assert escape(slot(name)) == slot(name) == quote(slot(name))


def test_an_unknown_slot_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such slot"):
        slot("password")


def test_values_are_escaped_in_html_and_not_in_text() -> None:
    values = {NAME: "<b>Li & Co</b>"}
    assert fill_html(slot(NAME), values) == "&lt;b&gt;Li &amp; Co&lt;/b&gt;"
    assert fill_text(slot(NAME), values) == "<b>Li & Co</b>"


def test_a_value_that_looks_like_a_slot_is_not_filled_again() -> None:
    values = {NAME: slot(READER), READER: "secret"}
    assert fill_text(slot(NAME), values) == slot(READER)


def test_a_slot_without_a_value_is_empty_on_a_page() -> None:
    assert fill_html(f"[{slot(NAME)}]", {}) == "[]"


def test_splitting_gives_literals_and_names_in_turn() -> None:
    assert split(f"a{slot(NAME)}b{slot(READER)}") == ["a", NAME, "b", READER, ""]
    assert split("~mailer.slot.password~") == ["~mailer.slot.password~"]


def test_an_editor_may_place_name_and_address_only() -> None:
    assert place_editors_slots("{{ name }} {{address}}") == f"{slot(NAME)} {slot(ADDRESS)}"
    typed = "{{ unsubscribe_url }} {{ 7*7 }} {% if x %} {{ name.__class__ }}"
    assert place_editors_slots(typed) == typed
    assert UNSUBSCRIBE_URL in SLOTS


def test_braces_that_will_not_be_filled_are_found() -> None:
    assert find_foreign_braces("{{ name }} {{ nmae }} {{ 7*7 }}") == ("{{ nmae }}", "{{ 7*7 }}")
