"""An issue as the press wants it, and what the press makes of it: a preview, or the edition that will be sent."""

from typing import Any

from sqlalchemy.orm import Session

from mailer import links
from mailer.i18n import N_, translate
from mailer.newsletters.models import Newsletter
from mailer.newsletters.rules import Tracking
from mailer.newsroom.models import Article, Issue
from mailer.newsroom.personal import list_fields
from mailer.newsroom.plain_text import paragraph
from mailer.newsroom.wording import correction_subject, propose_preheader, propose_subject
from mailer.press.compiling import Compiled, compile_edition
from mailer.press.content import ArticleContent, Content
from mailer.press.slots import READER_SLOT


def get_content(session: Session, issue: Issue) -> Content:
    """What stands in the issue now, with the web addresses its articles will have for good."""
    newsletter = get_newsletter(session, issue)
    titles = [article.title for article in issue.articles]
    subject = issue.subject or propose_subject(issue, titles, newsletter.language)
    return Content(
        title=issue.title,
        year=issue.year,
        number=issue.number,
        total_number=issue.total_number,
        volume=issue.volume,
        published_on=issue.published_on,
        publisher=issue.publisher,
        editor=issue.editor,
        phone=issue.phone,
        colophon=issue.colophon,
        contact=newsletter.contact,
        subject=correction_subject(subject, newsletter.language) if issue.correction else subject,
        preheader=issue.preheader or propose_preheader(titles, subject),
        language=newsletter.language,
        theme=newsletter.theme,
        theme_options=theme_options_of(newsletter, issue.correction),
        articles=tuple(_article_content(article, newsletter) for article in issue.articles),
        web_url=links.issue_url(newsletter.slug, issue.id),
        archive_url=links.newsletter_url(newsletter.slug),
        is_tracked=newsletter.tracking != Tracking.OFF,
        attributes=tuple(question.key for question in list_fields(session, newsletter.id)),
    )


def theme_options_of(newsletter: Newsletter, correction: str) -> dict[str, Any]:
    """The newsletter's options; a correction stands before everything else, where nobody can miss it."""
    if not correction:
        return newsletter.theme_options
    note = translate(newsletter.language, N_("Correction: %(text)s"), text=correction)
    block = f"<blockquote>{''.join(paragraph(line) for line in note.splitlines() if line.strip())}</blockquote>"
    return newsletter.theme_options | {"header": block + str(newsletter.theme_options.get("header") or "")}


def get_newsletter(session: Session, issue: Issue) -> Newsletter:
    """The newsletter an issue belongs to; a foreign key says that there is one."""
    return session.get_one(Newsletter, issue.newsletter_id)


def compile_issue(session: Session, issue: Issue) -> Compiled:
    """The issue as it stands, with its own addresses: for the preview, and for the hash that is submitted, which is
    the same that an edition of it has. Raises `CompositionError`.
    """
    return compile_edition(get_content(session, issue))


def compile_for(content: Content, edition_id: int) -> Compiled:
    """`content` as edition `edition_id` will be mailed: every link carries that number, it and the pixel a slot for
    the reader, unless the newsletter does not track at all. Raises `CompositionError`.
    """

    def click_url(ordinal: int, url: str) -> str:
        return links.click_url(links.LinkTarget(edition_id, ordinal, url), READER_SLOT)

    return compile_edition(content, click_url=click_url, pixel_url=links.pixel_url(READER_SLOT))


def _article_content(article: Article, newsletter: Newsletter) -> ArticleContent:
    return ArticleContent(
        key=article.id,
        title=article.title,
        section=article.section,
        source=article.source,
        page=article.page,
        body=article.body,
        url=links.article_url(newsletter.slug, article.issue_id, article.id),
    )
