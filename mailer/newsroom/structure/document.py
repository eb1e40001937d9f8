"""The one path from blocks to a parsed bulletin, whatever file format the blocks came from."""

from collections.abc import Sequence
from dataclasses import replace

from mailer.newsroom.structure.articles import Article, Item, SectionMark, assemble
from mailer.newsroom.structure.blocks import Block, Picture
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin, ParsedPart
from mailer.newsroom.structure.contents import find_contents, with_columns_apart, with_contents_first
from mailer.newsroom.structure.credits import co_publishers_of, editor_of, phone_of, publisher_named, read_colophon
from mailer.newsroom.structure.entries import undecorated
from mailer.newsroom.structure.grouping import Grouper, Part
from mailer.newsroom.structure.insets import place_insets
from mailer.newsroom.structure.layout import Layout, read_layout
from mailer.newsroom.structure.lines import PartKind, is_section_shape
from mailer.newsroom.structure.listing import Listing
from mailer.newsroom.structure.marks import is_rule
from mailer.newsroom.structure.masthead import read_masthead
from mailer.newsroom.structure.matching import normal_form
from mailer.newsroom.structure.ranks import heading_end, title_level, with_ranks
from mailer.newsroom.structure.regions import Regions, divide, masthead_end
from mailer.newsroom.structure.remarks import Findings, remarks_on
from mailer.newsroom.structure.runins import with_announced_heads_apart, with_heads_apart
from mailer.newsroom.structure.shapes import find_by_shape
from mailer.newsroom.structure.titles import Title, find_titles, forms_of, title_text
from mailer.newsroom.structure.tracing import trace
from mailer.newsroom.structure.typography import is_latin, join


def parse_blocks(
    document: list[Block], *, encoding: str, pictures: Sequence[Picture] = (), is_furniture_known: bool = False
) -> ParsedBulletin:
    """Finds masthead, contents, articles and colophon. Accepts any blocks; raises nothing.

    `is_furniture_known` says that the reader has already told running heads and page numbers from the text.
    """
    blocks = [block for block in document if block.inset is None]
    blocks = with_columns_apart(with_contents_first(blocks, masthead_end(blocks)))
    blocks = with_announced_heads_apart(blocks)
    insets = [block for block in document if block.inset is not None]
    contents = find_contents(blocks)
    listing = contents.listing if contents else Listing((), ())
    head_end = contents.start if contents else masthead_end(blocks)
    masthead = read_masthead([block for block in blocks[:head_end] if not is_rule(block.text)])
    regions = divide(blocks, contents, head_end, masthead, is_furniture_known=is_furniture_known)
    regions.body = with_ranks(regions.body, is_listed=bool(listing.entries))
    regions.body = with_heads_apart(regions.body, listing.entries)
    colophon = read_colophon(regions.colophon)
    titles = find_titles(regions.body, listing.entries, read_layout(regions.body))
    items, layout = _items(regions, titles, listing)
    found = find_by_shape(items, layout)
    articles = assemble(found.items)
    regions.furniture += place_insets(insets, articles)
    unannounced = [item for item in found.items if isinstance(item, Title) and item.entry is None]
    findings = Findings(
        masthead, listing, articles, unannounced if listing.entries else [], found.subheadings, regions.furniture
    )
    return ParsedBulletin(
        title=masthead.title,
        year=masthead.year or colophon.year,
        number=masthead.number or colophon.number,
        total_number=masthead.total_number or colophon.total_number,
        volume=masthead.volume or colophon.volume,
        publisher=publisher_named(masthead.imprints, colophon.imprints),
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
        pictures=tuple(pictures),
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
    _mark_headings(regions.body, titles, marks, covered)
    for at, block in enumerate(regions.body):
        if at in covered or at in marks or not block.is_short:
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


def _mark_headings(body: Sequence[Block], titles: dict[int, Title], marks: dict[int, Item], covered: set[int]) -> None:
    """Headings by their level, where levels are known: above that of titles a section's name, below it a subheading."""
    level = title_level(body, titles)
    for at, block in enumerate(body):
        if level is None or block.level is None or at in covered or not block.is_short:
            continue
        end = heading_end(body, at, covered)
        text, ordinal = title_text(block)
        for line in body[at + 1 : end]:
            text = join(text, line.text)
        if block.level == level:
            marks[at] = Title(text, list(body[at:end]), ordinal=ordinal)
        elif block.level < level and end == at + 1:
            marks[at] = SectionMark(undecorated(text)[0], block)
        else:
            whole = block.text
            for line in body[at + 1 : end]:
                whole = join(whole, line.text)
            marks[at] = Part(PartKind.SUBHEADING, whole, list(body[at:end]))
        covered.update(range(at, end))


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
                part.blocks[0].picture if part.kind is PartKind.PICTURE else None,
                tuple(span for block in part.blocks for span in block.spans),
                part.blocks[0].item,
                part.blocks[0].note,
                part.blocks[0].is_head,
            )
            for part in article.parts
            if part.text or part.kind is not PartKind.EDITORS_NOTE
        ),
        contents_title=entry.title if entry else None,
    )
