"""The one path from blocks to a parsed bulletin, whatever file format the blocks came from."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailer.newsroom.structure.articles import Article, Item, SectionMark, assemble
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin, ParsedPart
from mailer.newsroom.structure.colophon import find_colophon
from mailer.newsroom.structure.contents import Contents, find_contents
from mailer.newsroom.structure.entries import undecorated
from mailer.newsroom.structure.furniture import (
    find_page_numbers,
    find_running_heads,
    is_bare_number,
    is_end_mark,
    is_rule,
)
from mailer.newsroom.structure.grouping import Grouper
from mailer.newsroom.structure.imprint import (
    EDITORS,
    PUBLISHERS,
    Imprint,
    ImprintRole,
    person_name,
    phone_number,
    read_labels,
    read_makers,
)
from mailer.newsroom.structure.layout import Layout, read_layout
from mailer.newsroom.structure.lines import PartKind, is_running_text, is_section_shape
from mailer.newsroom.structure.listing import Listing
from mailer.newsroom.structure.masthead import Masthead, is_masthead_line, read_masthead, take_issue
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.remarks import Findings, remarks_on
from mailer.newsroom.structure.shapes import find_by_shape
from mailer.newsroom.structure.titles import Title, find_titles
from mailer.newsroom.structure.typography import is_finished, is_latin, width

_LONGEST_MASTHEAD = 30
EMPTY = Listing((), ())


@dataclass(slots=True)
class _Regions:
    """Half-open ranges of block indices, and what belongs to pages."""

    masthead: list[Block]
    body: list[Block]
    colophon: list[Block]
    furniture: list[Block]
    page_cuts: frozenset[int]


def parse_blocks(blocks: list[Block], *, encoding: str) -> ParsedBulletin:
    """Finds masthead, contents, articles and colophon. Accepts any blocks; raises nothing."""
    contents = find_contents(blocks)
    listing = contents.listing if contents else EMPTY
    head_end = contents.start if contents else _masthead_end(blocks)
    masthead = read_masthead([block for block in blocks[:head_end] if not is_rule(block.text)])
    regions = _divide(blocks, contents, head_end, masthead, listing)
    colophon = _read_colophon(regions.colophon, masthead)
    titles = find_titles(regions.body, listing.entries, read_layout(regions.body))
    items, layout = _items(regions, titles, listing)
    is_trusted = len(titles) * 2 >= len(listing.entries) > 0
    found = find_by_shape(items, layout, has_contents=is_trusted)
    articles = assemble(found.items)
    findings = Findings(
        masthead, listing, articles, found.titles if listing.entries else [], found.subheadings, regions.furniture
    )
    return ParsedBulletin(
        title=masthead.title,
        year=masthead.year or colophon.year,
        number=masthead.number or colophon.number,
        total_number=masthead.total_number or colophon.total_number,
        volume=masthead.volume or colophon.volume,
        publisher=_publisher(masthead.imprints) or _publisher(colophon.imprints),
        co_publishers=_co_publishers(masthead.imprints),
        date=masthead.date or colophon.date,
        editor=_editor(colophon.imprints) or _editor(masthead.imprints),
        phone=_phone(colophon.imprints) or _phone(masthead.imprints),
        contents=listing.entries,
        sections=_sections(found.items, listing),
        articles=tuple(_parsed(article) for article in articles),
        masthead=tuple(block.text for block in regions.masthead),
        colophon=tuple(block.text for block in regions.colophon),
        furniture=tuple(block.text for block in regions.furniture),
        encoding=encoding,
        language="en" if is_latin(" ".join(block.text[:200] for block in blocks[:200])) else "zh_CN",
        warnings=tuple(remarks_on(findings)),
    )


def _masthead_end(blocks: Sequence[Block]) -> int:
    """Without a contents list: the masthead ends with the last line of number, date or maker above running text."""
    end = 0
    for at, block in enumerate(blocks[:_LONGEST_MASTHEAD]):
        if not block.is_short or (end and at - end > 4):
            break
        is_clause = "。" in block.text or (width(block.text) > 36 and "，" in block.text)
        if is_clause or is_running_text(block.text):
            break
        if is_masthead_line(block) or (is_rule(block.text) and end == at and at):
            end = at + 1
    return end


def _divide(
    blocks: list[Block], contents: Contents | None, head_end: int, masthead: Masthead, listing: Listing
) -> _Regions:
    start = contents.end if contents else head_end
    kept = {normal_form(entry.title) for entry in listing.entries}
    numbers = find_page_numbers(blocks, start)
    heads = find_running_heads(blocks, start, numbers, masthead, kept)
    skip = numbers | heads
    foot = find_colophon(blocks, start, skip, masthead, kept)
    cuts, body, furniture, is_cut = set(), [], [], False
    for at in range(start, foot):
        block = blocks[at]
        if at in skip:
            furniture.append(block)
            is_cut = True
        elif is_rule(block.text) or is_end_mark(block.text):
            furniture.append(block)
        else:
            if is_cut or (at > 0 and block.page != blocks[at - 1].page):
                cuts.add(block.line)
            is_cut = False
            body.append(block)
    if body and foot < len(blocks) and is_bare_number(body[-1].text):
        furniture.append(body.pop())
    furniture += [block for at, block in enumerate(blocks[foot:], foot) if at in skip]
    colophon = [block for at, block in enumerate(blocks[foot:], foot) if at not in skip]
    return _Regions(blocks[:head_end], body, colophon, furniture, frozenset(cuts))


def _items(regions: _Regions, titles: dict[int, Title], listing: Listing) -> tuple[list[Item], Layout]:
    """Titles and section marks in their places, and the lines between them grouped into parts."""
    sections = {normal_form(name): name for name in listing.sections}
    marks: dict[int, Item] = dict(titles)
    covered = {
        at
        for start, title in titles.items()
        for at in range(start, start + len(title.blocks) + (title.subtitle is not None))
    }
    for at, block in enumerate(regions.body):
        if at in covered or not block.is_short:
            continue
        if (form := normal_form(block.text)) in sections and form:
            marks[at] = SectionMark(sections[form], block)
        elif at + 1 in titles and is_section_shape(block.text):
            marks[at] = SectionMark(undecorated(block.text)[0], block)
    layout = read_layout([block for at, block in enumerate(regions.body) if at not in covered and at not in marks])
    items: list[Item] = []
    run: list[Block] = []

    def flush() -> None:
        grouper = Grouper(layout, is_below_title=bool(items) and isinstance(items[-1], Title))
        grouper.add(run, regions.page_cuts)
        items.extend(grouper.parts)
        run.clear()

    for at, block in enumerate(regions.body):
        if at in marks:
            flush()
            items.append(marks[at])
        elif at not in covered:
            run.append(block)
    flush()
    return items, layout


def _read_colophon(blocks: Sequence[Block], masthead: Masthead) -> Masthead:
    """Labelled values, and number and date where the head has none, from the colophon's lines."""
    colophon = Masthead()
    for at, block in enumerate(blocks):
        _, labelled = read_labels(block.text)
        if labelled and not labelled[-1].value and at + 1 < len(blocks) and not read_labels(blocks[at + 1].text)[1]:
            labelled[-1] = Imprint(labelled[-1].role, labelled[-1].label, blocks[at + 1].text)
        colophon.imprints += labelled or read_makers(block.text)
        is_dated = not labelled or labelled[0].role is ImprintRole.DATE
        if is_dated and block.is_short:
            take_issue(block, colophon)
    return colophon


