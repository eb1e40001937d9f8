"""A draft: an edition whose links still are tokens, made to fit what Gmail shows of a mail."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from mailer.press import wording
from mailer.press.abridging import Length
from mailer.press.bodies import Body
from mailer.press.content import ArticleContent, Content
from mailer.press.fitting import Stage, fit
from mailer.press.linking import Link, LinkRegister, place_links
from mailer.press.plaintext import tidy, width
from mailer.press.rendering import inline_css, render
from mailer.press.themes import get_theme

# Of a few hundred kilobytes each, in every process.
DRAFTS_KEPT = 16
# What stands about a body: its title, its button, the line that parts it from the next, and their rules.
_FRAME_BYTES = 1_200
# A tracked address is public URL, signed target in base64 and reader token; 150 covers the first and the last.
_TRACKED_OVERHEAD = 150


@dataclass(frozen=True, slots=True)
class Draft:
    """HTML with link tokens, the text part, the links, and the articles (by their keys) that are not whole."""

    html: str
    text: str
    links: tuple[Link, ...]
    shortened: Mapping[int, Length]


def draft_edition(content: Content) -> Draft:
    """The whole content where it fits, else with as few articles shortened as will do: the longest become abstracts;
    where that is not enough, the last ones become briefs, and where that is not enough either, the last ones stand in
    the contents only. Where the newsletter wants abstracts, every article longer than one is one to begin with.

    The last drafts are kept by all that their content says: one preview asks for its own several times, for the page,
    the frame and the checks, and again for each look of it. A template that was changed is seen after a start.
    """
    return _draft(_Whole(content, json.dumps(asdict(content), ensure_ascii=False, sort_keys=True, default=str)))


@dataclass(frozen=True, slots=True)
class _Whole:
    """A content known by everything in it: of itself it is not hashable."""

    content: Content = field(compare=False)
    said: str


@lru_cache(maxsize=DRAFTS_KEPT)
def _draft(whole: _Whole) -> Draft:
    pages = _Pages(whole.content)

    def draw(lengths: Mapping[int, Length]) -> tuple[_Page, int]:
        page = pages.draw_html(lengths)
        return page, page.nominal_size(is_tracked=whole.content.is_tracked)

    page = fit(draw, pages.wanted, pages.stages)
    # Not before: an issue far too long is drawn several times as HTML, and its text is as much work again.
    return Draft(page.html, pages.draw_text(page.shortened), page.links, page.shortened)


@dataclass(frozen=True, slots=True)
class _Page:
    """A draft's HTML, before anybody knows that it is the one to keep."""

    html: str
    links: tuple[Link, ...]
    shortened: Mapping[int, Length]

    def nominal_size(self, *, is_tracked: bool) -> int:
        """Bytes of the HTML with its addresses in, as they will be about: the same for a preview and for the edition
        made of it, since both must cut the same articles.
        """

        def stand_in(_: int, url: str) -> str:
            return "x" * (len(url.encode()) * 4 // 3 + _TRACKED_OVERHEAD) if is_tracked else url

        return len(place_links(self.html, self.links, stand_in).encode())


def group_sections(articles: Sequence[ArticleContent]) -> list[tuple[str, list[ArticleContent]]]:
    """Articles in their order, neighbours of one section together; ``""`` where an article has none."""
    return [(section, list(group)) for section, group in groupby(articles, key=lambda article: article.section)]


def title_size(title: str) -> int:
    """1 (a few large characters) to 4 (a long line): the masthead stays on one line of 640 pixels, and of a phone."""
    columns = width(title)
    return 1 + (columns > 12) + (columns > 18) + (columns > 24)


class _Pages:
    """Draws the pages of one content; its bodies are parsed once."""

    def __init__(self, content: Content) -> None:
        own_host = urlsplit(content.web_url).hostname or ""
        self._content = content
        self._theme = theme = get_theme(
            content.theme, content.theme_options, own_host=own_host, language=content.language
        )

        def parse(html: str) -> Body:
            picture_width = theme.width - 2 * theme.margin
            return Body(
                html,
                language=content.language,
                own_host=own_host,
                picture_width=picture_width,
                attributes=content.attributes,
            )

        self._blocks = {"header": parse(theme.header), "closing": parse(theme.footer)}
        self._bodies = {article.key: parse(article.body) for article in content.articles}
        has_sections = any(article.section for article in content.articles)
        # Headings in order: title h1, section h2, article h3; without sections an article is h2.
        self._inner_heading = "h4" if has_sections else "h3"
        places = {article.key: number for number, article in enumerate(content.articles, 1)}
        self._common = {
            "content": content,
            "theme": theme,
            "sections": group_sections(content.articles),
            "has_sections": has_sections,
            "has_pages": any(article.page for article in content.articles),
            "heading": "h3" if has_sections else "h2",
            "mark": lambda article: places[article.key] if theme.mark == "number" else theme.mark,
            "title_size": title_size(content.title),
            # Letters set apart are the look of Chinese mastheads, not of Latin ones.
            "is_title_latin": content.title.isascii(),
            "issue_line": wording.issue_line(content),
            "date_line": wording.date_line(content),
            "imprint_parts": wording.imprint_parts(content),
            "colophon_lines": wording.colophon_lines(content),
        }

    @property
    def wanted(self) -> dict[int, Length]:
        """What the newsletter wants as abstracts, whatever there is room for."""
        return dict.fromkeys(self._longer_than(Length.ABSTRACT), Length.ABSTRACT) if self._theme.is_abstract else {}

    @cached_property
    def stages(self) -> list[Stage]:
        """In what order articles are shortened. The first articles of an issue are its most important: they keep their
        text the longest.
        """
        long = [key for key in self._longer_than(Length.ABSTRACT) if key not in self.wanted]
        size = {article.key: len(article.body) for article in self._content.articles}
        return [
            self._stage(Length.ABSTRACT, Length.WHOLE, sorted(long, key=lambda key: -size[key])),
            self._stage(Length.BRIEF, Length.ABSTRACT, self._longer_than(Length.BRIEF)[::-1]),
            self._stage(Length.LISTED, Length.BRIEF, [a.key for a in self._content.articles if a.url][::-1]),
        ]

    def _longer_than(self, length: Length) -> list[int]:
        return [a.key for a in self._content.articles if a.url and self._bodies[a.key].is_longer_than(length)]

    def _stage(self, to: Length, at: Length, keys: Sequence[int]) -> Stage:
        def size(key: int, length: Length) -> int:
            if length is Length.LISTED:
                return -_FRAME_BYTES
            return len(self._bodies[key].as_html(LinkRegister(), key, length=length).encode())

        return Stage(to, keys, [size(key, at) - size(key, to) for key in keys])

    def draw_html(self, lengths: Mapping[int, Length]) -> _Page:
        links = LinkRegister()

        # Markup: sanitised, and escaped by the serialiser that wrote it.
        def body(article: ArticleContent) -> Markup:
            return Markup(  # noqa: S704
                self._bodies[article.key].as_html(
                    links,
                    article.key,
                    length=lengths.get(article.key, Length.WHOLE),
                    heading=self._inner_heading,
                )
            )

        def block(name: str) -> Markup:
            return Markup(self._blocks[name].as_html(links, None, heading="p"))  # noqa: S704

        html = self._render("edition.html", lengths, link=links.add, body=body, block_body=block)
        return _Page(inline_css(html), tuple(links.links), lengths)

    def draw_text(self, lengths: Mapping[int, Length]) -> str:
        notes: list[str] = []

        def body(article: ArticleContent) -> TextBody:
            return _note(notes, self._bodies[article.key], lengths.get(article.key, Length.WHOLE))

        def block(name: str) -> TextBody:
            return _note(notes, self._blocks[name], Length.WHOLE)

        return tidy(self._render("edition.txt", lengths, body=body, block_body=block))

    def _render(self, name: str, lengths: Mapping[int, Length], **functions: Any) -> str:
        """A theme has a page of its own; its text is that of all themes unless it brings one."""
        listed = frozenset(key for key, length in lengths.items() if length is Length.LISTED)
        shown = [article for article in self._content.articles if article.key not in listed]
        values = {
            **self._common,
            "shown": group_sections(shown),
            "abridged": frozenset(lengths) - listed,
            "listed": listed,
            **functions,
        }
        return render(f"{self._theme.name}/{name}", self._content.language, otherwise=f"shared/{name}", **values)


@dataclass(frozen=True, slots=True)
class TextBody:
    """An article for the text part: its lines, and the addresses behind its links with their numbers."""

    text: str
    notes: tuple[tuple[int, str], ...]


def _note(notes: list[str], body: Body, length: Length) -> TextBody:
    """`body` as text; the addresses behind its links join `notes`."""
    known = len(notes)
    text = body.as_text(notes, length=length)
    return TextBody(text, tuple(enumerate(notes[known:], known + 1)))
