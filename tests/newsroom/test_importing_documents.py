"""A Word document and a PDF become issues like a text does; what is refused leaves nothing behind."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.errors import UnreadableError
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import ImportReport, Issue
from mailer.newsroom.sources import list_sources
from tests.newsroom.documents import Setting, Way, make_docx, make_pdf
from tests.newsroom.making import make_newsletter


@pytest.mark.parametrize("name", ["简报.docx", "简报.pdf"])
def test_a_document_of_another_kind_becomes_an_issue(session: Session, name: str) -> None:
    made = make_docx(Way("import", has_sections=True)) if name.endswith("docx") else make_pdf(Setting("import"))
    content, truth = made
    newsletter = make_newsletter(session, title="望川科技要情")
    issue = import_document(session, newsletter.id, filename=name, content=content, by=None)
    session.commit()
    assert (issue.title, issue.number, issue.editor) == ("望川科技要情", "11", "石玥")
    assert [article.title for article in issue.articles] == truth.titles
    assert [article.page for article in issue.articles] == truth.pages
    (source,) = list_sources(session, issue.id)
    assert source.content == content
    lines = {number: text for number, text, *_ in session.get_one(ImportReport, issue.id).lines}
    assert truth.titles[0] in lines.values()
    assert all(warning["line"] in lines for warning in issue.warnings if warning["line"])


@pytest.mark.parametrize("name", ["简报.docx", "简报.pdf"])
def test_a_damaged_document_leaves_nothing_behind(session: Session, name: str) -> None:
    content = make_docx(Way("import"))[0] if name.endswith("docx") else make_pdf(Setting("import"))[0]
    newsletter = make_newsletter(session)
    with pytest.raises(UnreadableError, match="damaged"):
        import_document(session, newsletter.id, filename=name, content=content[:600], by=None)
    assert session.scalar(select(func.count()).select_from(Issue)) == 0