def _first(imprints: Sequence[Imprint], roles: Sequence[ImprintRole]) -> Imprint | None:
    ranked = [imprint for role in roles for imprint in imprints if imprint.role is role and imprint.value]
    return ranked[0] if ranked else None


def _publisher(imprints: Sequence[Imprint]) -> str | None:
    found = _first(imprints, PUBLISHERS)
    return found.value if found else None


def _co_publishers(imprints: Sequence[Imprint]) -> tuple[str, ...]:
    first = _first(imprints, PUBLISHERS)
    others = [imprint.value for imprint in imprints if imprint.role in PUBLISHERS and imprint is not first]
    return tuple(dict.fromkeys(value for value in others if first and value and value != first.value))


def _editor(imprints: Sequence[Imprint]) -> str | None:
    found = _first(imprints, EDITORS)
    return person_name(found.value) or None if found else None


def _phone(imprints: Sequence[Imprint]) -> str | None:
    """The editor's phone: the first after an editor's name, else the first at all."""
    editors = [at for at, imprint in enumerate(imprints) if imprint.role in EDITORS]
    numbers = [(at, phone_number(i.value)) for at, i in enumerate(imprints) if i.role is ImprintRole.PHONE]
    known = [(at, number) for at, number in numbers if number]
    after = [number for at, number in known if editors and at > editors[0]]
    return next(iter(after), None) or next((number for _, number in known), None)


def _sections(items: Sequence[Item], listing: Listing) -> tuple[str, ...]:
    names = [item.name for item in items if isinstance(item, SectionMark)]
    return tuple(dict.fromkeys([*names, *listing.sections]))


def _parsed(article: Article) -> ParsedArticle:
    entry = article.title.entry if article.title else None
    first = article.title.blocks[0] if article.title else article.parts[0].blocks[0]
    return ParsedArticle(
        title=article.title.text if article.title else None,
        section=article.section or (entry.section if entry else None),
        source=article.source,
        page=entry.page if entry else None,
        line=first.line,
        parts=tuple(
            ParsedPart(
                part.kind,
                part.text,
                tuple(block.line for block in part.blocks),
                tuple(tuple(row) for row in part.rows),
            )
            for part in article.parts
            if part.text or part.kind is not PartKind.EDITORS_NOTE
        ),
        contents_title=entry.title if entry else None,
    )
