"""A segment's conditions as a tree of plain values: what may stand in it, and nothing else. Pure.

::

    {"all": [node, …]} · {"any": [node, …]} · {"not": node} · {"is": <kind>, …}

What each kind asks for stands in `KINDS`. People fill in a form, never SQL; what is kept is this tree.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailer.audience.rules import SubscriptionState
from mailer.errors import RuleError
from mailer.i18n import LOCALES, N_

Node = dict[str, Any]
MOST_CONDITIONS = 40
MOST_DEPTH = 6


class Kind(StrEnum):
    """What a condition is about."""

    ATTRIBUTE = "attribute"
    LIST = "list"
    LOCALE = "locale"
    DOMAIN = "domain"
    SIGNED_UP = "signed_up"
    OPENED = "opened"
    CLICKED = "clicked"
    SILENT = "silent"


class Test(StrEnum):
    """How a value is compared. Which kinds know which: `KINDS`."""

    EQUALS = "equals"
    CONTAINS = "contains"
    IS_SET = "is_set"
    BEFORE = "before"
    SINCE = "since"
    # Within the last so many days.
    WITHIN = "within"
    # Not within the last so many days, or never.
    NOT_WITHIN = "not_within"


def _text(length: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = " ".join(str(value or "").split())
        if not text or len(text) > length or not text.isprintable():
            raise ValueError
        return text

    return read


def _number(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = int(value)
        if not least <= number <= most:
            raise ValueError
        return number

    return read


def _day(value: Any) -> str:
    return dt.date.fromisoformat(str(value)).isoformat()


def _domain(value: Any) -> str:
    text = _text(255)(value).casefold().lstrip("@")
    return text.encode("idna").decode() if not text.isascii() else text


def _locale(value: Any) -> str:
    if value not in LOCALES:
        raise ValueError
    return str(value)


def _state(value: Any) -> str:
    return SubscriptionState(value).value


_DAYS = _number(1, 3650)
_ID = _number(1, 2**53)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields a condition of a kind has, by test (`None` where it has none), each with what reads it."""

    fields: Mapping[Test | None, Mapping[str, Callable[[Any], Any]]]


KINDS: dict[Kind, Form] = {
    Kind.ATTRIBUTE: Form({
        Test.EQUALS: {"key": _text(64), "value": _text(500)},
        Test.CONTAINS: {"key": _text(64), "value": _text(500)},
        Test.IS_SET: {"key": _text(64)},
    }),
    Kind.LIST: Form({None: {"list_id": _ID, "state": _state}}),
    Kind.LOCALE: Form({None: {"value": _locale}}),
    Kind.DOMAIN: Form({Test.EQUALS: {"value": _domain}, Test.CONTAINS: {"value": _domain}}),
    Kind.SIGNED_UP: Form({Test.BEFORE: {"value": _day}, Test.SINCE: {"value": _day}, Test.WITHIN: {"days": _DAYS}}),
    Kind.OPENED: Form({test: {"newsletter_id": _ID, "days": _DAYS} for test in (Test.WITHIN, Test.NOT_WITHIN)}),
    Kind.CLICKED: Form({test: {"newsletter_id": _ID, "days": _DAYS} for test in (Test.WITHIN, Test.NOT_WITHIN)}),
    Kind.SILENT: Form({None: {"newsletter_id": _ID, "issues": _number(1, 100)}}),
}  # fmt: skip


def read_tree(value: Any) -> Node:
    """`value` as a tree of exactly what may stand there. Raises `RuleError` with what is missing or wrong."""
    tree = _read(value, 0)
    count = sum(1 for _ in leaves(tree))
    if count > MOST_CONDITIONS:
        raise RuleError(N_("At most %(count)s conditions, please."), count=MOST_CONDITIONS)
    return tree


def _read(value: Any, depth: int) -> Node:
    if not isinstance(value, dict) or depth > MOST_DEPTH:
        raise RuleError(N_("These conditions cannot be read."))
    for joint in ("all", "any"):
        if set(value) == {joint} and isinstance(value[joint], list):
            if not value[joint]:
                raise RuleError(N_("Add at least one condition."))
            return {joint: [_read(each, depth + 1) for each in value[joint]]}
    if set(value) == {"not"}:
        return {"not": _read(value["not"], depth + 1)}
    return _read_leaf(value)


def _read_leaf(value: dict[str, Any]) -> Node:
    try:
        kind = Kind(value.get("is", ""))
    except ValueError:
        raise RuleError(N_("These conditions cannot be read.")) from None
    fields = KINDS[kind].fields
    said = value.get("test")
    test = Test(said) if said in list(Test) else None
    if test not in fields:
        raise RuleError(N_("A condition is not complete: choose how to compare."))
    leaf: Node = {"is": kind.value} | ({"test": test.value} if test else {})
    for name, read in fields[test].items():
        try:
            leaf[name] = read(value.get(name))
        except (ValueError, TypeError, UnicodeError, OverflowError):
            raise RuleError(
                N_("A condition is not complete, or holds what cannot be: please look at it again.")
            ) from None
    return leaf


def leaves(tree: Node) -> Iterator[Node]:
    """Every single condition."""
    if "is" in tree:
        yield tree
    elif "not" in tree:
        yield from leaves(tree["not"])
    else:
        for each in tree.get("all") or tree.get("any") or ():
            yield from leaves(each)
