"""A document becomes an issue: parsed, stored as a draft with its source, and what was not sure told as warnings."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.errors import NotFoundError, UnreadableError
from mailer.i18n import N_, translate
from mailer.newsletters.models import Newsletter
from mailer.newsroom import editing
from mailer.newsroom.bodies import body_of
from mailer.newsroom.fields import ARTICLE_LINES, COLOPHON_LIMIT, ISSUE_LINES, clean_line
from mailer.newsroom.models import Issue, SourceDocument
from mailer.newsroom.parsing import parse_document
from mailer.newsroom.pictures import ALT_LENGTH, as_html, keep_picture
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin
from mailer.newsroom.structure.describing import colophon_of, publishers_of
from mailer.newsroom.structure.typography import squeeze
from mailer.newsroom.wording import issue_name
from mailer.settings import get_settings

Warnings = list[dict[str, Any]]
# Of one document; encoding one takes a tenth of a second.
MOST_PICTURES = 60


def import_document(
    session: Session, newsletter_id: int, *, filename: str, content: bytes, by: Account | None
) -> Issue:
    """A new draft of the newsletter, made of a document. Numbers are the document's own, never proposed: an unknown
    one stays unknown, and its warning stays until an editor puts it aside.

    Raises `UnreadableError` for a file that cannot be read, and then nothing is stored.
    """
    newsletter = session.get(Newsletter, newsletter_id)
    if newsletter is None:
        raise NotFoundError(N_("There is no such newsletter."))
    name = PurePosixPath(filename.replace("\\", "/")).name[-255:]
    bulletin = parse_document(content, name, max_bytes=max_bytes())
    warnings: Warnings = [warning.as_json() for warning in bulletin.warnings]
    issue = editing.create_issue(session, newsletter_id, by=by, **_masthead(bulletin, newsletter, warnings))
    digest = hashlib.sha256(content).hexdigest()
    _doubt_the_document(session, issue, bulletin, newsletter, digest, warnings)
    pictures = _keep_pictures(session, bulletin, by, warnings)
    for article in bulletin.articles:
        _add(session, issue, article, bulletin, by, warnings, pictures)
    issue.warnings = warnings
    session.add(
        SourceDocument(
            issue_id=issue.id,
            filename=name,
            encoding=bulletin.encoding[:32],
            sha256=digest,
            content=content,
            uploaded_by=None if by is None else by.id,
        )
    )
    session.flush()
    accounts.record(
        session,
        by=by,
        action="issue.imported",
        subject_type="issue",
        subject_id=issue.id,
        sha256=digest,
        articles=len(bulletin.articles),
        warnings=len(warnings),
    )
    return issue


def max_bytes() -> int:
    """Of a document; the operator's choice."""
    return get_settings().max_upload_mb * 2**20


def find_source(session: Session, issue_id: int) -> SourceDocument | None:
    """The document an issue was imported from; `None` for one that was begun empty."""
    return session.scalar(
        select(SourceDocument).where(SourceDocument.issue_id == issue_id).order_by(SourceDocument.id.desc()).limit(1)
    )


def locate_titles(lines: Sequence[str], titles: dict[int, str]) -> dict[int, int]:
    """Where in the source (line, from 1) each article's title stands; left out where it cannot be found. The last
    place counts: the contents list comes before the articles.
    """
    wanted = {squeeze(title): key for key, title in titles.items()}
    places = {}
    for number, line in enumerate(lines, 1):
        key = wanted.get(squeeze(line).strip("#*"))
        if key is not None:
            places[key] = number
    return places


def _masthead(bulletin: ParsedBulletin, newsletter: Newsletter, warnings: Warnings) -> dict[str, Any]:
    lines = {
        "title": bulletin.title or newsletter.title,
        "number": bulletin.number,
        "total_number": bulletin.total_number,
        "volume": bulletin.volume,
        "publisher": publishers_of(bulletin),
        "editor": bulletin.editor,
        "phone": bulletin.phone,
    }
    return {
        **{name: _fit(text, ISSUE_LINES[name], warnings) for name, text in lines.items()},
        "year": bulletin.year,
        "published_on": bulletin.date,
        "colophon": colophon_of(bulletin)[:COLOPHON_LIMIT],
    }


def _add(
    session: Session,
    issue: Issue,
    article: ParsedArticle,
    bulletin: ParsedBulletin,
    by: Account | None,
    warnings: Warnings,
    pictures: dict[int, str],
) -> None:
    language = "zh_CN" if bulletin.language.startswith("zh") else "en"
    title = article.title or next(iter(article.paragraphs), "")[:30] or translate(language, N_("Untitled"))
    editing.add_article(
        session,
        issue,
        by=by,
        title=_fit(title, ARTICLE_LINES["title"], warnings, article.line),
        section=_fit(article.section, ARTICLE_LINES["section"], warnings, article.line),
        source=_fit(article.source, ARTICLE_LINES["source"], warnings, article.line),
        page=article.page,
        body=body_of(article, language, pictures),
    )


def _keep_pictures(
    session: Session, bulletin: ParsedBulletin, by: Account | None, warnings: Warnings
) -> dict[int, str]:
    """The pictures that articles show, as HTML by their index; one that cannot be read is told, and its words stay."""
    kept = {}
    parts = (part for article in bulletin.articles for part in article.parts)
    used = dict.fromkeys(
        (part.picture, part.lines[0] if part.lines else None) for part in parts if part.picture is not None
    )
    for index, line in list(used)[:MOST_PICTURES]:
        picture = bulletin.pictures[index]
        try:
            kept[index] = as_html(
                keep_picture(session, picture.content, by=by), clean_line(picture.alt[:ALT_LENGTH], ALT_LENGTH)
            )
        except UnreadableError as error:
            warnings.append({"message": error.message, "params": error.params, "line": line})
    if len(used) > MOST_PICTURES:
        message = N_("Only the first %(most)s pictures were kept; the others are left as words.")
        warnings.append({"message": message, "params": {"most": str(MOST_PICTURES)}, "line": None})
    return kept


def _fit(text: str | None, limit: int, warnings: Warnings, line: int | None = None) -> str:
    """`text`, cut where it is longer than its field, which is told."""
    whole = text or ""
    if len(whole) <= limit:
        return whole
    warnings.append(
        {
            "message": N_("“%(start)s…” was longer than its field takes (%(limit)s characters) and has been cut."),
            "params": {"start": whole[:20], "limit": str(limit)},
            "line": line,
        }
    )
    return whole[:limit]


def _doubt_the_document(
    session: Session,
    issue: Issue,
    bulletin: ParsedBulletin,
    newsletter: Newsletter,
    digest: str,
    warnings: Warnings,
) -> None:
    """Warns of a document of another newsletter, and of one that was imported before."""
    if bulletin.title and squeeze(bulletin.title) != squeeze(newsletter.title):
        message = N_("The document is called “%(title)s”, the newsletter “%(newsletter)s”. Is it the right one?")
        params = {"title": bulletin.title, "newsletter": newsletter.title}
        warnings.insert(0, {"message": message, "params": params, "line": None})
    twin = session.scalar(
        select(Issue)
        .join(SourceDocument, SourceDocument.issue_id == Issue.id)
        .where(SourceDocument.sha256 == digest, Issue.newsletter_id == newsletter.id, Issue.id != issue.id)
        .limit(1)
    )
    if twin is not None:
        called = issue_name(twin, newsletter.language)
        message = N_("This very file was imported before, as “%(issue)s”.")
        warnings.insert(0, {"message": message, "params": {"issue": called}, "line": None})
