"""The documents an issue was imported from, and the report of what became of them."""

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from mailer.newsroom.import_report import note
from mailer.newsroom.models import ImportReport, Issue, SourceDocument
from mailer.newsroom.parsing import parse_documents
from mailer.newsroom.readers.limits import Limits


def list_sources(session: Session, issue_id: int) -> list[SourceDocument]:
    """The files, in the order they were read, without their content; none for an issue that was begun empty."""
    chosen = select(SourceDocument).where(SourceDocument.issue_id == issue_id).order_by(SourceDocument.id)
    return list(session.scalars(chosen.options(defer(SourceDocument.content))))


def find_report(session: Session, issue: Issue) -> ImportReport | None:
    """What was noted at the import. For an issue that was imported before reports were kept, its documents are read
    again (seconds) and the report belongs to no session; `None` for an issue without documents.
    """
    report = session.get(ImportReport, issue.id)
    sources = list_sources(session, issue.id) if report is None else []
    if report is not None or not sources:
        return report
    documents = [(source.content, source.filename) for source in sources]
    # They were taken when the operator's limit allowed them.
    size = sum(len(content) for content, _ in documents)
    bulletin = parse_documents(documents, limits=Limits(max_bytes=size, max_files=len(documents)))
    return ImportReport(issue_id=issue.id, **note(bulletin, [None] * len(bulletin.articles)))
