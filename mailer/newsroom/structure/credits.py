"""Who publishes, who edits, whom to call: chosen from the labelled values of masthead and colophon."""

import re
from collections.abc import Sequence

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.imprint import (
    EDITORS,
    PUBLISHERS,
    Imprint,
    ImprintRole,
    person_name,
    phone_number,
    read_labels,
    read_makers,
)
from mailer.newsroom.structure.masthead import Masthead, take_issue

# Where an editor lives: "Jane Hughes, 3 Quay Road, Leath".
_ADDRESS = re.compile(r"(?<=[A-Za-z.]), *\d{1,5} +[A-Z].*$")
# "Editor: Jane Hughes." ends a sentence; "John Smith Jr." and "Ann B." do not.
_SENTENCE_END = re.compile(r"(?<=[a-z]{3})\.$")


def read_colophon(blocks: Sequence[Block]) -> Masthead:
    """Labelled values, and number and date where the head has none, from the colophon's lines."""
    colophon = Masthead()
    for at, block in enumerate(blocks):
        _, labelled = read_labels(block.text)
        if labelled and not labelled[-1].value and at + 1 < len(blocks) and not read_labels(blocks[at + 1].text)[1]:
            labelled[-1] = Imprint(labelled[-1].role, labelled[-1].label, blocks[at + 1].text)
        colophon.imprints += labelled or read_makers(block.text)
        is_dated = not labelled or labelled[0].role is ImprintRole.DATE
        if is_dated and block.is_short:
            take_issue(block, colophon)
    return colophon


def _first(imprints: Sequence[Imprint], roles: Sequence[ImprintRole]) -> Imprint | None:
    ranked = [imprint for role in roles for imprint in imprints if imprint.role is role and imprint.value]
    return ranked[0] if ranked else None


def publisher_of(imprints: Sequence[Imprint]) -> str | None:
    """The body that publishes: the one who hosts before the one who compiles, prints, organises."""
    found = _first(imprints, PUBLISHERS)
    return found.value if found else None


def publisher_named(masthead: Sequence[Imprint], colophon: Sequence[Imprint]) -> str | None:
    """The same for a bulletin: a name that only stands at its head gives way to one that its foot says publishes."""
    said = [imprint for imprint in masthead if imprint.label]
    return publisher_of(said) or publisher_of(colophon) or publisher_of(masthead)


def co_publishers_of(imprints: Sequence[Imprint]) -> tuple[str, ...]:
    """Every other body named beside the publisher."""
    first = _first(imprints, PUBLISHERS)
    others = [imprint.value for imprint in imprints if imprint.role in PUBLISHERS and imprint is not first]
    return tuple(dict.fromkeys(value for value in others if first and value and value != first.value))


def editor_of(imprints: Sequence[Imprint]) -> str | None:
    """The editor, as one writes the name: the responsible one before others."""
    found = _first(imprints, EDITORS)
    return _SENTENCE_END.sub("", person_name(_ADDRESS.sub("", found.value))) or None if found else None


def phone_of(imprints: Sequence[Imprint]) -> str | None:
    """The editor's phone: the first after an editor's name, else the first at all."""
    editors = [at for at, imprint in enumerate(imprints) if imprint.role in EDITORS]
    numbers = [(at, phone_number(i.value)) for at, i in enumerate(imprints) if i.role is ImprintRole.PHONE]
    known = [(at, number) for at, number in numbers if number]
    after = [number for at, number in known if editors and at > editors[0]]
    return next(iter(after), None) or next((number for _, number in known), None)
