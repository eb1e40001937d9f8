"""A segment's conditions as a form: groups of conditions, read from what was posted and written from what is kept.

Two levels (all or any of the groups, each all or any of its conditions, each of both perhaps not) say everything that
people ask for, need no script, and are read aloud in order.
"""

from collections.abc import Mapping
from typing import Any

from mailer.audience.conditions import Kind, Node

# What a condition's fields are called in the form; which of them a kind has is for `conditions.KINDS` to say.
FIELDS = ("is", "test", "key", "value", "days", "list_id", "state", "newsletter_id", "issues")
MOST_GROUPS = MOST_ROWS = 20

Row = dict[str, str]
Group = dict[str, Any]


def read_groups(posted: Mapping[str, str]) -> tuple[str, list[Group]]:
    """(how the groups are joined, the groups) as they were posted, complete or not."""
    groups: list[Group] = []
    for number in range(MOST_GROUPS):
        if f"g{number}-joint" not in posted:
            break
        rows = []
        for place in range(MOST_ROWS):
            prefix = f"g{number}-c{place}-"
            if f"{prefix}is" not in posted:
                break
            row = {name: posted.get(prefix + name, "").strip() for name in FIELDS}
            if row["is"] not in list(Kind):
                row["is"] = Kind.LIST.value
            rows.append(row | {"not": "y" if f"{prefix}not" in posted else ""})
        groups.append(
            {
                "joint": _joint(posted.get(f"g{number}-joint")),
                "not": "y" if f"g{number}-not" in posted else "",
                "rows": rows,
            }
        )
    return _joint(posted.get("joint")), groups or [new_group()]


def carry_out(groups: list[Group], act: str) -> list[Group]:
    """What a button of the form does to it: ``group``, ``add-<group>``, ``remove-<group>-<row>``."""
    name, *numbers = act.split("-")
    places = [int(number) for number in numbers if number.isascii() and number.isdigit()]
    if name == "group" and len(groups) < MOST_GROUPS:
        return [*groups, new_group()]
    if name == "add" and len(places) == 1 and places[0] < len(groups):
        rows = groups[places[0]]["rows"]
        if len(rows) < MOST_ROWS:
            rows.append(new_row())
    if name == "remove" and len(places) == 2 and places[0] < len(groups):
        group = groups[places[0]]
        group["rows"] = [row for place, row in enumerate(group["rows"]) if place != places[1]]
        return [each for each in groups if each["rows"]] or [new_group()]
    return groups


def new_row() -> Row:
    """The condition that is offered first."""
    return dict.fromkeys(FIELDS, "") | {"is": "list", "not": ""}


def new_group() -> Group:
    return {"joint": "all", "not": "", "rows": [new_row()]}


def as_tree(joint: str, groups: list[Group]) -> Node:
    """The tree these groups stand for, unjudged: `conditions.read_tree` says whether it is one."""
    return {joint: [_maybe_not({group["joint"]: [_leaf(row) for row in group["rows"]]}, group) for group in groups]}


def as_groups(tree: Node) -> tuple[str, list[Group]]:
    """The form of a tree that `as_tree` made."""
    joint = next(iter(tree))
    return joint, [_group(each) for each in tree[joint]]


def _group(node: Node) -> Group:
    inner = node.get("not", node)
    joint = next(iter(inner))
    rows = []
    for each in inner[joint]:
        leaf = each.get("not", each)
        row = dict.fromkeys(FIELDS, "") | {name: str(value) for name, value in leaf.items()}
        rows.append(row | {"not": "y" if "not" in each else ""})
    return {"joint": joint, "not": "y" if "not" in node else "", "rows": rows}


def _leaf(row: Row) -> Node:
    return _maybe_not({name: value for name in FIELDS if (value := row.get(name))}, row)


def _maybe_not(node: Node, said: Mapping[str, Any]) -> Node:
    return {"not": node} if said.get("not") else node


def _joint(value: str | None) -> str:
    return "any" if value == "any" else "all"
