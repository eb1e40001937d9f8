"""How much one document may cost to read."""

from dataclasses import dataclass

from mailer.newsroom.reading import MAX_BYTES


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_unpacked` is of all parts of a .docx together; `memory` is address space and `seconds` time of the process
    that reads it, both on top of what the interpreter needs.
    """

    max_bytes: int = MAX_BYTES
    max_unpacked: int = 200 * 2**20
    max_part: int = 40 * 2**20
    max_parts: int = 4000
    max_pages: int = 600
    max_blocks: int = 50_000
    max_pictures: int = 200
    max_picture_bytes: int = 60 * 2**20
    memory: int = 1024 * 2**20
    seconds: int = 40


LIMITS = Limits()
