"""Which column of a table means what: proposed by its headings, decided by a person. Pure.

Exports of other newsletter systems are told apart by their headings (`headings`); whoever has left there, or
may not be written to, is read as such.
"""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mailer.audience.headings import NO, Source, Standing, Target, find_source, find_target, fold, language, standing_of
from mailer.errors import RuleError
from mailer.i18n import N_

COLUMNS_READ = 100
KEY_LENGTH = 64
VALUE_LENGTH = 500
# Control characters, and halves of surrogate pairs, which no UTF-8 has.
_UNPRINTABLE = ("Cc", "Cs")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file, unjudged: the cells as they stand there. `line` counts from 1."""

    line: int
    email: str
    name: str = ""
    locale: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    standing: Standing = Standing.SUBSCRIBED


class Layout:
    """`targets` says what each column means, `headings` what it is called; the first row is one when `has_header`."""

    def __init__(
        self, targets: Sequence[Target], headings: Sequence[str], *, has_header: bool, source: Source = Source.TABLE
    ) -> None:
        """Raises `RuleError` unless exactly one column is the address."""
        if list(targets).count(Target.EMAIL) != 1:
            raise RuleError(N_("Say which column holds the addresses: exactly one does."))
        self.targets = tuple(targets)
        self.headings = tuple(headings)
        self.has_header = has_header
        self.source = source
        self._columns = {place: target for place, target in enumerate(self.targets) if target is not Target.IGNORE}
        self.email_column = self.targets.index(Target.EMAIL)
        self._name = self.targets.index(Target.NAME) if Target.NAME in self.targets else None
        # Most files are addresses and names: a million of them need not be asked for more.
        self._is_plain = set(self._columns.values()) <= {Target.EMAIL, Target.NAME}

    def read(self, line: int, cells: Sequence[str]) -> Row:
        """What the cells say. Raises `RuleError` for attributes that are none."""
        width = len(cells)
        email = cells[self.email_column] if self.email_column < width else ""
        name = cells[self._name] if self._name is not None and self._name < width else ""
        if not name and email.endswith(">"):
            # As mail programs and Mailman write an address: Li Wei <li@example.org>
            name = email.partition("<")[0].strip().strip('"')
        if self._is_plain:
            return Row(line, email, name)
        said: dict[Target, str] = {
            target: cells[place].strip() for place, target in self._columns.items() if place < width
        }
        return Row(
            line,
            email,
            name or _full_name(said.get(Target.FIRST_NAME, ""), said.get(Target.LAST_NAME, "")),
            language(said.get(Target.LOCALE, "")),
            _opened(said.get(Target.ATTRIBUTES, "")) | self._attributes(cells),
            self._standing(said, is_blacklisted=self._is_blacklisted(cells)),
        )

    def _is_blacklisted(self, cells: Sequence[str]) -> bool:
        return any(
            place < len(cells) and cells[place].strip().casefold() not in NO
            for place, target in self._columns.items()
            if target is Target.BLACKLISTED
        )

    def _attributes(self, cells: Sequence[str]) -> dict[str, Any]:
        return {
            self.key_of(place): value
            for place, target in self._columns.items()
            if target is Target.ATTRIBUTE and place < len(cells) and (value := tidy(cells[place], VALUE_LENGTH))
        }

    def key_of(self, place: int) -> str:
        """The attribute a column is kept under."""
        heading = self.headings[place] if place < len(self.headings) else ""
        return tidy(heading, KEY_LENGTH) or f"column {place + 1}"

    def _standing(self, said: dict[Target, str], *, is_blacklisted: bool) -> Standing:
        """The worst of what the file says."""
        if said.get(Target.BLOCKED_AT):
            return Standing.BLOCKED
        if said.get(Target.LEFT_AT) or is_blacklisted:
            return Standing.LEFT
        if Target.CONFIRMED in said and said[Target.CONFIRMED].casefold() in NO:
            return Standing.UNCONFIRMED
        return standing_of(said.get(Target.STATE, ""))

    def as_json(self) -> dict[str, Any]:
        return {
            "targets": list(self.targets),
            "headings": list(self.headings),
            "has_header": self.has_header,
            "source": self.source,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Layout":
        targets = [Target(target) for target in value["targets"]]
        return cls(targets, value["headings"], has_header=value["has_header"], source=Source(value["source"]))


def propose(first: Sequence[str]) -> Layout:
    """What the columns seem to mean, by the headings in Chinese or English, or by an ``@`` where there are none.

    `first` is the first row that is not blank. Raises `RuleError` when no column looks like addresses.
    """
    first = list(first[:COLUMNS_READ])
    folded = [fold(cell) for cell in first]
    source = find_source(folded)
    targets: list[Target] = []
    for heading in folded:
        target = find_target(heading, source)
        # The first of two alike counts; of several that may forbid to write, each does.
        is_second = target in targets and target is not Target.BLACKLISTED
        targets.append(Target.IGNORE if is_second else target)
    if Target.EMAIL in targets:
        return Layout(targets, [tidy(cell, KEY_LENGTH) for cell in first], has_header=True, source=source)
    place = next((place for place, cell in enumerate(first) if "@" in cell or "＠" in cell), None)
    if place is None:
        raise RuleError(
            N_("No column with addresses was found. Please head it “email” or “邮箱”, and the names “name” or “姓名”.")
        )
    targets = [Target.IGNORE] * len(first)
    targets[place] = Target.EMAIL
    # Without headings only two columns leave no doubt which is the name.
    if len(first) == 2:
        targets[1 - place] = Target.NAME
    return Layout(targets, [""] * len(first), has_header=False)


def tidy(value: str, length: int) -> str:
    """One line, without control characters (PostgreSQL takes no NUL), cut where it may not go on."""
    if not value.isprintable():
        value = "".join(" " if unicodedata.category(sign) in _UNPRINTABLE else sign for sign in value)
    return " ".join(value.split())[:length]


def _opened(packed: str) -> dict[str, Any]:
    """A JSON object of attributes; what is not a number or a truth value is kept as text."""
    if not packed:
        return {}
    try:
        opened = json.loads(packed)
    except (ValueError, RecursionError):
        opened = None
    if not isinstance(opened, dict):
        raise RuleError(N_("The attributes are not a JSON object."))
    return {
        tidy(str(key), KEY_LENGTH): value if isinstance(value, bool | int) else tidy(_as_text(value), VALUE_LENGTH)
        for key, value in opened.items()
        if value is not None
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _full_name(first: str, last: str) -> str:
    """Chinese names begin with the family's and have no blank."""
    is_chinese = any("\u4e00" <= sign <= "\u9fff" for sign in first + last)
    return last + first if is_chinese else f"{first} {last}".strip()
