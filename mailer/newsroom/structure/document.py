"""The one path from blocks to a parsed bulletin, whatever file format the blocks came from."""

from collections.abc import Sequence
from dataclasses import replace

from mailer.newsroom.structure.articles import Article, Item, SectionMark, assemble
from mailer.newsroom.structure.blocks import Block
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin, ParsedPart
from mailer.newsroom.structure.contents import find_contents
from mailer.newsroom.structure.credits import co_publishers_of, editor_of, phone_of, publisher_of, read_colophon
from mailer.newsroom.structure.entries import undecorated
from mailer.newsroom.structure.furniture import is_rule
from mailer.newsroom.structure.grouping import Grouper
from mailer.newsroom.structure.layout import Layout, read_layout
from mailer.newsroom.structure.lines import PartKind, is_section_shape
from mailer.newsroom.structure.listing import Listing
from mailer.newsroom.structure.masthead import read_masthead
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.regions import Regions, divide, masthead_end
from mailer.newsroom.structure.remarks import Findings, remarks_on
from mailer.newsroom.structure.shapes import find_by_shape
from mailer.newsroom.structure.titles import Title, find_titles, forms_of
from mailer.newsroom.structure.tracing import trace
from mailer.newsroom.structure.typography import is_latin


def parse_blocks(blocks: list[Block], *, encoding: str) -> ParsedBulletin:
    """Finds masthead, contents, articles and colophon. Accepts any blocks; raises nothing."""
    contents = find_contents(blocks)
    listing = contents.listing if contents else Listing((), ())
    head_end = contents.start if contents else masthead_end(blocks)
    masthead = read_masthead([block for block in blocks[:head_end] if not is_rule(block.text)])
    regions = divide(blocks, contents, head_end, masthead)
    colophon = read_colophon(regions.colophon)
    titles = find_titles(regions.body, listing.entries, read_layout(regions.body))
    items, layout = _items(regions, titles, listing)
    found = find_by_shape(items, layout)
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
        publisher=publisher_of(masthead.imprints) or publisher_of(colophon.imprints),
        co_publishers=co_publishers_of(masthead.imprints),
        date=masthead.date or colophon.date,
        editor=editor_of(colophon.imprints) or editor_of(masthead.imprints),
        phone=phone_of(colophon.imprints) or phone_of(masthead.imprints),
        contents=listing.entries,
        sections=_sections(found.items, listing),
        articles=tuple(_parsed(article) for article in articles),
        masthead=tuple(block.text for block in regions.masthead),
        colophon=tuple(block.text for block in regions.colophon),
        furniture=tuple(block.text for block in regions.furniture),
        lines=trace(regions, found.items, articles),
        encoding=encoding,
        language="en" if is_latin(" ".join(block.text[:200] for block in blocks[:200])) else "zh_CN",
        warnings=tuple(remarks_on(findings)),
    )


def _items(regions: Regions, titles: dict[int, Title], listing: Listing) -> tuple[list[Item], Layout]:
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
        known = next((sections[form] for form in forms_of(block) if form in sections), None)
        if known is not None:
            marks[at] = SectionMark(known, block)
        elif at + 1 in titles and is_section_shape(block.text):
            marks[at] = SectionMark(undecorated(block.text)[0], block)
    lines = [block for at, block in enumerate(regions.body) if at not in covered and at not in marks]
    is_trusted = len(titles) * 2 >= len(listing.entries) > 0
    layout = replace(read_layout(lines), has_known_titles=is_trusted)
    items: list[Item] = []
    run: list[Block] = []

    def flush() -> None:
        grouper = Grouper(layout, is_below_title=bool(items) and isinstance(items[-1], Title))
        items.extend(grouper.group(run, regions.page_cuts))
        run.clear()

    for at, block in enumerate(regions.body):
        if at in marks:
            flush()
            items.append(marks[at])
        elif at not in covered:
            run.append(block)
    flush()
    return items, layout


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
