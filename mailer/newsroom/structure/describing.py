"""How a parsed bulletin is told in an issue's fields."""

import re
from collections.abc import Sequence

from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.imprint import read_labels, read_makers
from mailer.newsroom.structure.typography import squeeze

_WIDE = re.compile(r"(\s{2,}|\t|\u3000)")


def publishers_of(bulletin: ParsedBulletin) -> str:
    """Publisher and co-publishers in one line."""
    comma = "、" if bulletin.language.startswith("zh") else ", "
    return comma.join(part for part in (bulletin.publisher, *bulletin.co_publishers) if part)


def colophon_of(bulletin: ParsedBulletin) -> str:
    """What the colophon's lines say beyond the fields: publisher, editor and phone have places of their own.

    What cannot be parted from them in a line stays with them: better said twice than lost.
    """
    known = [bulletin.publisher, *bulletin.co_publishers, bulletin.editor, bulletin.phone]
    values = sorted((squeeze(value) for value in known if value), key=len, reverse=True)
    return "\n".join(_rest(line, values) for line in bulletin.colophon if _says_more(line, values))


def _rest(line: str, values: Sequence[str]) -> str:
    """The line without those of its widely set parts that say no more than `values`."""
    parts = _WIDE.split(line)
    # Every other part is the space before the next.
    kept = [
        parts[max(at - 1, 0)] * (at > 0) + part
        for at, part in enumerate(parts)
        if at % 2 == 0 and not (read_labels(part)[1] and not _says_more(part, values))
    ]
    return "".join(kept).strip()


def _says_more(line: str, values: Sequence[str]) -> bool:
    """Whether a letter or digit is left of the line without `values` (squeezed, the longest first) and its labels."""
    rest = squeeze(line)
    for value in values:
        rest = rest.replace(value, " ")
    for imprint in (*read_labels(line)[1], *read_makers(line)):
        rest = rest.replace(squeeze(imprint.label), " ")
    return any(map(str.isalnum, rest))  # nor does a ruled line say anything
