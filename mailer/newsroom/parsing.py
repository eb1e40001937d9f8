"""A bulletin file → its structure. Pure: no database, no network, no clock.

The walk: bytes → text (`reading`) → blocks → contents list → masthead → furniture → colophon → titles and parts →
articles → what is left over becomes warnings.
"""

from pathlib import Path

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.reading import MAX_BYTES, read_file, read_text
from mailer.newsroom.structure.blocks import blocks_of_text
from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.document import parse_blocks


def parse_document(content: bytes, filename: str, *, max_bytes: int = MAX_BYTES) -> ParsedBulletin:
    """Parses an uploaded document. Raises `UnreadableError` with a sentence for the editor; never anything else."""
    reading = read_text(content, filename, max_bytes=max_bytes)
    bulletin = parse_blocks(blocks_of_text(reading.text), encoding=reading.encoding)
    if not bulletin.articles and not bulletin.contents and bulletin.title is None:
        raise UnreadableError(N_("The file holds no bulletin: neither a title nor an article was found."))
    return bulletin


def parse_file(path: Path, *, max_bytes: int = MAX_BYTES) -> ParsedBulletin:
    """The same for a file on disk, of which never more than `max_bytes` are read."""
    return parse_document(read_file(path, max_bytes=max_bytes), path.name, max_bytes=max_bytes)
