"""One line of a contents list taken apart: bullet, ordinal, title, leader, page; no decision needs its neighbours."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.imprint import is_organisation, looks_like_people
from mailer.newsroom.structure.marks import BULLETS
from mailer.newsroom.structure.numerals import numeral
from mailer.newsroom.structure.typography import fold

_BULLET = re.compile(rf"(?:(?:[{BULLETS}]+|[-–—*+](?=\s)|>{{1,3}}(?=\s))[\s\ufe0f]*)+")
_ORDINAL = re.compile(
    r"(?:\((?P<a>[0-9]{1,3}|[一二三四五六七八九十]{1,3})\)|\[(?P<b>[0-9]{1,3})\]|"
    r"(?P<c>[0-9]{1,3}(?= ?[.、):|](?!\d(?!\d{3} ?年)))|"
    r"[一二三四五六七八九十]{1,3}(?= ?(?:、|[.):](?!\d)))) ?[.、):|]|(?P<d>[①-⑳])|(?P<f>\d{1,2})\ufe0f?\u20e3|"
    r"(?P<e>\d{1,3})(?= |…|\.\.|—))[ .…—·]*(?=\S)"
)
_LEFT_PAGE = re.compile(
    r"(?:\[|\()?(?:p\.? ?(?P<a>\d{1,4})|第 ?(?P<b>\d{1,4}) ?[页版]|(?P<c>\d{1,3}) ?[页版](?=[ :.…—·\])]))"
    r"(?:\]|\))?[ :.…—·]*(?=\S)",
    re.IGNORECASE,
)
_PAGE = re.compile(
    r"(?P<open>[(\[/|]) ?(?:第|p(?:age|p|g)?\.?)? ?(?P<a>\d{1,4})(?: ?[-—~] ?\d{1,4})? ?[页版]? ?[)\]]?$|"
    r"(?:(?P<mark>第|p(?:age|p|g)?\.? ?) ?)?(?<!\d)(?<!\d[.,])(?P<b>\d{1,4})(?: ?[-—~] ?\d{1,4})?(?P<unit> ?[页版])?$",
    re.IGNORECASE,
)
_ARROWS = "→➔➤►▶›»"
_LEADER = f" \t\u3000\u00a0.…·‥⋯—–―─-_．。・･•*{_ARROWS}"
# A leader in the middle: the author's name stands between it and the page.
_LONG_LEADER = re.compile(r"[ \u3000]*(?:…{2,}|\.{4,}|·{3,}|。{3,}|⋯{2,})[ \u3000…·.]*")
# An author set off by wide space or a slash: "标题　　张三（3）".
AUTHOR = re.compile(r"(?: {2,}|\t|\u3000+| ?[/|｜] ?)(\S.{1,20})$")
# Between two entries on one line; a page ends the first.
_GUTTER = re.compile(r"(?<=[\d)）页版\]】])(?: {2,}|[\t\u3000]+)\s*(?=\S)")
_SURE = 2
# Symmetrical ornaments, or a bracket around the whole line, mark the name of a section.
_ORNAMENT = re.compile(rf"[{BULLETS}=~*#<>|—–─\-_\s]+")
_BRACKETED = re.compile(
    r"[【〖](?P<long>[^【】〖〗]{2,60})[】〗]|"
    r"[【〖［\[「『〔◤](?P<name>[^【】〖〗［］\[\]「」『』〔〕]{2,24})[】〗］\]」』〕◢]"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a contents list.

    `strength` says how sure the page is: 3 bracketed or marked, 2 after a leader, 1 after wide space, 0.5 after a
    single space, 0 no page. `left` is a number at the head, whose meaning the whole list decides.
    """

    block: Block
    bullet: str
    left: int | None
    is_left_chinese: bool
    is_left_page: bool
    is_left_loose: bool
    title: str
    page: int | None
    strength: float


def read_entry(block: Block) -> Entry:
    """Takes a short block apart. A line that is no entry comes back with `strength` 0 and no bullet."""
    if block.is_short:
        return Entry(block, *_taken_apart(block.text))
    return Entry(block, *_taken_apart.__wrapped__(block.text))


