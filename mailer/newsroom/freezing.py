"""An approved issue becomes an edition: compiled with its own number, and never touched again."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsroom.compiling import compile_for, get_content
from mailer.newsroom.edition_models import MASTHEAD, Edition, EditionArticle, EditionLink
from mailer.newsroom.models import Issue
from mailer.press.compiling import Compiled
from mailer.press.content import Content

NOT_WHAT_WAS_SUBMITTED = N_(
    "The mail would differ from what was submitted, because the newsletter's settings or its theme have changed. "
    "Return the issue, so that it is looked at and submitted again."
)


def freeze(session: Session, issue: Issue, *, submitted_hash: str | None) -> Edition:
    """The issue's next edition. Raises `RuleError` where the mail would not be what was submitted."""
    # The number is taken first, because every link inside carries it; the row is written whole and never touched.
    edition_id: int = session.scalar(select(func.nextval(func.pg_get_serial_sequence("editions", "id"))))  # type: ignore[assignment]
    ordinal = session.scalar(
        select(func.coalesce(func.max(Edition.ordinal), 0) + 1).where(Edition.issue_id == issue.id)
    )
    content = get_content(session, issue)
    compiled = compile_for(content, edition_id)
    if compiled.content_hash != submitted_hash:
        raise RuleError(NOT_WHAT_WAS_SUBMITTED)
    edition = Edition(
        id=edition_id,
        issue_id=issue.id,
        ordinal=ordinal,
        subject=compiled.subject,
        preheader=compiled.preheader,
        theme=compiled.theme,
        language=compiled.language,
        html=compiled.html,
        text=compiled.text,
        content_hash=compiled.content_hash,
        masthead=_masthead(content) | ({"correction": issue.correction} if issue.correction else {}),
        links=_links(compiled),
        articles=_articles(content),
    )
    session.add(edition)
    session.flush()
    return edition


def _masthead(content: Content) -> dict[str, Any]:
    masthead = {name: getattr(content, name) for name in MASTHEAD}
    if content.published_on is not None:
        masthead["published_on"] = content.published_on.isoformat()
    # What may stand in braces is the lists' business and may change; the web edition shows what was approved.
    if content.attributes:
        masthead["attributes"] = list(content.attributes)
    return masthead


def _links(compiled: Compiled) -> list[EditionLink]:
    return [
        EditionLink(ordinal=link.ordinal, url=link.url, article_id=link.article_key, label=link.label[:300])
        for link in compiled.links
    ]


def _articles(content: Content) -> list[EditionArticle]:
    frozen = []
    for position, article in enumerate(content.articles, 1):
        values = asdict(article)
        frozen.append(
            EditionArticle(
                article_id=article.key,
                position=position,
                **{name: values[name] for name in ("title", "section", "source", "page", "body")},
            )
        )
    return frozen
