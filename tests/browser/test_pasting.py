"""What Word, WPS, Google Docs and a page put into the clipboard, pasted into the article editor: it is saved as clean
HTML, and what cannot come along is told. The clipboards are as those programs write them.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.newsroom.models import Article, Picture
from tests.browser.test_desk import Look, NewContext, enter, house
from tests.browser.test_desk_editing import issue
from tests.newsroom.test_pictures import encoded, photo

__all__ = ["house", "issue"]
pytestmark = pytest.mark.browser

CLIPBOARDS = Path(__file__).parent / "clipboards"
SAVED = {
    "word": (
        "<h3>一、总体情况</h3>"
        "<p>全市<strong>研发投入</strong>增长12.5%，其中<em>企业</em>占七成，详见"
        '<a href="https://www.example.org/report?a=1&amp;b=2">全文</a>。[1]</p>'
        "<ol><li><p>加大投入</p><ol><li><p><strong>财政</strong>资金</p></li><li><p>社会资金</p></li></ol></li>"
        "<li><p>引进人才</p></li></ol>"
        "<p>要点：</p><ul><li><p>平台</p></li><li><p>项目</p></li></ul>"
        "<h3>（一）分地区</h3>"
        '<table><tbody><tr><td colspan="2"><p><strong>地区与投入</strong></p></td></tr>'
        "<tr><td><p>北渚县</p></td><td><p>3.2亿元</p></td></tr></tbody></table>"
        "<p>[中试基地效果图]</p>"
        "<p>原计划<s>三</s>两年内完成<u>验收</u>，面积500m<sup>2</sup>。</p>"
        "<p>[1] 数据来自统计公报。</p>"
    ),
    "wps": (
        "<h3>工作进展</h3>"
        "<p>本月<strong>新增12个项目</strong>，见"
        '<a href="https://www.example.org/xm">项目清单</a>。<em>（试行）</em></p>'
        "<p>手工空格缩进的一段。</p><p>一、第一项</p><p>二、第二项</p><p>又：</p><ul><li><p>要点甲</p></li></ul>"
        "<table><tbody><tr><td><p>单位</p></td><td><p>数量</p></td></tr>"
        "<tr><td><p>甲所</p></td><td><p>7</p></td></tr></tbody></table><p>[图片]</p>"
    ),
    "google_docs": (
        "<h3>New laboratory</h3>"
        '<p>The <strong>institute</strong><em> opened</em> it on <a href="https://www.example.org/lab">Monday</a>.</p>'
        "<ul><li><p>First</p><ul><li><p>Nested</p></li></ul></li><li><p>Second</p></li></ul>"
        "<p>[The hall]</p>"
        "<table><tbody><tr><td><p><strong>Room</strong></p></td><td><p>12</p></td></tr></tbody></table>"
    ),
    "page": (
        "<h3>科技部发布通知</h3><p>2026-03-02 来源：科技日报</p>"
        '<p>通知<strong>明确</strong>，到<em>2027年</em>，<a href="https://www.example.org/a">目录</a>公布更多。</p>'
        '<p>[图片]</p><p><img src="MEDIA" alt="图标" width="1"></p>'
        '<ul><li><p>甲</p></li><li><p>乙</p><ol start="3"><li><p>丙</p></li></ol></li></ul>'
        "<p>没有段落的文字<br>第二行</p><p>固定 宽度</p><p>术语</p><p>解释</p><blockquote><p>引文</p></blockquote>"
    ),
}


def paste(page: Page, html: str, file: bytes | None = None) -> None:
    page.evaluate(
        """([html, file]) => {
          const carrier = new DataTransfer();
          carrier.setData("text/html", html);
          carrier.setData("text/plain", "as text");
          if (file) carrier.items.add(new File([new Uint8Array(file)], "image.png", {type: "image/png"}));
          const place = document.querySelector(".ProseMirror");
          place.focus();
          place.dispatchEvent(new ClipboardEvent("paste", {clipboardData: carrier, bubbles: true, cancelable: true}));
        }""",
        [html, list(file) if file else None],
    )


def test_what_other_programs_copy_is_saved_as_clean_html(
    issue: object, session: Session, new_context: NewContext, look: Look
) -> None:
    # Whatever the page's policy would refuse (styles, handlers, foreign pictures) fails the test by the console.
    anna = enter(new_context, "anna", "zh-CN")
    told = anna.locator("[data-paste-told]")
    for name, saved in SAVED.items():
        anna.goto("/desk/issues/1/articles/new")
        expect(anna.locator(".ProseMirror")).to_be_visible()
        anna.locator("input[name=title]").fill(name)
        paste(anna, (CLIPBOARDS / f"{name}.html").read_text(encoding="utf-8"))
        expect(told).to_contain_text("有 1 张图片未能随文粘贴")
        expect(told).to_contain_text("修订中已删除" if name == "word" else "方括号")
        if name == "word":
            look(anna, "pasted")
        anna.locator("main form button[type=submit]").first.click()
        anna.wait_for_url("**/desk/issues/1#*")
        session.expire_all()
        body = session.scalars(select(Article.body).where(Article.title == name)).one()
        media = session.scalars(select(Picture.name)).first()
        assert body == saved.replace("MEDIA", f"{anna.url.partition('/desk')[0]}/media/{media}")


def test_a_picture_copied_alone_is_taken_from_its_file(
    issue: object, session: Session, new_context: NewContext
) -> None:
    anna = enter(new_context, "anna", "zh-CN")
    anna.goto("/desk/articles/1")
    expect(anna.locator(".ProseMirror")).to_be_visible()
    # As a browser's "copy picture" does: an address that no mail may load, and the picture itself.
    paste(anna, '<img src="https://cdn.example.com/a.png" alt="外景">', encoded(photo(60, 40), "PNG"))
    anna.locator("#picture-alt").fill("外景")
    anna.locator("[data-picture-put]").click()
    picture = anna.locator(".ProseMirror img[alt=外景]")
    expect(picture).to_be_visible()
    site = anna.url.partition("/desk")[0]
    expect(picture).to_have_attribute("src", f"{site}/media/{session.scalars(select(Picture.name)).one()}")
