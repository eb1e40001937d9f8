"""Several files, or a pasted text, become an issue; its report is mended and taken back, in a real browser."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.newsroom import importing
from mailer.newsroom.models import Issue, SourceDocument
from mailer.newsroom.readers.telling import Progress, Stage
from tests.newsroom.making import make_newsletter
from tests.newsroom.test_importing import BULLETIN

pytestmark = pytest.mark.browser
# A busy machine reads a document in its own time.
LONG = 30_000
PASSWORD = "a long enough pass phrase, seldom used"

Look = Callable[[Page, str], None]
NewContext = Callable[..., BrowserContext]

ARTICLE = "北渚县推广节水灌溉新技术"
HEAD = BULLETIN.partition(f"\n{ARTICLE}\n\n今年")[0] + "\n云漓市科学技术局编辑\n\n编辑：李 涛\n"
TAIL = f"{ARTICLE}\n\n今年以来，北渚县在 6 个乡镇推广滴灌与水肥一体化技术，累计覆盖农田 3.2 万亩，亩均节水四成以上。\n"
# As Word puts it into the clipboard: its own classes and conditions, styles beside the text, a picture that is nowhere.
WORD = f"""<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta name=Generator
content="Microsoft Word 15">
<style><!-- p.MsoNormal {{margin:0cm; font-size:10.5pt;}} --></style></head><body lang=ZH-CN><!--StartFragment-->
<p class=MsoTitle align=center style='text-align:center'><span
style='font-size:26.0pt'>云漓科技简报<o:p></o:p></span></p>
<p class=MsoNormal align=center>2025年第4期</p><p class=MsoNormal>云漓市科学技术局 编辑</p>
<h1><span style='mso-bidi-font-size:16.0pt'>云漓市启动中试基地建设</span></h1>
<p class=MsoNormal>3月12日，云漓市科学技术局发布消息，<b>全市首个</b>中试基地正式启动建设，
计划两年内建成并投入使用，<a href="https://www.example.org/base">详情</a>。<span
style='display:none;mso-hide:all'>内部批注</span></p>
<p class=MsoNormal><img width=100 src="file:///C:/Users/lee/clip_image001.png" alt="基地外景"></p>
<table class=MsoTable border=1><tr><td>方向</td><td>家数</td></tr><tr><td>新材料</td><td>60</td></tr></table>
<h1>{ARTICLE}</h1>
<p class=MsoNormal>今年以来，北渚县在 6 个乡镇推广滴灌与水肥一体化技术，累计覆盖农田 3.2 万亩。</p>
<script>alert(1)</script><!--EndFragment--></body></html>"""


@pytest.fixture
def house(session: Session) -> None:
    accounts.create_account(session, email="anna@example.org", name="Anna", roles=["editor"], password=PASSWORD)
    make_newsletter(session, title="云漓科技简报")
    session.commit()


def enter(new_context: NewContext, language: str) -> Page:
    page = new_context(locale=language).new_page()
    page.goto(f"/account/sign-in?lang={language.replace('-', '_')}")
    page.locator("input[name=email]").fill("anna@example.org")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(re.compile("/desk/"))
    return page


def written(folder: Path, **documents: str | bytes) -> list[Path]:
    paths = []
    for name, content in documents.items():
        path = folder / name.replace("_", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append(path)
    return paths


def titles(session: Session) -> list[str]:
    session.expire_all()
    return [article.title for article in session.scalars(select(Issue)).one().articles]


def submit(page: Page) -> None:
    page.locator("form[data-import] button[type=submit]").click()


def test_two_files_become_an_issue_that_is_mended_and_edited(
    house: None, session: Session, new_context: NewContext, look: Look, tmp_path: Path, language: str
) -> None:
    head, tail, broken = written(tmp_path, 头_txt=HEAD, 尾_txt=TAIL, 坏_pdf=b"%PDF-1.7 nothing")
    anna = enter(new_context, language)
    anna.goto("/desk/newsletters/1/upload")
    anna.locator("input[type=file]").set_input_files([tail, head, broken])
    files = anna.locator(".file-list li")
    expect(files).to_have_count(3)
    # The first file goes behind the second, by keyboard; the focus stays with it.
    files.nth(0).locator("button").nth(1).focus()
    anna.keyboard.press("Enter")
    expect(files.nth(0)).to_contain_text("头.txt")
    expect(files.nth(1).locator("button").nth(1)).to_be_focused()
    look(anna, "files")
    submit(anna)
    refused = anna.locator("[data-import-outcome] [role=alert]")
    expect(refused).to_contain_text("坏.pdf", timeout=LONG)
    look(anna, "refused")
    assert session.scalars(select(Issue)).all() == []
    # The others are still chosen: only the bad one is left out.
    files.nth(2).locator("button").last.click()
    expect(files).to_have_count(2)
    submit(anna)
    expect(anna).to_have_url(re.compile(r"/desk/issues/1/import$"), timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设", ARTICLE]
    expect(anna.locator(".source-file")).to_have_text(["头.txt", "尾.txt"])
    look(anna, "report")

    anna.locator("button[value=merge]").click()
    expect(anna.locator(".mend")).to_have_count(1, timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设"]
    look(anna, "merged")
    anna.locator("form[action$='/mend/undo'] button").click()
    expect(anna.locator(".mend")).to_have_count(2, timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设", ARTICLE]
    row = anna.locator(".mend").first.locator(".mend-row", has_text="二、进展")
    row.locator("button[value^=split]").focus()
    anna.keyboard.press("Enter")
    expect(anna.locator(".mend")).to_have_count(3, timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设", "二、进展", ARTICLE]
    # The page has gone to the new article, and taking it back is still in sight.
    expect(anna.locator("form[action$='/mend/undo'] button")).to_be_in_viewport()
    look(anna, "split")
    anna.locator("form[action$='/mend/undo'] button").click()
    expect(anna.locator(".mend")).to_have_count(2, timeout=LONG)
    anna.locator(".mend h3 a").first.click()
    expect(anna.locator(".ProseMirror")).to_contain_text("全市首个中试基地")


def paste(page: Page, kind: str, content: str) -> None:
    page.locator("[data-paste-place]").focus()
    page.evaluate(
        """([kind, content]) => {
          const carrier = new DataTransfer();
          carrier.setData(kind, content);
          const event = new ClipboardEvent("paste", {clipboardData: carrier, bubbles: true, cancelable: true});
          document.querySelector("[data-paste-place]").dispatchEvent(event);
        }""",
        [kind, content],
    )


def test_a_text_pasted_from_word_keeps_its_headings_and_its_table(
    house: None, session: Session, new_context: NewContext, look: Look, language: str
) -> None:
    anna = enter(new_context, language)
    anna.goto("/desk/newsletters/1/upload")
    anna.locator("a[href$='/paste']").click()
    submit(anna)
    expect(anna.locator("[data-import-outcome] [role=alert]")).not_to_be_empty(timeout=LONG)
    paste(anna, "text/html", WORD)
    place = anna.locator("[data-paste-place]")
    expect(place.locator("h1")).to_have_count(2)
    expect(place.locator("script")).to_have_count(0)
    expect(place).not_to_contain_text("内部批注")
    look(anna, "pasted")
    submit(anna)
    expect(anna).to_have_url(re.compile(r"/desk/issues/1/import$"), timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设", ARTICLE]
    issue = session.scalars(select(Issue)).one()
    assert (issue.title, issue.number) == ("云漓科技简报", "4")
    assert "<table>" in issue.articles[0].body
    assert "<em>[基地外景]</em>" in issue.articles[0].body
    assert '<a href="https://www.example.org/base">详情</a>' in issue.articles[0].body
    # The picture lies on the computer of who copied it: the report says so.
    assert any("outside the document" in warning["message"] for warning in issue.warnings)
    assert session.scalars(select(SourceDocument.filename)).one().endswith(".html")
    look(anna, "report")


def test_plain_text_is_pasted_line_by_line(house: None, session: Session, new_context: NewContext) -> None:
    anna = enter(new_context, "zh-CN")
    anna.goto("/desk/newsletters/1/paste")
    paste(anna, "text/plain", BULLETIN)
    submit(anna)
    expect(anna).to_have_url(re.compile(r"/desk/issues/1/import$"), timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设", ARTICLE]


def test_a_long_document_is_seen_to_be_read(
    house: None,
    session: Session,
    new_context: NewContext,
    look: Look,
    language: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_go_on = threading.Event()
    read_uploads = importing.read_uploads

    def read_slowly(uploads: object, *, tell: Callable[[Progress], None]) -> object:
        tell(Progress(Stage.READING, "长.txt", 1, 1, 37, 100))
        assert may_go_on.wait(60)
        return read_uploads(uploads, tell=tell)  # type: ignore[arg-type]

    monkeypatch.setattr("mailer.web.desk.importing.read_uploads", read_slowly)
    (long,) = written(tmp_path, 长_txt=BULLETIN)
    anna = enter(new_context, language)
    anna.goto("/desk/newsletters/1/upload")
    anna.locator("input[type=file]").set_input_files(long)
    try:
        submit(anna)
        words = anna.locator("[data-import-words]")
        expect(words).to_contain_text(re.compile(r"长\.txt.*37 ?%"), timeout=LONG)
        expect(anna.locator("form[data-import] button[type=submit]")).to_be_disabled()
        assert anna.locator("progress").evaluate("bar => bar.value") == 30
        look(anna, "reading")
    finally:
        may_go_on.set()
    expect(anna).to_have_url(re.compile(r"/desk/issues/1/import$"), timeout=LONG)
    assert titles(session) == ["云漓市启动中试基地建设", ARTICLE]
