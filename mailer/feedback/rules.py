"""Whether a person or a machine opened a mail or followed a link."""

from enum import StrEnum


class Verdict(StrEnum):
    """The raw event is always kept; the verdict can be scored again."""

    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"
