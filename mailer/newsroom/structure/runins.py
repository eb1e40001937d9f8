"""Titles that run into their text, as dispatches are set: "【标题】正文……" becomes two blocks of one line."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.entries import read_entry, undecorated
from mailer.newsroom.structure.lines import is_section_shape
from mailer.newsroom.structure.listing import ContentsEntry
from mailer.newsroom.structure.marks import BULLETS
from mailer.newsroom.structure.matching import SAME, normal_form, similarity
from mailer.newsroom.structure.typography import fold, is_finished, is_latin, width

_RUN_IN = re.compile(rf"(?:[{BULLETS}]\s*)?[【〖](?P<head>[^【】〖〗]{{2,80}})[】〗][\s:：]*(?=\S)")
# A title that is announced needs no brackets: "标题：正文……", "标题　　正文……".
_SET_OFF = re.compile(rf"(?:[{BULLETS}]\s*)?(?P<head>\S[^。]{{5,80}}?)(?:[：:。]|\s{{2,}}|[\u3000\t]|——)\s*(?=\S)")
_WIDE_APART = re.compile(rf"[{BULLETS}]\s*(?P<head>\S[^。]{{5,60}}?)(?:\s{{2,}}|[\u3000\t])\s*(?=\S)")
# What stands in such brackets and is no title, however long.
_LABEL = re.compile(
    r"编 ?者|按语|编后|[本我][报刊网台社]|记者|通讯员|作者|译者|摘 ?要|关键词|提要|来源|"
    r"(?:相关|延伸|背景|知识|新闻)?(?:链接|阅读)|"
    r"(?:专家|编辑|记者)?(?:点评|评析|评论|解读|释义)$|.{0,12}[讯电]$",
)
# In columns: a label has two to four ideographs, a title more.
_SHORTEST_HEAD = 10
_SHORTEST_TEXT = 24
# Lines in which a contents list may lie.
_FRONT = 400


def with_announced_heads_apart(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks; a line whose head is said by a short line further up, as a contents list says it, is two."""
    forms = Counter(form for block in blocks if block.is_short and (form := normal_form(read_entry(block).title)))
    said: set[str] = set()
    parted: list[Block] = []
    above = ""
    for at, block in enumerate(blocks):
        halves = _parted(blocks, at, said, forms) if said else None
        parted += halves or (block,)
        form = normal_form(read_entry(block).title) if block.is_short and at < _FRONT else ""
        if form:
            said |= {form, above + form}
        above = form
    return parted


def _parted(blocks: Sequence[Block], at: int, said: Collection[str], forms: Counter[str]) -> tuple[Block, Block] | None:
    if match := _RUN_IN.match(blocks[at].text[:120]):
        form = normal_form(match["head"])
        if form not in said or _LABEL.match(match["head"]):
            return None
        # What only the list says, and at length, is a title whatever follows it: "【标题】一、概况".
        return _halves(blocks, at, _RUN_IN, is_sure=forms[form] == 1 and width(match["head"]) >= _SHORTEST_HEAD)
    match = _SET_OFF.match(blocks[at].text[:120])
    # Where the title also stands by itself, the sentence only begins like it.
    is_announced = match is not None and (form := normal_form(match["head"].strip())) in said and forms[form] == 1
    return _halves(blocks, at, _SET_OFF) if is_announced else None


