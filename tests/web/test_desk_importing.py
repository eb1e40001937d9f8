"""Several files, a pasted text, and the report on which an import is mended, in a browser without script."""

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask_login import login_user
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.newsletters.models import Newsletter
from mailer.newsroom import approval, editing
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import ImportReport, Issue, SourceDocument
from mailer.newsroom.readers.telling import Progress, Stage
from mailer.web.database import get_session
from mailer.web.desk import import_progress
from mailer.web.signing_in import SignedIn
from tests.newsroom.making import make_newsletter
from tests.newsroom.test_importing import BULLETIN
from tests.web.conftest import Page, Visitor

HEAD, TAIL = BULLETIN.split("北渚县推广节水灌溉新技术\n\n今年", 1)
FIRST = f"{HEAD}云漓市科学技术局编辑\n\n编辑：李 涛\n"
SECOND = "北渚县推广节水灌溉新技术\n\n今年以来，北渚县在 6 个乡镇推广滴灌与水肥一体化技术，累计覆盖农田 3.2 万亩。\n"


@pytest.fixture
def editor(app: Flask, make_account: Callable[..., Account]) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    made = make_newsletter(session, title="云漓科技简报")
    session.commit()
    return made


@pytest.fixture
def issue(session: Session, newsletter: Newsletter) -> Issue:
    made = import_document(session, newsletter.id, filename="4.txt", content=BULLETIN.encode(), by=None)
    session.commit()
    return made


def send(visitor: Visitor, address: str, **data: object) -> Page:
    token = visitor.get(address).tree.xpath("//main//input[@name='csrf_token']/@value")[0]
    accept = data.pop("accept", None)
    headers = visitor.headers | ({"Accept": accept} if accept else {})
    return Page(
        visitor.client.post(
            address,
            data={"csrf_token": token, **data},
            content_type="multipart/form-data",
            headers=headers,
            follow_redirects=True,
        )
    )


def files(*documents: tuple[str, str | bytes]) -> list[tuple[io.BytesIO, str]]:
    return [
        (io.BytesIO(content.encode() if isinstance(content, str) else content), name) for name, content in documents
    ]


def titles(session: Session, issue: Issue) -> list[str]:
    session.expire_all()
    return [article.title for article in issue.articles]


def press(visitor: Visitor, issue: Issue, at: int, act: str) -> Page:
    """Presses a button of an article's form on the report."""
    address = f"/desk/articles/{issue.articles[at].id}/mend"
    report = visitor.get(f"/desk/issues/{issue.id}/import")
    form = next(form for form in report.tree.forms if form.get("action") == address)
    assert act in form.xpath(".//button/@value"), "the page offers no such button"
    return send_form(visitor, form, act)


def send_form(visitor: Visitor, form: object, act: str) -> Page:
    sent: dict[str, list[str]] = {"act": [act]}
    for name, value in form.form_values():  # type: ignore[attr-defined]
        sent.setdefault(name, []).append(value)
    answer = visitor.client.post(form.get("action"), data=sent, headers=visitor.headers, follow_redirects=True)  # type: ignore[attr-defined]
    return Page(answer)


def test_several_files_become_one_issue_in_their_order(
    session: Session, editor: Visitor, newsletter: Newsletter
) -> None:
    address = f"/desk/newsletters/{newsletter.id}/upload"
    page = send(editor, address, document=files(("1 头.txt", FIRST), ("2 尾.txt", SECOND)))
    issue = session.scalars(select(Issue)).one()
    assert page.path == f"/desk/issues/{issue.id}/import"
    assert titles(session, issue) == ["云漓市启动中试基地建设", "北渚县推广节水灌溉新技术"]
    sources = session.scalars(select(SourceDocument).order_by(SourceDocument.id)).all()
    assert [(source.filename, source.content.decode()) for source in sources] == [
        ("1 头.txt", FIRST),
        ("2 尾.txt", SECOND),
    ]
    headings = [line.text_content().strip() for line in page.tree.xpath("//li[@class='source-file']")]
    assert headings == ["1 头.txt", "2 尾.txt"]
    assert "From here on" not in page.text
    assert "2 尾.txt" in editor.get(f"/desk/issues/{issue.id}").text


