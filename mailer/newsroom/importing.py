"""Documents become an issue: parsed, stored as a draft with their sources and the report of what became of them, and
what was not sure told as warnings.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.errors import UnreadableError
from mailer.i18n import N_, translate
from mailer.newsletters import get_newsletter
from mailer.newsletters.models import Newsletter
from mailer.newsroom import editing
from mailer.newsroom.bodies import body_of
from mailer.newsroom.fields import ARTICLE_LINES, COLOPHON_LIMIT, ISSUE_LINES, clean_line
from mailer.newsroom.import_report import note
from mailer.newsroom.models import Article, ImportReport, Issue, SourceDocument
from mailer.newsroom.parsing import parse_documents
from mailer.newsroom.pictures import ALT_LENGTH, as_html, keep_picture
from mailer.newsroom.readers.limits import limits_of
from mailer.newsroom.readers.several import FROM_HERE
from mailer.newsroom.readers.telling import Progress, Stage, Tell
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedBulletin
from mailer.newsroom.structure.describing import colophon_of, publishers_of
from mailer.newsroom.structure.typography import squeeze
from mailer.newsroom.wording import issue_name
from mailer.settings import get_settings

Warnings = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody sent it; of its name only the last part counts, whatever system it came from."""

    filename: str
    content: bytes

    @property
    def name(self) -> str:
        """What pages call it."""
        return PurePosixPath(self.filename.replace("\\", "/")).name[-255:]


def import_document(
    session: Session, newsletter_id: int, *, filename: str, content: bytes, by: Account | None
) -> Issue:
    """A new draft of the newsletter, made of one document; see `read_uploads` and `store_issue`."""
    uploads = [Upload(filename, content)]
    get_newsletter(session, newsletter_id)
    return store_issue(session, newsletter_id, uploads, read_uploads(uploads), by=by)


def read_uploads(uploads: Sequence[Upload], *, tell: Tell | None = None) -> ParsedBulletin:
    """The files, in their order, as one bulletin, within the operator's limits; `tell` hears how far it has come. Takes
    seconds and needs no database: the caller holds no transaction open meanwhile.

    Raises `UnreadableFilesError` with what is wrong with each file that cannot be read, or `UnreadableError` for what
    is wrong with all of them together.
    """
    limits = limits_of(get_settings())
    return parse_documents([(one.content, one.name) for one in uploads], limits=limits, tell=tell)


def store_issue(
    session: Session,
    newsletter_id: int,
    uploads: Sequence[Upload],
    bulletin: ParsedBulletin,
    *,
    by: Account | None,
    tell: Tell | None = None,
) -> Issue:
    """A new draft of the newsletter with its documents and the report of what became of them. Numbers are the
    document's own, never proposed: an unknown one stays unknown, and its warning stays until an editor puts it aside.
    """
    newsletter = get_newsletter(session, newsletter_id)
    if tell is not None:
        tell(Progress(Stage.STORING))
    warnings: Warnings = [one.as_json() for one in bulletin.warnings if one.message != FROM_HERE]
    issue = editing.create_issue(session, newsletter_id, by=by, **_masthead(bulletin, newsletter, warnings))
    digests = [hashlib.sha256(one.content).hexdigest() for one in uploads]
    _doubt_the_documents(session, issue, bulletin, newsletter, digests, warnings)
    pictures = _keep_pictures(session, bulletin, by, warnings)
    made = [_add(session, issue, article, bulletin, by, warnings, pictures).id for article in bulletin.articles]
    issue.warnings = warnings
    session.add(ImportReport(issue_id=issue.id, **note(bulletin, made)))
    for upload, digest in zip(uploads, digests, strict=True):
        session.add(
            SourceDocument(
                issue_id=issue.id,
                filename=upload.name,
                encoding=bulletin.encoding[:32],
                sha256=digest,
                content=upload.content,
                uploaded_by=None if by is None else by.id,
            )
        )
        # One after the other: their numbers tell their order.
        session.flush()
    accounts.record(
        session,
        by=by,
        action="issue.imported",
        subject_type="issue",
        subject_id=issue.id,
        sha256=digests[0],
        files=len(uploads),
        articles=len(made),
        warnings=len(warnings),
    )
    return issue


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
) -> Article:
    language = "zh_CN" if bulletin.language.startswith("zh") else "en"
    title = article.title or next(iter(article.paragraphs), "")[:30] or translate(language, N_("Untitled"))
    return editing.add_article(
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
    most = get_settings().document_pictures
    parts = (part for article in bulletin.articles for part in article.parts)
    used = dict.fromkeys(
        (part.picture, part.lines[0] if part.lines else None) for part in parts if part.picture is not None
    )
    for index, line in list(used)[:most]:
        picture = bulletin.pictures[index]
        try:
            kept[index] = as_html(
                keep_picture(session, picture.content, by=by), clean_line(picture.alt[:ALT_LENGTH], ALT_LENGTH)
            )
        except UnreadableError as error:
            warnings.append({"message": error.message, "params": error.params, "line": line})
    if len(used) > most:
        message = N_("Only the first %(most)s pictures were kept; the others are left as words.")
        warnings.append({"message": message, "params": {"most": str(most)}, "line": None})
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


def _doubt_the_documents(
    session: Session,
    issue: Issue,
    bulletin: ParsedBulletin,
    newsletter: Newsletter,
    digests: Sequence[str],
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
        .where(SourceDocument.sha256.in_(digests), Issue.newsletter_id == newsletter.id, Issue.id != issue.id)
        .limit(1)
    )
    if twin is not None:
        called = issue_name(twin, newsletter.language)
        message = (
            N_("One of these files was imported before, for “%(issue)s”.")
            if len(digests) > 1
            else N_("This very file was imported before, as “%(issue)s”.")
        )
        warnings.insert(0, {"message": message, "params": {"issue": called}, "line": None})
