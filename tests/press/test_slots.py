import pytest

from mailer.press.slots import (
    ADDRESS,
    NAME,
    READER,
    SLOTS,
    UNSUBSCRIBE_URL,
    OwnSlot,
    fill_html,
    fill_text,
    find_foreign_braces,
    find_own_slots,
    own_slot,
    own_values,
    place_editors_slots,
    read_own_slot,
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


FIELDS = ("department", "city_2")


def test_an_own_slot_with_any_fallback_needs_no_escaping_and_is_read_back() -> None:
    from html import escape
    from urllib.parse import quote

    for fallback in ("读者", "a & b", "?>", "", "ÿÿÿ~"):
        token = own_slot("department", fallback)
        assert escape(token) == token == quote(token)
        assert find_own_slots(f"甲{token}乙") == (OwnSlot("department", fallback),)
        assert fill_text(token, {}) == fallback


def test_a_fallback_stands_where_the_reader_has_told_nothing() -> None:
    text = place_editors_slots("{{ name|朋友 }} {{department|某单位}} {{ city_2 }}", FIELDS)
    told = own_values(" 李雷 ", "li@example.org", {"department": " 研究\n室 ", "city_2": 7})
    assert fill_text(text, told) == "李雷 研究 室 7"
    silent = own_values("  ", "li@example.org", {"department": " ", "city_2": None})
    assert fill_text(text, silent) == fill_text(text, {}) == "朋友 某单位 "


def test_what_is_neither_text_nor_number_shows_nothing() -> None:
    text = place_editors_slots("{{ department|某单位 }}", FIELDS)
    for value in (True, ["a"], {"a": 1}, None):
        assert fill_text(text, own_values("", "", {"department": value})) == "某单位"


def test_values_and_fallbacks_are_data_in_html() -> None:
    text = place_editors_slots('{{ department|A & "B" }}', FIELDS)
    assert fill_html(text, {}) == "A &amp; &quot;B&quot;"
    assert fill_html(text, own_values("", "", {"department": "<script>"})) == "&lt;script&gt;"
    # What a reader has told is never looked at for slots again.
    assert fill_text(text, own_values("", "", {"department": slot(READER)}) | {READER: "secret"}) == slot(READER)


@pytest.mark.parametrize(
    "typed",
    [
        "{{ salary }}",
        "{{ salary|某单位 }}",
        "{{ department.__class__ }}",
        "{{ department|{{ name }",
        "{{ department|a|b }}",
        "{{ department|<b> }}",
        "{{ department|" + "长" * 81 + " }}",
        "{{ own-department }}",
        "{{ reader|x }}",
    ],
)
def test_what_is_no_field_of_the_newsletter_stays_as_typed_and_is_found(typed: str) -> None:
    assert place_editors_slots(typed, FIELDS) == typed
    assert find_foreign_braces(typed, FIELDS) == (typed,) or not typed.endswith("}}")


def test_an_attribute_is_no_way_to_the_name_or_the_address() -> None:
    assert place_editors_slots("{{ department }}") == "{{ department }}"
    values = own_values("李雷", "li@example.org", {"name": "x", "address": "x"})
    assert fill_text(place_editors_slots("{{ name|y }} {{ address|y }}", ("address",)), values) == "李雷 li@example.org"


def test_a_forged_slot_breaks_nothing() -> None:
    assert read_own_slot("own-department.A") == OwnSlot("department", "")
    assert read_own_slot(UNSUBSCRIBE_URL) is None
    assert OwnSlot("department", "某单位").written == "{{ department|某单位 }}"
    assert OwnSlot("name", "").written == "{{ name }}"
