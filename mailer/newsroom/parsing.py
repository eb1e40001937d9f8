"""A bulletin file → its structure. Pure: no database, no clock, no network; files of strangers that need a library to
be unpacked are read in a process of their own.

The walk: bytes → kind → blocks (`readers`) → contents list → masthead → furniture → colophon → titles and parts →
articles → what is left over becomes warnings.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

from mailer.errors import UnreadableError, UnreadableFilesError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent
from mailer.newsroom.readers.kinds import Kind, kind_of_file
from mailer.newsroom.readers.limits import LIMITS, Limits
from mailer.newsroom.readers.several import as_one
from mailer.newsroom.readers.telling import Progress, Stage, Step, Tell
from mailer.newsroom.reading import MAX_BYTES, check_size, read_file, read_text
from mailer.newsroom.structure.blocks import blocks_of_text
from mailer.newsroom.structure.bulletin import ParsedBulletin, ParseWarning
from mailer.newsroom.structure.document import parse_blocks


def parse_document(
    content: bytes, filename: str, *, max_bytes: int = MAX_BYTES, limits: Limits = LIMITS
) -> ParsedBulletin:
    """Parses an uploaded document. Raises `UnreadableError` with a sentence for the editor; never anything else."""
    return _parsed(read_document(content, filename, replace(limits, max_bytes=max_bytes)))


def parse_documents(
    documents: Sequence[tuple[bytes, str]], *, limits: Limits = LIMITS, tell: Tell | None = None
) -> ParsedBulletin:
    """Several documents (content and name, in reading order) as one bulletin: articles in files of their own, a
    masthead or a contents list in one of them. `tell` hears how far it has come.

    Raises `UnreadableFilesError` with what is wrong with each file that cannot be read.
    """
    if not 0 < len(documents) <= limits.max_files:
        raise UnreadableError(N_("At most %(limit)d files make one issue."), limit=limits.max_files)
    check_size(sum(len(content) for content, _ in documents), limits.max_bytes)
    hear = tell or (lambda _: None)
    read: list[tuple[DocumentContent, str]] = []
    problems: list[tuple[str, UnreadableError]] = []
    end = time.monotonic() + limits.seconds
    for number, (content, filename) in enumerate(documents, start=1):
        name = PurePath(filename).name
        step = partial(_tell_step, hear, Progress(Stage.READING, name, number, len(documents)))
        step(0, 0)
        # The child counts whole seconds; the last file gets one even when the others have used them up.
        left = replace(limits, seconds=max(1, round(end - time.monotonic())))
        try:
            read.append((read_document(content, filename, left, step), filename))
        except UnreadableError as error:
            problems.append((name, error))
    if problems:
        raise UnreadableFilesError(problems)
    hear(Progress(Stage.ARRANGING))
    return _parsed(as_one(read) if len(read) > 1 else read[0][0])


def _tell_step(hear: Tell, progress: Progress, done: int, total: int) -> None:
    hear(replace(progress, done=done, total=total))


def read_document(content: bytes, filename: str, limits: Limits = LIMITS, tell: Step | None = None) -> DocumentContent:
    """The blocks of one file of any kind that can be read. Raises `UnreadableError`."""
    check_size(len(content), limits.max_bytes)
    kind = kind_of_file(content, filename)
    if kind in {Kind.TEXT, Kind.MARKDOWN}:
        reading = read_text(content, max_bytes=limits.max_bytes, max_lines=limits.max_blocks)
        if kind is Kind.TEXT:
            return DocumentContent(blocks_of_text(reading.text), reading.encoding)
        from mailer.newsroom.readers.markdown import read_markdown

        return read_markdown(reading.text, reading.encoding)
    from mailer.newsroom.readers.confined import read_confined

    return read_confined(content, kind, limits, tell)


def parse_file(path: Path, *, max_bytes: int = MAX_BYTES) -> ParsedBulletin:
    """The same for a file on disk, of which never more than `max_bytes` are read."""
    return parse_document(read_file(path, max_bytes=max_bytes), path.name, max_bytes=max_bytes)


def _parsed(document: DocumentContent) -> ParsedBulletin:
    bulletin = parse_blocks(
        document.blocks,
        encoding=document.encoding,
        pictures=document.pictures,
        is_furniture_known=document.is_furniture_known,
    )
    if not bulletin.articles and not bulletin.contents and bulletin.title is None:
        raise UnreadableError(N_("The file holds no bulletin: neither a title nor an article was found."))
    notices = tuple(ParseWarning(one.message, dict(one.params), one.line) for one in document.notices)
    return replace(bulletin, warnings=notices + bulletin.warnings) if notices else bulletin
