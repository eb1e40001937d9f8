import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.errors import NotFoundError, UnreadableError
from mailer.newsroom import approval, editing
from mailer.newsroom.bodies import body_of
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import Article, Issue, SourceDocument
from mailer.newsroom.rules import IssueState
from mailer.newsroom.sources import list_sources
from mailer.newsroom.structure.bulletin import ParsedArticle, ParsedPart
from mailer.newsroom.structure.lines import PartKind
from mailer.press.sanitising import sanitise_body
from mailer.settings import get_settings
from tests.newsroom.making import make_account, make_newsletter

BULLETIN = """云漓科技简报

2025年第4期

云漓市科学技术局 编辑

- ★ 云漓市启动中试基地建设……2
- ★ 北渚县推广节水灌溉新技术……3

云漓市启动中试基地建设

3月12日，云漓市科学技术局发布消息，全市首个中试基地正式启动建设，计划两年内建成并投入使用。

一、目标

基地面向新材料与生物医药两个方向，首期建设面积 2 万平方米，<预计>服务企业 60 家 & 科研院所 12 家。

二、进展

设计招标已经完成，土建将于下月开工，设备采购同步进行，首批入驻企业名单年底前公布。

北渚县推广节水灌溉新技术

今年以来，北渚县在 6 个乡镇推广滴灌与水肥一体化技术，累计覆盖农田 3.2 万亩，亩均节水四成以上。

云漓市科学技术局编辑

编辑：李 涛

电话：4366683
"""


def test_a_document_becomes_a_draft_with_its_articles_and_its_source(session: Session) -> None:
    newsletter = make_newsletter(session, title="云漓科技简报")
    anna = make_account(session, "Anna")
    content = BULLETIN.encode("gb18030")
    issue = import_document(session, newsletter.id, filename="C:\\简报\\第4期.txt", content=content, by=anna)
    session.commit()
    session.expire_all()
    assert (issue.title, issue.year, issue.number, issue.total_number) == ("云漓科技简报", 2025, "4", None)
    assert (issue.publisher, issue.editor, issue.phone) == ("云漓市科学技术局", "李涛", "4366683")
    assert (issue.state, issue.created_by) == (IssueState.DRAFT, anna.id)
    assert [(article.title, article.page, article.position) for article in issue.articles] == [
        ("云漓市启动中试基地建设", 2, 1),
        ("北渚县推广节水灌溉新技术", 3, 2),
    ]
    (source,) = list_sources(session, issue.id)
    assert (source.filename, source.content, source.uploaded_by) == ("第4期.txt", content, anna.id)
    assert source.encoding.lower().replace("-", "").replace("_", "") == "gb18030"


def test_text_of_a_document_is_never_markup(session: Session) -> None:
    newsletter = make_newsletter(session, title="云漓科技简报")
    issue = import_document(session, newsletter.id, filename="4.txt", content=BULLETIN.encode(), by=None)
    body = issue.articles[0].body
    assert "&lt;预计&gt;服务企业 60 家 &amp; 科研院所" in body
    assert body.startswith("<p>3月12日")


def test_what_stands_apart_from_the_text_stays_recognisable() -> None:
    parts = [
        (PartKind.SUBTITLE, "北渚县的经验", ()),
        (PartKind.BYLINE, "记者 李<涛>", ()),
        (PartKind.EDITORS_NOTE, "值得一读。", ()),
        (PartKind.PARAGRAPH, "甲 & 乙", ()),
        (PartKind.SUBHEADING, "一、目标", ()),
        (PartKind.TABLE, "", (("城市", "数"), ("<b>", "34"))),
        (PartKind.SOURCE, "科技日报", ()),
        (PartKind.FOOTNOTE, "①注", ()),
    ]
    article = ParsedArticle(
        title="甲",
        section=None,
        source="科技日报",
        page=None,
        line=1,
        parts=tuple(ParsedPart(kind, text, (1,), rows) for kind, text, rows in parts),
    )
    assert body_of(article, "en") == (
        "<p><strong>——北渚县的经验</strong></p><p><em>记者 李&lt;涛&gt;</em></p>"
        "<blockquote><p>Editor's note: 值得一读。</p></blockquote><p>甲 &amp; 乙</p><h3>一、目标</h3>"
        "<table><tbody><tr><td>城市</td><td>数</td></tr><tr><td>&lt;b&gt;</td><td>34</td></tr></tbody></table><p>①注</p>"
    )
    assert sanitise_body(body_of(article, "en")) == body_of(article, "en")


