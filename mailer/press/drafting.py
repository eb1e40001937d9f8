"""A draft: an edition whose links still are tokens, made to fit what Gmail shows of a mail."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from mailer.press import wording
from mailer.press.bodies import Body
from mailer.press.content import ArticleContent, Content
from mailer.press.linking import Link, LinkRegister, place_links
from mailer.press.plaintext import tidy, width
from mailer.press.rendering import inline_css, render
from mailer.press.themes import get_theme

# Gmail clips at about 102 KB of HTML, counted after link rewriting.
BUDGET_BYTES = 90_000
# Of a few hundred kilobytes each, in every process.
DRAFTS_KEPT = 16
# A tracked address is public URL, signed target in base64 and reader token; 150 covers the first and the last.
_TRACKED_OVERHEAD = 150


@dataclass(frozen=True, slots=True)
class Draft:
    """HTML with link tokens, the text part, the links, and the keys of articles cut to an abstract."""

    html: str
    text: str
    links: tuple[Link, ...]
    abridged: frozenset[int]


def draft_edition(content: Content) -> Draft:
    """The whole content where it fits, else with as few articles abridged as will do, the longest first. Where the
    newsletter wants abstracts, every article that is longer than one is abridged to begin with.

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
    page = _fitting_page(pages, whole.content)
    # Not before: an issue far too long is drawn several times as HTML, and its text is as much work again.
    return Draft(page.html, pages.draw_text(page.abridged), page.links, page.abridged)


def _fitting_page(pages: "_Pages", content: Content) -> "_Page":
    """Drawing is what costs, so the count is not halved towards but guessed, by what each body has too many of, and the
    guess proved: a page that fits, and the one with an article more that does not.
    """

    def draw(count: int) -> tuple[_Page, int]:
        page = pages.draw_html(chosen | set(keys[:count]))
        return page, page.nominal_size(is_tracked=content.is_tracked)

    chosen = pages.abstracts
    others = [article for article in content.articles if article.url and article.key not in chosen]
    keys = [article.key for article in sorted(others, key=lambda article: -len(article.body))]
    whole, size = draw(0)
    if size <= BUDGET_BYTES:
        return whole
    best, least = draw(len(keys))
    # What fits is kept as `best`; a page that is too long even so has nothing more to give.
    low, high = (1, len(keys) - 1) if least <= BUDGET_BYTES else (1, 0)
    guess = _guess(size, least, pages.savings(keys))
    while low <= high:
        count = min(max(guess, low), high)
        page, size = draw(count)
        if size <= BUDGET_BYTES:
            best, high, guess = page, count - 1, count - 1
        else:
            low, guess = count + 1, count + 1
    return best


def _guess(whole: int, least: int, savings: Sequence[int]) -> int:
    """How many articles must be abridged, when the page of `whole` bytes shrinks to `least` with all of them, each
    giving its share.
    """
    worth = (whole - least) / max(1, sum(savings))
    size = float(whole)
    for count, saving in enumerate(savings, 1):
        size -= saving * worth
        if size <= BUDGET_BYTES:
            return count
    return len(savings)


@dataclass(frozen=True, slots=True)
class _Page:
    """A draft's HTML, before anybody knows that it is the one to keep."""

    html: str
    links: tuple[Link, ...]
    abridged: frozenset[int]

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
    def abstracts(self) -> frozenset[int]:
        """Keys of the articles that the newsletter wants as abstracts, whatever their number."""
        if not self._theme.is_abstract:
            return frozenset()
        return frozenset(a.key for a in self._content.articles if a.url and self._bodies[a.key].is_long)

    def savings(self, keys: Sequence[int]) -> list[int]:
        """About how much shorter the page gets by each of these articles, in bytes before their rules are inlined."""

        def length(key: int, *, is_abridged: bool) -> int:
            return len(self._bodies[key].as_html(LinkRegister(), key, is_abridged=is_abridged).encode())

        return [length(key, is_abridged=False) - length(key, is_abridged=True) for key in keys]

    def draw_html(self, abridged: frozenset[int]) -> _Page:
        links = LinkRegister()

        # Markup: sanitised, and escaped by the serialiser that wrote it.
        def body(article: ArticleContent) -> Markup:
            return Markup(  # noqa: S704
                self._bodies[article.key].as_html(
                    links, article.key, is_abridged=article.key in abridged, heading=self._inner_heading
                )
            )

        def block(name: str) -> Markup:
            return Markup(self._blocks[name].as_html(links, None, heading="p"))  # noqa: S704

        html = self._render("edition.html", abridged, link=links.add, body=body, block_body=block)
        return _Page(inline_css(html), tuple(links.links), abridged)

    def draw_text(self, abridged: frozenset[int]) -> str:
        notes: list[str] = []

        def body(article: ArticleContent) -> TextBody:
            return _note(notes, self._bodies[article.key], is_abridged=article.key in abridged)

        def block(name: str) -> TextBody:
            return _note(notes, self._blocks[name], is_abridged=False)

        return tidy(self._render("edition.txt", abridged, body=body, block_body=block))

    def _render(self, name: str, abridged: frozenset[int], **functions: Any) -> str:
        """A theme has a page of its own; its text is that of all themes unless it brings one."""
        values = {**self._common, "abridged": abridged, **functions}
        return render(f"{self._theme.name}/{name}", self._content.language, otherwise=f"shared/{name}", **values)


@dataclass(frozen=True, slots=True)
class TextBody:
    """An article for the text part: its lines, and the addresses behind its links with their numbers."""

    text: str
    notes: tuple[tuple[int, str], ...]


def _note(notes: list[str], body: Body, *, is_abridged: bool) -> TextBody:
    """`body` as text; the addresses behind its links join `notes`."""
    known = len(notes)
    text = body.as_text(notes, is_abridged=is_abridged)
    return TextBody(text, tuple(enumerate(notes[known:], known + 1)))
