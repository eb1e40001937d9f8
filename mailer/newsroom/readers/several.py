"""Several files as one document: each begins a page, and one without a masthead of its own is an article."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.contents import find_contents
from mailer.newsroom.structure.lines import has_title_shape
from mailer.newsroom.structure.masthead import is_masthead_line

FROM_HERE = N_("From here on the text is that of “%(name)s”.")
_HEAD = 12


def as_one(documents: Sequence[tuple[DocumentContent, str]]) -> DocumentContent:
    """The documents (with their names) one after the other; lines, pages, tables and pictures count on."""
    blocks: list[Block] = []
    notices: list[Notice] = []
    line = page = table = picture = 0
    for document, filename in documents:
        own = document.blocks if _is_issue(document.blocks) else _as_article(document.blocks)
        notices.append(Notice(FROM_HERE, {"name": PurePath(filename).name}, line + 1))
        notices += [replace(one, line=None if one.line is None else one.line + line) for one in document.notices]
        blocks += [
            replace(
                block,
                line=block.line + line,
                page=block.page + page,
                table=None if block.table is None else block.table + table,
                picture=None if block.picture is None else block.picture + picture,
                joins=False if at == 0 else block.joins,
            )
            for at, block in enumerate(own)
        ]
        line = max((block.line for block in blocks), default=0)
        page = max((block.page for block in blocks), default=0)
        table = max((block.table or 0 for block in blocks), default=0)
        picture += len(document.pictures)
    return DocumentContent(
        blocks,
        "+".join(dict.fromkeys(document.encoding for document, _ in documents))[:32],
        tuple(one for document, _ in documents for one in document.pictures),
        tuple(notices),
        is_furniture_known=all(document.is_furniture_known for document, _ in documents),
    )


def _is_issue(blocks: list[Block]) -> bool:
    """Whether a document has a masthead or a contents list: then it is more than one article."""
    text = [block for block in blocks if block.inset is None]
    return any(is_masthead_line(block) for block in text[:_HEAD] if block.is_short) or find_contents(text) is not None


def _as_article(blocks: list[Block]) -> list[Block]:
    """An article's blocks: the first line titles it, every other heading is below that."""
    first = next((at for at, block in enumerate(blocks) if block.inset is None), None)
    if first is None or not has_title_shape(blocks[first].text):
        return blocks
    known = [block.level for block in blocks if block.level is not None]
    top = min(known, default=1)
    return [
        replace(block, level=1)
        if at == first
        else replace(block, level=block.level - top + 2 if block.level is not None else None)
        for at, block in enumerate(blocks)
    ]
