"""An edition as the web shows it: what was approved and sent, out of its frozen masthead and articles."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from lxml import html
from markupsafe import Markup
from sqlalchemy.orm import Session

from mailer import links
from mailer.i18n import N_, translate
from mailer.newsletters.models import Newsletter
from mailer.newsroom.edition_models import MASTHEAD, Edition, EditionArticle
from mailer.newsroom.editions import list_titles
from mailer.newsroom.models import Issue
from mailer.press import wording
from mailer.press.bodies import Body
from mailer.press.content import HTML_LANGUAGES, ArticleContent, Content
from mailer.press.drafting import group_sections, title_size
from mailer.press.linking import LinkRegister, place_links
from mailer.press.slots import NAME, fill_html, fill_text, place_editors_slots

# Pixels; the measure of the page's column.
PICTURE_WIDTH = 760


@dataclass(frozen=True, slots=True)
class IssueCard:
    """A sent issue in a list; `number` is the line under its title, `titles` the first of its articles. Of one that was
    retracted nothing is told but when.
    """

    issue_id: int
    title: str
    number: str
    published_on: dt.date | None
    titles: tuple[str, ...]
    language: str
    retracted_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class WebEdition:
    """What the page of an issue shows, in the issue's language whatever the reader's."""

    content: Content
    language: str
    number: str
    date: str
    colophon: list[str]
    sections: list[tuple[str, list[ArticleContent]]]
    title_size: int

    def words(self, message: str, **params: object) -> str:
        """A word of the page in the issue's language, such as its heading "Contents"."""
        return translate(self.content.language, message, **params)

    @property
    def has_sections(self) -> bool:
        """Whether articles stand under headings of their own."""
        return any(section for section, _ in self.sections)

    def body(self, article: ArticleContent) -> Markup:
        """The article's HTML, headings one below the article's own."""
        return body_of(article, self.content, is_demoted=self.has_sections)


def list_cards(session: Session, newsletter: Newsletter, published: Sequence[tuple[Issue, Edition]]) -> list[IssueCard]:
    """Sent issues with their editions, for a list."""
    titles = list_titles(session, [edition.id for _, edition in published])
    return [_card(newsletter, issue, edition, titles[edition.id]) for issue, edition in published]


def _card(newsletter: Newsletter, issue: Issue, edition: Edition, titles: Sequence[str]) -> IssueCard:
    content = _masthead_of(newsletter, issue, edition)
    return IssueCard(
        issue_id=issue.id,
        title=content.title,
        number=wording.issue_line(content),
        published_on=content.published_on or (issue.first_sent_at.date() if issue.first_sent_at else None),
        titles=() if issue.retracted_at else tuple(titles[:3]),
        language=HTML_LANGUAGES.get(content.language, content.language),
        retracted_at=issue.retracted_at,
    )


def picture_of(body: str) -> str | None:
    """The first of our own pictures in an article: what another site shows beside a link to it."""
    sources = html.fragment_fromstring(body or "<p></p>", create_parent="div").xpath(".//img/@src")
    return next((str(source) for source in sources if links.read_media_url(str(source)) is not None), None)


def name_of(newsletter: Newsletter, issue: Issue, edition: Edition) -> str:
    """Title and number of an edition: a feed's entry, a file."""
    content = _masthead_of(newsletter, issue, edition)
    return " ".join(part for part in (content.title, wording.issue_line(content)) if part)


def show(newsletter: Newsletter, issue: Issue, edition: Edition) -> WebEdition:
    """`edition` for its page."""
    content = content_of(newsletter, issue, edition)
    return replace(
        show_masthead(newsletter, issue, edition),
        content=content,
        colophon=wording.colophon_lines(content),
        sections=group_sections(content.articles),
    )


def show_masthead(newsletter: Newsletter, issue: Issue, edition: Edition) -> WebEdition:
    """`edition` without its articles and its colophon: for a page that does not show it."""
    content = _masthead_of(newsletter, issue, edition)
    return WebEdition(
        content=content,
        language=HTML_LANGUAGES.get(content.language, content.language),
        number=wording.issue_line(content),
        date=wording.date_line(content),
        colophon=[],
        sections=[],
        title_size=title_size(content.title),
    )


def content_of(newsletter: Newsletter, issue: Issue, edition: Edition) -> Content:
    """The content the edition was compiled of. The contact alone is today's: it must reach somebody."""
    articles = tuple(_article(newsletter, issue, article) for article in edition.articles)
    return replace(_masthead_of(newsletter, issue, edition), articles=articles)


def text_of(body: str, edition: Edition) -> str:
    """What an article of `edition` says, on one line, as a reader sees it."""
    words = " ".join(Body(body, language=edition.language, own_host="").words.split())
    slotted = place_editors_slots(words, attributes_of(edition))
    return fill_text(slotted, {NAME: translate(edition.language, N_("reader"))})


def attributes_of(edition: Edition) -> tuple[str, ...]:
    """The keys that stood for something in braces when the edition was approved."""
    return tuple(edition.masthead.get("attributes", ()))


def _masthead_of(newsletter: Newsletter, issue: Issue, edition: Edition) -> Content:
    """The content without its articles."""
    frozen: dict[str, Any] = {name: edition.masthead.get(name) for name in MASTHEAD}
    texts: dict[str, Any] = {name: frozen.pop(name) or "" for name in ("publisher", "editor", "phone", "colophon")}
    published_on = frozen.pop("published_on")
    return Content(
        title=frozen.pop("title") or issue.title,
        published_on=dt.date.fromisoformat(published_on) if published_on else None,
        **frozen,
        **texts,
        contact=newsletter.contact,
        subject=edition.subject,
        preheader=edition.preheader,
        language=edition.language,
        theme=edition.theme,
        articles=(),
        web_url=links.issue_url(newsletter.slug, issue.id),
        archive_url=links.newsletter_url(newsletter.slug),
        is_tracked=False,
        attributes=attributes_of(edition),
    )


def _article(newsletter: Newsletter, issue: Issue, article: EditionArticle) -> ArticleContent:
    return ArticleContent(
        key=article.article_id,
        title=article.title,
        section=article.section,
        source=article.source,
        page=article.page,
        body=article.body,
        url=links.article_url(newsletter.slug, issue.id, article.article_id),
    )


def body_of(article: ArticleContent, content: Content, *, is_demoted: bool = False) -> Markup:
    """The article's HTML as in the mail: sanitised again, pictures of foreign hosts made links, its links plain.

    On the web nobody is addressed by name: where an editor wrote ``{{ name }}`` stands "reader", and a fallback where
    one was given.
    """
    register = LinkRegister()
    own_host = urlsplit(content.web_url).hostname or ""
    body = Body(
        article.body,
        language=content.language,
        own_host=own_host,
        picture_width=PICTURE_WIDTH,
        attributes=content.attributes,
    )
    inner = body.as_html(register, article.key, heading="h4" if is_demoted else "h3")
    plain = place_links(inner, register.links, lambda _, url: url)
    # Markup: sanitised, and escaped by the serialiser that wrote it.
    return Markup(fill_html(plain, {NAME: translate(content.language, N_("reader"))}))  # noqa: S704
