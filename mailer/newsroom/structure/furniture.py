"""What belongs to the page and not to the text: rules, page numbers, running heads and feet."""

import re
from collections import defaultdict
from itertools import pairwise

from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.marks import is_bare_number, is_page_number
from mailer.newsroom.structure.masthead import Masthead, take_issue
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.typography import squeeze

# What is left of a running head when title and number are taken out: page number and ornaments.
_HEAD_REST = re.compile(r"(?:第?\d{1,4}[页版]?|page\d{1,4}|p\d{1,4})?(?:月刊|双月刊|季刊|内部资料)?", re.IGNORECASE)
# A running head may leave out the first word of "The Marsh Lab Newsletter".
_NO_ARTICLE = re.compile(r"^the(?=\w{6})")


def find_page_numbers(blocks: list[Block], start: int) -> set[int]:
    """Indices of lines from `start` that are page numbers: ornamented ones, and bare ones that count the pages up."""
    found = {at for at in range(start, len(blocks)) if is_page_number(blocks[at].text)}
    bare = [
        (at, int(squeeze(blocks[at].text)))
        for at in range(start, len(blocks))
        if len(blocks[at].text) <= 24 and is_bare_number(blocks[at].text)
    ]
    found |= {at for at, _ in bare if _is_at_page_edge(blocks, at) or blocks[at].indent >= 20}
    values = [value for _, value in bare]
    if len(values) > 1 and all(before < after <= before + 3 for before, after in pairwise(values)):
        found |= {at for at, _ in bare}
    return found


def _is_at_page_edge(blocks: list[Block], at: int) -> bool:
    page = blocks[at].page
    if at + 1 == len(blocks):
        return True
    return blocks[at + 1].page != page or (at > 0 and blocks[at - 1].page != page)


def find_running_heads(
    blocks: list[Block], start: int, page_numbers: set[int], masthead: Masthead, kept: set[str]
) -> set[int]:
    """Indices of running heads and feet from `start`; `kept` are normal forms that are titles and stay.

    A line is one when nothing but the bulletin's own title, number, date and page is in it, or when it returns, page
    numbers aside, at page edges only.
    """
    edges = _page_edges(blocks, start, page_numbers)
    found: set[int] = set()
    returning: dict[str, list[int]] = defaultdict(list)
    title = normal_form(masthead.title or "")
    for at in range(start, len(blocks)):
        text = blocks[at].text
        if len(text) > 80 or at in page_numbers:
            continue
        form = normal_form(text)
        if not form or form in kept:
            continue
        if (title and title in form and _is_only_masthead(blocks[at], masthead)) or (
            at in edges and _is_only_masthead(blocks[at], masthead)
        ):
            found.add(at)
        elif at in edges:
            returning[re.sub(r"\d+", "0", form)].append(at)
    for places in returning.values():
        if len({blocks[at].page for at in places}) > 1 or len(places) > 2:
            found.update(places)
    return found


def _page_edges(blocks: list[Block], start: int, page_numbers: set[int]) -> set[int]:
    """Indices within two lines of a page break or a page number."""
    edges: set[int] = set()
    for at in range(start, len(blocks)):
        is_break = at > 0 and blocks[at].page != blocks[at - 1].page
        if is_break:
            edges.update((at - 2, at - 1, at, at + 1))
        if at in page_numbers:
            edges.update((at - 2, at - 1, at + 1, at + 2))
    return edges


def _is_only_masthead(block: Block, masthead: Masthead) -> bool:
    """Whether a line says the bulletin's name, number or date, and beside them at most a page number."""
    scratch = Masthead()
    pieces = take_issue(block, scratch)
    is_known = scratch != Masthead()
    whole = [normal_form(name) for name in (masthead.title or "", *(imprint.value for imprint in masthead.imprints))]
    names = [*whole, *(_NO_ARTICLE.sub("", name) for name in whole)]
    rest = ""
    for piece in pieces:
        form = normal_form(piece)
        for name in names:
            if len(name) > 1 and name in form:
                form, is_known = form.replace(name, ""), True
        rest += form
    return is_known and _HEAD_REST.fullmatch(rest) is not None
