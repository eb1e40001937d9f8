"""How a parsed bulletin is told in an issue's fields."""

from mailer.newsroom.structure.bulletin import ParsedBulletin
from mailer.newsroom.structure.typography import squeeze


def publishers_of(bulletin: ParsedBulletin) -> str:
    """Publisher and co-publishers in one line."""
    comma = "、" if bulletin.language.startswith("zh") else ", "
    return comma.join(part for part in (bulletin.publisher, *bulletin.co_publishers) if part)


def colophon_of(bulletin: ParsedBulletin) -> str:
    """The colophon's lines that say more than the fields do: publisher, editor and phone have places of their own."""
    known = [squeeze(value) for value in (bulletin.publisher, bulletin.editor, bulletin.phone) if value]
    lines = (line for line in bulletin.colophon if not any(value in squeeze(line) for value in known))
    return "\n".join(line for line in lines if any(map(str.isalnum, line)))  # a ruled line says nothing
