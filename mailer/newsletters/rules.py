"""Choices a newsletter and its lists can make."""

from enum import StrEnum


class OptIn(StrEnum):
    """Whether a new reader of a list must confirm by letter."""

    DOUBLE = "double"
    SINGLE = "single"


class Visibility(StrEnum):
    """Who can find a list on the portal."""

    PUBLIC = "public"
    PRIVATE = "private"


class Tracking(StrEnum):
    """What is recorded of reading: who read what, only how many, or nothing."""

    FULL = "full"
    COUNTS = "counts"
    OFF = "off"