def test_what_has_a_field_of_its_own_is_not_said_twice_in_the_colophon(session: Session) -> None:
    newsletter = make_newsletter(session, title="云漓科技简报")
    issue = import_document(session, newsletter.id, filename="4.txt", content=BULLETIN.encode(), by=None)
    assert "4366683" not in issue.colophon
    assert "李" not in issue.colophon


def test_an_imported_issue_can_go_all_the_way_to_an_edition(session: Session) -> None:
    newsletter = make_newsletter(session, title="云漓科技简报")
    issue = import_document(session, newsletter.id, filename="4.txt", content=BULLETIN.encode(), by=None)
    approval.submit(session, issue, by=None)
    edition = approval.approve(session, issue, by=None)
    assert "云漓科技简报" in edition.subject
    assert "亩均节水四成以上" in edition.html
    assert "亩均节水四成以上" in edition.text


def test_a_document_of_another_newsletter_and_one_imported_before_are_doubted(session: Session) -> None:
    newsletter = make_newsletter(session, title="另一份刊物")
    import_document(session, newsletter.id, filename="4.txt", content=BULLETIN.encode(), by=None)
    again = import_document(session, newsletter.id, filename="4b.txt", content=BULLETIN.encode(), by=None)
    before = again.revision
    said = [warning["message"] % warning["params"] for warning in again.warnings]
    assert said[0].startswith("This very file was imported before")
    assert said[1] == "The document is called “云漓科技简报”, the newsletter “另一份刊物”. Is it the right one?"
    editing.put_warnings_aside(session, again, by=None)
    assert again.warnings == []
    assert again.revision == before


def test_what_a_field_cannot_hold_is_cut_and_told(session: Session) -> None:
    newsletter = make_newsletter(session, title="云漓科技简报")
    text = BULLETIN.replace("电话：4366683", f"电话：{'0471-4366683、' * 8}0471-4366684")
    issue = import_document(session, newsletter.id, filename="4.txt", content=text.encode(), by=None)
    session.commit()
    assert len(issue.phone) == 64
    assert [w["params"]["limit"] for w in issue.warnings if "has been cut" in w["message"]] == ["64"]


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("empty.txt", b""),
        ("blank.txt", b" \n\n\t\n"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n" + bytes(200)),
        ("binary.txt", bytes(range(256)) * 50),
        ("report.docx", b"PK\x03\x04" + bytes(100)),
        ("report.pdf", b"%PDF-1.7"),
        ("", BULLETIN.encode()),
    ],
)
def test_what_cannot_be_read_leaves_nothing_behind(session: Session, filename: str, content: bytes) -> None:
    newsletter = make_newsletter(session)
    session.commit()
    with pytest.raises(UnreadableError):
        import_document(session, newsletter.id, filename=filename, content=content, by=None)
    session.rollback()
    for table in (Issue, Article, SourceDocument):
        assert session.scalar(select(func.count()).select_from(table)) == 0


def test_an_editors_note_is_called_so_in_the_language_of_the_document(session: Session) -> None:
    newsletter = make_newsletter(session, title="云漓科技简报")
    text = BULLETIN.replace("3月12日，", "编者按：中试基地是成果转化的关键一环，值得关注。\n\n3月12日，")
    issue = import_document(session, newsletter.id, filename="4.txt", content=text.encode(), by=None)
    note = "<blockquote><p>编者按：中试基地是成果转化的关键一环，值得关注。</p></blockquote>"
    assert issue.articles[0].body.startswith(note)


def test_the_operators_limit_of_an_upload_holds(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    newsletter = make_newsletter(session)
    monkeypatch.setenv("MAILER_MAX_UPLOAD_MB", "1")
    get_settings.cache_clear()
    try:
        with pytest.raises(UnreadableError, match="1 MiB"):
            import_document(session, newsletter.id, filename="4.txt", content=b"x" * (2**20 + 1), by=None)
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


def test_a_newsletter_that_is_not_there_is_not_found(session: Session) -> None:
    with pytest.raises(NotFoundError):
        import_document(session, 1, filename="4.txt", content=BULLETIN.encode(), by=None)
