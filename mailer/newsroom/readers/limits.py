"""How much one document may cost to read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.newsroom.reading import MAX_BYTES, MAX_LINES

if TYPE_CHECKING:  # the reading process has no use for settings, and loads nothing that it does not use
    from mailer.settings import Settings

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_unpacked` is of all parts of a .docx together, `max_ratio` how many times its size a large one of them may
    unpack to; `memory` is address space and `seconds` time of the process that reads it, both on top of what the
    interpreter needs. Several files of one upload share `max_bytes` and `seconds`.
    """

    max_files: int = 40
    max_bytes: int = MAX_BYTES
    max_unpacked: int = 200 * _MIB
    max_part: int = 40 * _MIB
    max_parts: int = 4000
    max_ratio: int = 200
    max_pages: int = 600
    max_blocks: int = MAX_LINES
    max_pictures: int = 200
    max_picture_bytes: int = 60 * _MIB
    memory: int = 1024 * _MIB
    seconds: int = 40


LIMITS = Limits()


def limits_of(settings: "Settings") -> Limits:
    """What the operator allows. One picture more is read than is kept: so it shows that there are more."""
    return Limits(
        max_files=settings.document_files,
        max_bytes=settings.max_upload_mb * _MIB,
        max_unpacked=settings.document_unpacked_mb * _MIB,
        max_part=settings.document_part_mb * _MIB,
        max_parts=settings.document_parts,
        max_ratio=settings.document_ratio,
        max_pages=settings.document_pages,
        max_blocks=settings.document_lines,
        max_pictures=settings.document_pictures + 1,
        max_picture_bytes=settings.document_pictures_mb * _MIB,
        memory=settings.document_memory_mb * _MIB,
        seconds=settings.document_seconds,
    )
