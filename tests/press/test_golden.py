"""One whole message per theme and language, byte for byte: a change of the theme is seen in review, not in an inbox.

``MAILER_TEST_WRITE_GOLDEN=1 pytest tests/press/test_golden.py`` writes them anew; look at them before committing.
"""

import datetime as dt
import email
import email.policy
import os
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailer.press.compiling import compile_edition
from mailer.press.content import ArticleContent, Content
from mailer.press.message import Identity, assemble
from mailer.press.themes import list_themes
from tests.press.samples import DATE, IDENTITY, ISSUE_URL, PIXEL_URL, VALUES, click_url, make_article, make_content

GOLDEN = Path(__file__).parent / "golden"

CHINESE_BODY = """
<p><strong>——首轮配水侧记</strong></p>
<p><em>王小明</em></p>
<p>尊敬的{{ name }}：3月下旬以来，河套灌区春灌全面展开，<strong>首轮配水</strong>已到达下游各旗县，详见<a href="https://example.org/notice?year=2025&amp;no=7">配水公告</a>。</p>
<h3>一、用水情况</h3>
<table><caption>表1 各渠道引水量</caption><thead><tr><th>渠道</th><th>引水量（万立方米）</th></tr></thead>
<tbody><tr><td>总干渠</td><td>1,250</td></tr><tr><td>南干渠</td><td>480</td></tr></tbody></table>
<h3>二、下一步安排</h3>
<ul><li>加强巡渠护岸，确保行水安全；</li><li>推广滴灌、喷灌等节水措施。</li></ul>
<blockquote><p>节水优先、空间均衡、系统治理、两手发力。</p></blockquote>
<p><img src="https://news.example.org/media/1.png" alt="巡渠人员查看水位" width="1280" height="720"></p>
<p><em>图1　巡渠人员查看水位</em></p>
<ol start="3"><li><p>各旗县按以下次序引水：</p><ul><li><p>上游先行；</p></li><li><p>下游随后。</p></li></ul></li>
<li><p>灌溉面积<s>25</s>28 km<sup>2</sup>，溶解氧以O<sub>2</sub>计<sup>[1]</sup>。</p></li></ol>
<table><caption>表2 逐年引水量</caption><tbody>
<tr><th>渠道</th><th>2021年</th><th>2022年</th><th>2023年</th><th>2024年</th></tr>
<tr><td>总干渠</td><td>1,180</td><td>1,205</td><td>1,231</td><td>1,250</td></tr></tbody></table>
<hr><p>[1] 见《水质》，第12页。</p>
"""


def chinese() -> Content:
    return make_content(
        articles=(
            make_article(
                1,
                title="河套灌区春灌有序 沿线群众用水无忧",
                section="灌区动态",
                page=2,
                body=CHINESE_BODY,
                source="示例日报",
            ),
            make_article(2, title="示例市出台节水奖励办法", section="政策速递", page=5),
        ),
        colophon="校对：李小红",
    )


def english() -> Content:
    article = ArticleContent(
        key=1,
        title="Spring irrigation begins on the upper canal",
        body="<p>Dear {{ name }}, water reached the lower districts this week. See the "
        '<a href="https://example.org/notice">notice</a>.</p><ol><li>Mind the banks.</li><li>Save water.</li></ol>',
        url=f"{ISSUE_URL}/articles/1",
    )
    return make_content(
        title="Water Digest",
        subject="Water Digest No. 7: spring irrigation begins",
        preheader="Water reached the lower districts this week",
        publisher="Example Water Information Centre",
        editor="Wang Xiaoming",
        contact="1 Spring Street, Example City",
        published_on=dt.date(2025, 3, 28),
        language="en",
        articles=(article,),
        is_tracked=False,
    )


ENGLISH_IDENTITY = replace(IDENTITY, sender_name="Water Digest", list_name="Water Digest")
EDITIONS: dict[str, tuple[Content, Identity]] = {
    f"{theme.name}-{content.language}": (replace(content, theme=theme.name), identity)
    for theme in list_themes()
    for content, identity in ((chinese(), IDENTITY), (english(), ENGLISH_IDENTITY))
}


def make_message(content: Content, identity: Identity) -> bytes:
    compiled = compile_edition(content, click_url=click_url, pixel_url=PIXEL_URL)
    template = assemble(compiled.subject, compiled.html, compiled.text, compiled.language, identity, content.web_url)
    name = "李雷" if content.language == "zh_CN" else "Li Lei"
    pieces = template.fill(
        to="lilei@example.com", to_name=name, message_id="7.1.golden@example.org", date=DATE, slots=VALUES
    )
    return b"".join(pieces)


def parts_of(raw: bytes) -> dict[str, str]:
    """What a person can compare: header, text and HTML, decoded."""
    message: EmailMessage = email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[assignment]
    parts = {leaf.get_content_type(): leaf.get_content() for leaf in message.iter_parts()}
    return {"header": raw.split(b"\r\n\r\n")[0].decode(), **parts}


@pytest.mark.parametrize("name", EDITIONS)
def test_the_theme_makes_the_message_it_made_before(name: str) -> None:
    raw = make_message(*EDITIONS[name])
    path = GOLDEN / f"{name}.eml"
    if os.environ.get("MAILER_TEST_WRITE_GOLDEN"):
        path.write_bytes(raw)
    assert parts_of(raw) == parts_of(path.read_bytes())
    assert raw == path.read_bytes()


def test_there_is_no_golden_message_that_nothing_makes() -> None:
    assert {path.stem for path in GOLDEN.glob("*.eml")} == set(EDITIONS)
