"""Columns on their way to PostgreSQL: a list as the text of an array (PostgreSQL documentation, section 8.15.6).

The driver looks at each element of a list to find out how to write it, which for a set of outcomes takes as long as
sending them. Here the column says what it is, once.
"""

from collections.abc import Sequence

# As SQL casts them: ``CAST(:ids AS bigint[])``.
Array = str


def of_numbers(values: Sequence[float | None]) -> Array:
    """Integers or floats; `None` is NULL."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def of_flags(values: Sequence[bool]) -> Array:
    """Booleans."""
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def of_texts(values: Sequence[str | None]) -> Array:
    """Text without NUL characters, which PostgreSQL cannot hold; `None` is NULL."""
    words = [value for value in values if value is not None]
    whole = "".join(words)
    if words and len(words) == len(values) and "\\" not in whole and '"' not in whole:
        return '{"' + '","'.join(words) + '"}'
    return "{" + ",".join(["NULL" if value is None else _quote(value) for value in values]) + "}"


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