@lru_cache(maxsize=8192)
def _taken_apart(text: str) -> tuple[str, int | None, bool, bool, bool, str, int | None, float]:
    """Everything that an `Entry` says beside its block, in that order."""
    bullet = _BULLET.match(text)
    start = bullet.end() if bullet else 0
    folded = fold(text)
    left, is_chinese, is_left_page, is_loose = None, False, False, False
    if match := _LEFT_PAGE.match(folded, start):
        left, is_left_page = int(match["a"] or match["b"] or match["c"]), True
    elif match := _ORDINAL.match(folded, start):
        left, is_loose = _ordinal(match), match["e"] is not None
        is_chinese = not match[0].isascii() and any(numeral in match[0] for numeral in "一二三四五六七八九十")
    if match:
        start = match.end()
        if bullet is None and (bullet := _BULLET.match(text, start)):
            start = bullet.end()
    title, page, strength = split_page(text[start:])
    return bullet[0].strip() if bullet else "", left, is_chinese, is_left_page, is_loose, title, page, strength


def entries_beside(block: Block) -> list[Block]:
    """A line of a list set in columns as one block an entry, each with its page; any other block alone."""
    if block.is_short and len(pieces := _GUTTER.split(block.text)) > 1:
        columns = [replace(block, text=piece) for piece in pieces]
        if all(read_entry(column).strength >= _SURE and len(column.text) > 5 for column in columns):
            return columns
    return [block]


def _ordinal(match: re.Match[str]) -> int | None:
    if match["d"]:
        return ord(match["d"]) - 0x245F
    return numeral(next(group for group in match.groups() if group))


def split_page(text: str) -> tuple[str, int | None, float]:
    """Title, page, and how sure the page is (see `Entry.strength`)."""
    folded = fold(text)
    match = _PAGE.search(folded, max(0, len(folded) - 24)) if folded[-1:].isdigit() or folded[-1:] in ")]页版" else None
    if match is None or match.start() == 0:
        return _without_leader(text), None, 0
    rest = text[: match.start()]
    title = rest.rstrip(_LEADER)
    leader = fold(rest[len(title) :])
    page = int(match["a"] or match["b"])
    strength = _strength(match, leader, text[len(title) : match.start()])
    if strength == 0 or sum(map(str.isalnum, title)) < 2 or (strength < 3 and page > 999):
        return _without_leader(text), None, 0
    title = title.rstrip(" \u3000/|(（[【,，;；")
    if (author := _LONG_LEADER.search(title)) or ((author := AUTHOR.search(title)) and _is_author(author[1])):
        title = title[: author.start()]
    return title, page, strength


def _is_author(text: str) -> bool:
    """Whether it is people, or a body that writes: 本刊编辑部, 市发展研究中心课题组."""
    return (
        looks_like_people(text) or (len(text) <= 16 and is_organisation(text)) or text in {"编辑部", "本刊讯", "编者"}
    )


def _strength(match: re.Match[str], leader: str, raw: str) -> float:
    if match["open"] or match["mark"] or match["unit"]:
        return 3
    if (
        any(mark in leader for mark in f"…‥⋯{_ARROWS}")
        or any(mark * 2 in leader for mark in ".·—-_。・•")
        or leader.count(".") > 2
    ):
        return 2
    if "\t" in raw or "\u3000" in raw or leader.count(" ") > 1:
        return 1
    return 0.5 if leader else 0


def _without_leader(text: str) -> str:
    stripped = text.rstrip(_LEADER)
    leader = text[len(stripped) :]
    return stripped if stripped and ("……" in leader or "..." in leader or "···" in leader) else text.rstrip()


def undecorated(text: str) -> tuple[str, bool]:
    """A line without its ornaments, and whether they stood on both sides of it (then it names a section)."""
    if bracketed := _BRACKETED.fullmatch(text.strip(f" \u3000{BULLETS}")):
        return (bracketed["name"] or bracketed["long"]).strip(), True
    lead = _ORNAMENT.match(text)
    if lead is None or lead.end() == len(text):
        return text, False
    core = text[lead.end() :]
    bare = core.rstrip(f"{BULLETS}=~*#<>|—–─-_ \t\u3000")
    return (bare, True) if bare != core.rstrip() and bare else (core.strip(), False)
