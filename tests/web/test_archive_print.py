"""The print edition on the web: set once, kept, found under a good name, and said where it cannot be had."""

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy.orm import Session
from werkzeug.http import parse_options_header

from mailer import links
from mailer.newsroom.edition_models import Edition, EditionArticle
from mailer.newsroom.editions import get_published
from mailer.newsroom.models import Issue
from mailer.newsroom.pictures import as_html, keep_picture
from mailer.press import typesetting
from mailer.press.content import Content
from mailer.press.printing import print_edition
from mailer.settings import get_settings
from mailer.web.portal import print_editions
from mailer.web.portal.print_editions import BusyError, get_print_edition
from mailer.web.portal.web_editions import content_of
from tests.newsroom.test_pictures import encoded, photo
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def issue(session: Session, scene: Scene) -> Issue:
    for old in folder().glob("*.pdf"):
        old.unlink()
    return send_issue(session, scene.tech)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When Typst was started; it does its work all the same."""
    started: list[float] = []

    def counted(content: Content, **options: object) -> bytes:
        started.append(time.monotonic())
        return print_edition(content, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(print_editions, "print_edition", counted)
    return started


def words_of(pdf: bytes) -> str:
    """Without the blanks that a typesetter puts between Chinese and digits."""
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def folder() -> Path:
    return get_settings().data_dir / "print"


def content(session: Session, scene: Scene, issue: Issue) -> Content:
    return content_of(scene.tech, *get_published(session, scene.tech.id, issue.id))


def test_the_page_offers_a_pdf_of_the_issue(visitor: Visitor, scene: Scene, issue: Issue, runs: list[float]) -> None:
    [address] = visitor.get(f"/n/tech/issues/{issue.id}").tree.xpath("//a[@type='application/pdf']/@href")
    answer = visitor.client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    words = words_of(answer.get_data())
    assert "第1篇的正文，读者。" in words
    assert "{{" not in words
    kind, names = parse_options_header(answer.headers["Content-Disposition"])
    assert (kind, names["filename"]) == ("inline", "科技参考 2026年第3期.pdf")
    assert f'filename="tech-{issue.id}.pdf"' in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Disposition"].isascii()
    again = visitor.client.get(address)
    assert again.get_data() == answer.get_data()
    known = visitor.client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert known.status_code == 304
    assert len(runs) == 1


def test_a_part_may_be_asked_for(visitor: Visitor, issue: Issue) -> None:
    answer = visitor.client.get(f"/n/tech/issues/{issue.id}.pdf", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.get_data()) == (206, b"%PDF")


def test_ten_readers_at_once_start_the_typesetter_once(
    session: Session, scene: Scene, issue: Issue, runs: list[float]
) -> None:
    wanted = content(session, scene, issue)
    gate = threading.Barrier(10)

    def ask(_: int) -> Path:
        gate.wait()
        return get_print_edition(wanted, issue.id)

    with ThreadPoolExecutor(10) as pool:
        paths = set(pool.map(ask, range(10)))
    assert len(paths) == 1
    assert len(runs) == 1
    assert paths.pop().read_bytes().startswith(b"%PDF")


def test_no_more_issues_are_set_at_once_than_the_host_can_bear(
    session: Session, scene: Scene, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = content(session, scene, issue)
    busy, most, lock = 0, 0, threading.Lock()

    def watched(content: Content, **options: object) -> bytes:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return print_edition(content, **options)  # type: ignore[arg-type]
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(print_editions, "print_edition", watched)
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda at: get_print_edition(wanted, 1000 + at), range(5)))
    assert most == print_editions.AT_ONCE


def test_who_would_wait_too_long_is_asked_to_come_again(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder().mkdir(exist_ok=True)
    with print_editions._lock([folder() / f"{issue.id}.lock"], time.monotonic()):
        with pytest.raises(BusyError):
            get_print_edition(content(session, scene, issue), issue.id, seconds=0.1)
        monkeypatch.setattr(print_editions, "get_print_edition", _in_a_hurry(get_print_edition))
        page = visitor.get(f"/n/tech/issues/{issue.id}.pdf")
    assert page.status == 503
    assert int(page.response.headers["Retry-After"]) <= 60
    assert "half a minute" in page.text


def _in_a_hurry(ask: Callable[..., Path]) -> Callable[..., Path]:
    return lambda content, issue_id, pictures: ask(content, issue_id, pictures, seconds=0.1)


def test_a_later_edition_takes_the_place_of_the_old(
    session: Session, visitor: Visitor, scene: Scene, issue: Issue
) -> None:
    address = f"/n/tech/issues/{issue.id}.pdf"
    old = visitor.client.get(address)
    edition = Edition(
        issue_id=issue.id, ordinal=2, subject="x", theme="bulletin", language="zh_CN", html="", text="",
        content_hash="1" * 64, masthead={"title": "科技参考", "correction": "第二段数字有误。"},
    )  # fmt: skip
    edition.articles = [EditionArticle(article_id=7, position=1, title="更正启事", body="<p>更正</p>")]
    session.add(edition)
    session.flush()
    issue.shown_edition_id = edition.id
    session.commit()
    new = visitor.client.get(address, headers={"If-None-Match": old.headers["ETag"]})
    assert new.status_code == 200
    assert "更正启事" in words_of(new.get_data())
    assert "第二段数字有误。" in words_of(new.get_data())
    assert len(list(folder().glob(f"{issue.id}-*.pdf"))) == 1
    assert list(folder().glob("*.draft")) == []


def test_a_host_without_a_chinese_font_says_so(
    app: Flask, scene: Scene, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(content: Content, **options: object) -> bytes:
        return print_edition(content, fonts=["Nowhere Song"], **options)  # type: ignore[arg-type]

    monkeypatch.setattr(print_editions, "print_edition", without)
    page = Visitor(app, language="zh-CN").get(f"/n/tech/issues/{issue.id}.pdf")
    assert page.status == 503
    assert "fonts-noto-cjk" in page.text
    assert page.heading == "暂时无法提供打印版"
    assert f"http://127.0.0.1:8000/n/tech/issues/{issue.id}" in page.tree.xpath("//main//a/@href")
    assert typesetting.CHINESE_FAMILIES


def test_what_was_never_sent_has_no_print_edition(session: Session, visitor: Visitor, issue: Issue) -> None:
    issue.first_sent_at = None
    session.commit()
    assert visitor.get(f"/n/tech/issues/{issue.id}.pdf").status == 404
    assert visitor.get(f"/n/harbour/issues/{issue.id}.pdf").status == 404


def test_the_pictures_of_articles_are_printed_and_shown_beside_links(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    kept = keep_picture(session, encoded(photo()), by=None)
    foreign = '<p><img src="https://pixel.example/x.png" alt="x"></p>'
    issue = send_issue(session, scene.tech, body=foreign + as_html(kept, "湖边"), articles=1)
    made = visitor.client.get(f"/n/tech/issues/{issue.id}.pdf").get_data()
    assert sum(len(page.images) for page in PdfReader(io.BytesIO(made)).pages) == 1
    page = visitor.get(f"/n/tech/issues/{issue.id}/articles/{issue.id * 100 + 1}")
    assert page.tree.xpath("//meta[@property='og:image']/@content") == [links.media_url(kept.name)]
