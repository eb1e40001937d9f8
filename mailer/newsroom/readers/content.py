"""What a reader makes of a file: blocks in reading order, pictures, and things the editor should know."""

from dataclasses import dataclass, field

from mailer.newsroom.structure.blocks import Block, Picture


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the document as a whole that the editor should know: a gettext id with its parameters."""

    message: str
    params: dict[str, str | int] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """`encoding` is what the text was written in, or the name of the format that decides that itself.
    `is_furniture_known` says that running heads and page numbers are marked as such, or cannot be there.
    """

    blocks: list[Block]
    encoding: str
    pictures: tuple[Picture, ...] = ()
    notices: tuple[Notice, ...] = ()
    is_furniture_known: bool = False
