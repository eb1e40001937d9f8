"""Nothing in a document is dropped without being shown: every line of every sample is in the issue, or listed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from mailer.newsroom import editing
from mailer.newsroom.import_report import UNCLEAR, Look, Standing, look, note
from mailer.newsroom.importing import Upload, import_document, read_uploads, store_issue
from mailer.newsroom.models import ImportReport, Issue
from mailer.newsroom.parsing import parse_document
from mailer.newsroom.reading import read_text
from mailer.newsroom.structure.bulletin import ParseWarning
from mailer.newsroom.structure.matching import normal_form
from tests.newsroom.bulletins import ARTICLES
from tests.newsroom.documents import Setting, Way, make_docx, make_pdf
from tests.newsroom.making import make_newsletter
from tests.newsroom.test_importing import BULLETIN

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.txt"))
MADE = {
    "one.docx": lambda: make_docx(Way("report", has_sections=True))[0],
    "one.pdf": lambda: make_pdf(Setting("report"))[0],
    "columns.pdf": lambda: make_pdf(Setting("report", columns=2))[0],
}


def imported(session: Session, name: str, content: bytes) -> Issue:
    newsletter = make_newsletter(session)
    issue = import_document(session, newsletter.id, filename=name, content=content, by=None)
    session.commit()
    return issue


def seen(session: Session, issue: Issue) -> Look:
    session.expire_all()
    return look(session.get_one(ImportReport, issue.id), issue.articles)


def said_in(issue: Issue) -> str:
    """Every word of an issue's articles."""
    words = " ".join(
        f"{article.title} {article.section} {article.source} {re.sub('<[^>]+>', '', article.body)}"
        for article in issue.articles
    )
    return normal_form(words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def require_nothing_lost(issue: Issue, report: Look) -> None:
    """What the report calls an article's is in the articles, by a count that knows nothing of the report."""
    said = said_in(issue)
    assert report.standing(Standing.GONE) == []
    for line in report.standing(Standing.ARTICLE, Standing.SECTION):
        form = normal_form(line.text)
        # Of a source the field keeps what it is called, not "摘自 …，略有删节".
        if line.role == "source" and any(one.source and normal_form(one.source) in form for one in issue.articles):
            continue
        known: set[int] = set()
        for at in range(len(form)):
            if form[at : at + 3] in said:
                known.update(range(at, min(at + 3, len(form))))
        # Labels ("来源：", "摘编自", an ordinal before a title) are said by the field that they stand for.
        missing = "".join(letter for at, letter in enumerate(form) if at not in known)
        assert len(missing) <= 6, (line, missing)
        assert len(missing) * 2 < len(form) or form in said, (line, missing)


@pytest.mark.parametrize("path", SAMPLES, ids=[path.stem for path in SAMPLES])
def test_every_line_of_a_sample_is_in_the_issue_or_listed(session: Session, path: Path) -> None:
    issue = imported(session, path.name, path.read_bytes())
    report = seen(session, issue)
    source = read_text(path.read_bytes()).text.replace("\f", "\n").split("\n")
    shown = "".join(normal_form(line.text) for line in report.lines)
    lost = [line for line in source if normal_form(line) and normal_form(line) not in shown]
    assert lost == []
    # In their order, so that the source can be read there.
    assert [line.number for line in report.lines] == sorted(line.number for line in report.lines)
    require_nothing_lost(issue, report)


@pytest.mark.parametrize("name", MADE)
def test_every_line_of_a_document_is_in_the_issue_or_listed(session: Session, name: str) -> None:
    issue = imported(session, name, MADE[name]())
    report = seen(session, issue)
    shown = "".join(normal_form(line.text) for line in report.lines)
    for title, paragraphs in ARTICLES:
        assert normal_form(title) in shown
        assert all(normal_form(paragraph)[:12] in shown for paragraph in paragraphs)
    require_nothing_lost(issue, report)


def test_what_a_page_hides_is_listed_and_pictures_elsewhere_are_told(session: Session) -> None:
    lines = "".join(f"<p>{line}</p>" for line in BULLETIN.splitlines())
    page = f"<html><body><nav>首页 | 登录</nav>{lines}<p hidden>草稿批注</p><img src='https://example.com/x.png'></body></html>"
    issue = imported(session, "4.html", page.encode())
    report = seen(session, issue)
    assert [line.text for line in report.standing(Standing.LEFT_OUT)] == ["首页 | 登录", "草稿批注"]
    assert [w["params"]["count"] for w in issue.warnings if "outside the document" in w["message"]] == [1]
    require_nothing_lost(issue, report)


def test_a_line_that_was_not_understood_stands_out(session: Session) -> None:
    bulletin = parse_document(BULLETIN.encode(), "4.txt")
    strange = ParseWarning(UNCLEAR, {"text": "2025年第4期"}, 3)
    noted = note(replace(bulletin, warnings=(strange,)), [None, None])
    report = look(ImportReport(issue_id=1, **noted), [])
    assert [line.text for line in report.standing(Standing.UNCLEAR)] == ["2025年第4期"]


def test_the_parsers_sentence_about_such_a_line_is_the_one_the_report_knows() -> None:
    text = (
        "望川科技要情\n敬请批评指正内部交流\n2025年第11期\n松岭实验室建成低温计量平台\n"
        + "平台通过验收，填补了区域空白。" * 5
    )
    messages = {warning.message for warning in parse_document(text.encode(), "a.txt").warnings}
    assert UNCLEAR in messages


def test_the_report_follows_what_editors_do(session: Session) -> None:
    issue = imported(session, "4.txt", BULLETIN.encode())
    first = issue.articles[0]
    editing.change_article(session, first, revision=1, by=None, title="改过的题目")
    editing.remove_article(session, issue.articles[1], revision=1, by=None)
    session.commit()
    report = seen(session, issue)
    assert report.standing(Standing.GONE)[0].text == "云漓市启动中试基地建设"
    assert len(report.standing(Standing.GONE)) == 3
    # The import knew which article the entry announced: another title is no other article.
    assert [check.article for check in report.entries] == [issue.articles[0], None]
    assert report.unannounced == ()


def test_a_line_is_where_all_of_it_is_and_not_where_most_of_it_is_said_too(session: Session) -> None:
    issue = imported(session, "4.txt", BULLETIN.encode())
    first, second = issue.articles
    line = "基地面向新材料与生物医药两个方向，首期建设面积 2 万平方米，<预计>服务企业 60 家 & 科研院所 12 家。"
    escaped = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    most = escaped.replace("首期建设面积", "一期面积")
    editing.change_article(session, first, revision=1, by=None, body=first.body.replace(escaped, most))
    editing.change_article(session, second, revision=1, by=None, body=f"{second.body}<p>{escaped}</p>")
    session.commit()
    found = next(one for one in seen(session, issue).lines if one.text == line)
    assert (found.article_id, found.block) == (second.id, 1)


def test_several_files_are_shown_one_behind_the_other(session: Session) -> None:
    newsletter = make_newsletter(session)
    uploads = [Upload("C:\\a\\头.txt", BULLETIN.encode()), Upload("尾.txt", "又一篇新的短文\n\n这一篇很短。".encode())]
    issue = store_issue(session, newsletter.id, uploads, read_uploads(uploads), by=None)
    session.commit()
    report = seen(session, issue)
    assert list(report.files.values()) == ["头.txt", "尾.txt"]
    start = list(report.files)[1]
    assert report.at[start].text == "又一篇新的短文"
    require_nothing_lost(issue, report)