def with_heads_apart(body: Sequence[Block], entries: Sequence[ContentsEntry]) -> list[Block]:
    """The body's blocks; heads in brackets that are titles are blocks of their own, ranked below every other heading.

    They are titles where they are like what the list announces and nothing else is; where most of the list is found so;
    and without a list where the text begins with one and another follows.
    """
    pairs = {at: halves for at in range(len(body)) if (halves := _halves(body, at, _RUN_IN) or _is_parted(body, at))}
    if not entries and not pairs:
        pairs = _bulleted_heads(body)
    times = Counter(normal_form(head.text) for head, _ in pairs.values())
    likely = {
        at
        for at, (head, _) in pairs.items()
        if times[normal_form(head.text)] == 1 and not _LABEL.match(head.text) and width(head.text) >= _SHORTEST_HEAD
    }
    if entries:
        alone = {normal_form(block.text) for block in body if block.is_short}
        wanted = [form for entry in entries if (form := normal_form(entry.title)) not in alone]
        parted = {normal_form(pairs[at][0].text) for at in pairs if _is_parted(body, at)}
        wanted += parted
        chosen = {at for at in pairs if _is_wanted(normal_form(pairs[at][0].text), wanted)}
        if chosen and len(chosen) * 2 >= len(entries):
            chosen |= likely
    else:
        first = next((at for at in range(len(body)) if not is_section_shape(body[at].text)), None)
        chosen = likely if first in likely and len(likely) > 1 else set()
    level = max((block.level for block in body if block.level is not None), default=0) + 1
    body = _with_heads_below_sections(body, level)
    apart: list[Block] = []
    for at, block in enumerate(body):
        if at in chosen:
            head, rest = pairs[at]
            apart += [replace(head, level=level)] if _is_parted(body, at) else [replace(head, level=level), rest]
        else:
            apart.append(block)
    return apart


def _bulleted_heads(body: Sequence[Block]) -> dict[int, tuple[Block, Block]]:
    """Heads set off by wide space where every line begins with the same bullet: "※标题　　正文……"."""
    if len(body) < 2 or len({block.text[0] for block in body}) > 1 or body[0].text[0] not in BULLETS:
        return {}
    pairs = {at: halves for at in range(len(body)) if (halves := _halves(body, at, _WIDE_APART))}
    return pairs if len(pairs) == len(body) else {}


def _with_heads_below_sections(body: Sequence[Block], level: int) -> Sequence[Block]:
    """Where headings stand above lines in brackets and never above text, they name sections, and those are titles."""
    marked = {
        at
        for at, block in enumerate(body)
        if block.level is None and block.is_short and (name := undecorated(block.text))[1] and not _LABEL.match(name[0])
    }
    headings = [at for at, block in enumerate(body) if block.level is not None and block.level == level - 1]
    if not headings or len(marked) < 2 or any(at + 1 not in marked for at in headings):
        return body
    return [replace(block, level=level) if at in marked else block for at, block in enumerate(body)]


def _is_wanted(head: str, wanted: Collection[str]) -> bool:
    return head in wanted or any(similarity(head, form) >= SAME for form in wanted)


def _is_parted(body: Sequence[Block], at: int) -> tuple[Block, Block] | None:
    """A head that was parted from its text before, with it."""
    if at + 1 < len(body) and body[at].line == body[at + 1].line and body[at].page == body[at + 1].page:
        return body[at], body[at + 1]
    return None


def _halves(
    blocks: Sequence[Block], at: int, pattern: re.Pattern[str], *, is_sure: bool = False
) -> tuple[Block, Block] | None:
    """Head and rest of a line, if the rest is running text, or if it is sure that the head is one."""
    block = blocks[at]
    match = pattern.match(block.text[:120])
    if match is None or block.cells or block.level is not None:
        return None
    rest = block.text[match.end() :].strip()
    below = blocks[at + 1] if at + 1 < len(blocks) else None
    goes_on = below is not None and below.blank_before == 0 and not is_finished(rest)
    if not _is_text(rest, block, goes_on=goes_on) and not (
        is_sure and read_entry(replace(block, text=rest)).page is None
    ):
        return None
    # Where the typesetter broke the line, it counts as full as it was.
    indent = block.indent + width(block.text[: match.end()]) if goes_on else block.indent
    return replace(block, text=match["head"].strip(), spans=(), item=None), replace(
        block, text=rest, indent=indent, blank_before=0, joins=False
    )


def _is_text(rest: str, block: Block, *, goes_on: bool) -> bool:
    if width(rest[:40]) < _SHORTEST_TEXT or read_entry(replace(block, text=rest)).strength >= 1:
        return False
    if is_latin(rest):
        return len(rest.split()) >= 8
    return is_finished(rest) or goes_on or "，" in fold(rest).replace(",", "，")