def test_each_file_that_cannot_be_read_is_told_and_nothing_is_stored(
    session: Session, editor: Visitor, newsletter: Newsletter
) -> None:
    address = f"/desk/newsletters/{newsletter.id}/upload"
    page = send(editor, address, document=files(("好.txt", FIRST), ("空.txt", b""), ("坏.pdf", b"%PDF-1.7")))
    assert page.status == 422
    assert "2 of the files cannot be read" in page.text
    told = [item.text_content() for item in page.tree.xpath("//div[@data-import-outcome]//li")]
    assert [line.partition(":")[0] for line in told] == ["空.txt", "坏.pdf"]
    assert "is empty" in told[0]
    assert "damaged" in told[1]
    for table in (Issue, SourceDocument, ImportReport):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_what_is_wrong_with_all_files_together_is_said_once(
    session: Session, editor: Visitor, newsletter: Newsletter
) -> None:
    address = f"/desk/newsletters/{newsletter.id}/upload"
    page = send(editor, address, document=files(*((f"{n}.txt", SECOND) for n in range(41))))
    assert page.status == 422
    assert "Nothing was imported At most 40 files make one issue." in page.text
    assert session.scalars(select(Issue)).all() == []


def test_a_pasted_text_becomes_an_issue_without_script(
    session: Session, editor: Visitor, newsletter: Newsletter
) -> None:
    page = send(editor, f"/desk/newsletters/{newsletter.id}/paste", text=BULLETIN.replace("\n", "\r\n"))
    issue = session.scalars(select(Issue)).one()
    assert page.path == f"/desk/issues/{issue.id}/import"
    assert titles(session, issue) == ["云漓市启动中试基地建设", "北渚县推广节水灌溉新技术"]
    assert session.scalars(select(SourceDocument.filename)).one() == "Pasted text.txt"


def test_pasted_html_goes_the_way_of_every_html_document(
    session: Session, editor: Visitor, newsletter: Newsletter
) -> None:
    paragraphs = "".join(
        f"<p>{'<b>' if line.startswith('基') else ''}{line}{'</b>' if line.startswith('基') else ''}</p>"
        for line in BULLETIN.splitlines()
    )
    html = f"<html><body>{paragraphs}<script>alert(1)</script></body></html>"
    address = f"/desk/newsletters/{newsletter.id}/paste"
    page = send(editor, address, document=(io.BytesIO(html.encode()), "whatever.exe"), accept="application/json")
    issue = session.scalars(select(Issue)).one()
    assert page.response.get_json() == {"location": f"/desk/issues/{issue.id}/import"}
    assert titles(session, issue) == ["云漓市启动中试基地建设", "北渚县推广节水灌溉新技术"]
    assert "alert" not in "".join(article.body for article in issue.articles)
    assert session.scalars(select(SourceDocument.filename)).one() == "Pasted text.html"


def test_nothing_pasted_is_asked_for(session: Session, editor: Visitor, newsletter: Newsletter) -> None:
    page = send(editor, f"/desk/newsletters/{newsletter.id}/paste", text=" \r\n ")
    assert page.status == 422
    assert page.errors() == {"text": "Paste a text first."}
    page = send(editor, f"/desk/newsletters/{newsletter.id}/paste", text="……\n——")
    assert page.status == 422
    assert "holds no text" in page.text
    assert session.scalars(select(Issue)).all() == []


def test_the_report_is_mended_one_act_at_a_time_and_taken_back(session: Session, editor: Visitor, issue: Issue) -> None:
    report = f"/desk/issues/{issue.id}/import"
    page = press(editor, issue, 1, "merge")
    assert page.path == report
    assert titles(session, issue) == ["云漓市启动中试基地建设"]
    assert "is part of the article above it now" in page.text
    assert "no article has this title" in page.text
    page = editor.submit(report, action=f"/desk/issues/{issue.id}/mend/undo")
    assert "Taken back" in page.text
    assert "They agree" in page.text
    assert titles(session, issue) == ["云漓市启动中试基地建设", "北渚县推广节水灌溉新技术"]
    press(editor, issue, 0, "split-1")
    assert titles(session, issue) == ["云漓市启动中试基地建设", "一、目标", "北渚县推广节水灌溉新技术"]
    press(editor, issue, 1, "demote")
    assert titles(session, issue) == ["云漓市启动中试基地建设", "北渚县推广节水灌溉新技术"]
    assert "<p>一、目标</p>" in issue.articles[0].body
    press(editor, issue, 0, "toggle-1")
    session.expire_all()
    assert "<h3>一、目标</h3>" in issue.articles[0].body
    press(editor, issue, 0, "promote-1")
    assert titles(session, issue)[0] == "一、目标"


def test_a_colleagues_change_is_told_and_nothing_is_mended(session: Session, editor: Visitor, issue: Issue) -> None:
    report = editor.get(f"/desk/issues/{issue.id}/import")
    form = next(form for form in report.tree.forms if (form.get("action") or "").endswith("/mend"))
    editing.change_article(session, issue.articles[0], revision=1, by=None, title="改了题目")
    session.commit()
    page = send_form(editor, form, "toggle-1")
    assert "Somebody else changed this while you were working on it" in page.text
    session.expire_all()
    assert "<p>一、目标</p>" in issue.articles[0].body


def test_mending_what_was_submitted_withdraws_it_aloud(session: Session, editor: Visitor, issue: Issue) -> None:
    approval.submit(session, issue, by=None)
    session.commit()
    assert "in review or approved" in editor.get(f"/desk/issues/{issue.id}/import").text
    page = press(editor, issue, 0, "toggle-1")
    assert "withdrawn the issue" in page.text
    session.expire_all()
    assert issue.state == "draft"


@pytest.mark.parametrize("act", ["", "burn", "split-x", "merge-0-1"])
def test_an_act_that_there_is_not_is_no_request(editor: Visitor, issue: Issue, act: str) -> None:
    report = editor.get(f"/desk/issues/{issue.id}/import")
    form = next(form for form in report.tree.forms if (form.get("action") or "").endswith("/mend"))
    assert send_form(editor, form, act).status == 400


def test_an_approver_sees_the_report_and_mends_nothing(
    app: Flask, make_account: Callable[..., Account], session: Session, issue: Issue
) -> None:
    visitor = Visitor(app)
    visitor.sign_in(make_account("bao", Role.APPROVER))
    page = visitor.get(f"/desk/issues/{issue.id}/import")
    assert "云漓市启动中试基地建设" in page.text
    assert page.tree.xpath("//main//button[@name='act']") == []
    token = page.tree.xpath("//input[@name='csrf_token']/@value")[0]
    for address in (f"/desk/articles/{issue.articles[0].id}/mend", f"/desk/issues/{issue.id}/mend/undo"):
        assert visitor.client.post(address, data={"csrf_token": token, "act": "toggle-1"}).status_code == 403
    for address in ("upload", "paste"):
        assert visitor.get(f"/desk/newsletters/{issue.newsletter_id}/{address}").status == 403


def test_lines_that_are_in_no_article_are_listed(session: Session, editor: Visitor, newsletter: Newsletter) -> None:
    text = BULLETIN.replace("\n\n2025年第4期", "\n\n内部资料勿转\n\n2025年第4期")
    issue = import_document(session, newsletter.id, filename="4.txt", content=text.encode(), by=None)
    article = issue.articles[0]
    editing.change_article(session, article, revision=1, by=None, body=article.body.replace("一、目标", ""))
    session.commit()
    page = editor.get(f"/desk/issues/{issue.id}/import")
    card = page.tree.xpath("//section[@aria-labelledby='left-out']")[0]
    told = {
        group.xpath("string(summary)").partition(" (")[0]: [item.text_content() for item in group.xpath(".//li")]
        for group in card.xpath(".//details")
    }
    assert [line.partition(" line")[0] for line in told["Was in an article, and is in none now"]] == ["一、目标"]
    assert "内部资料勿转" in "".join(told.get("Not understood", [])) + page.text


def test_word_of_an_import_is_for_who_began_it_alone(
    app: Flask, make_account: Callable[..., Account], editor: Visitor
) -> None:
    key = "1-2-3-4-5"
    with app.test_request_context():
        anna = get_session().scalars(select(Account).where(Account.email == "anna@example.org")).one()
        login_user(SignedIn(anna))
        tell = import_progress.Teller(key)
        tell(Progress(Stage.READING, "二.pdf", 2, 2, 25, 100))
    assert editor.client.get(f"/desk/imports/{key}", headers=editor.headers).get_json() == {
        "words": "Reading file 2 of 2, “二.pdf”: 25 %",
        "percent": 50,
    }
    other = Visitor(app)
    other.sign_in(make_account("chen", Role.EDITOR))
    nothing = {"words": "", "percent": 0}
    assert other.client.get(f"/desk/imports/{key}", headers=other.headers).get_json() == nothing
    assert editor.client.get("/desk/imports/x", headers=editor.headers).get_json() == nothing


def test_the_upload_leaves_word_of_its_last_step(session: Session, editor: Visitor, newsletter: Newsletter) -> None:
    address = f"/desk/newsletters/{newsletter.id}/upload"
    send(editor, address, document=files(("4.txt", BULLETIN)), progress="9-9-9-9-9")
    said = editor.client.get("/desk/imports/9-9-9-9-9", headers=editor.headers).get_json()
    assert re.match("Keeping the articles", said["words"])
