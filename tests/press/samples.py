"""Made-up content for the press's tests."""

import datetime as dt
from dataclasses import replace

from mailer.press.content import ArticleContent, Content
from mailer.press.message import Identity
from mailer.press.slots import PREFERENCES_URL, READER, READER_SLOT, UNSUBSCRIBE_URL

SITE = "https://news.example.org"
ISSUE_URL = f"{SITE}/n/water/issues/7"
DATE = dt.datetime(2025, 3, 28, 0, 30, tzinfo=dt.UTC)
VALUES = {
    READER: "rEaDeR-tok_en",
    UNSUBSCRIBE_URL: f"{SITE}/u/unsubscribe-token",
    PREFERENCES_URL: f"{SITE}/preferences/preferences-token",
}
IDENTITY = Identity(
    sender_name="水利信息摘编编辑部",
    sender_address="bulletin@example.org",
    reply_to="editors@example.org",
    list_id="all.water.example.org",
    list_name="水利信息摘编",
    archive_url=f"{SITE}/n/water/",
    help_url=f"{SITE}/n/water/help",
    owner_address="owner@example.org",
    feedback_id="7:1:water:mailer",
)
LONG = "堤防加固工程按期完工，沿线群众的生产生活用水得到了可靠保障。"


def click_url(ordinal: int, url: str) -> str:
    return f"{SITE}/c/{ordinal}-{len(url)}/{READER_SLOT}"


PIXEL_URL = f"{SITE}/o/{READER_SLOT}.gif"


def make_article(key: int = 1, **changes: object) -> ArticleContent:
    article = ArticleContent(
        key=key, title=f"第{key}篇：春灌用水调度", body=f"<p>{LONG}</p>", url=f"{ISSUE_URL}/articles/{key}"
    )
    return replace(article, **changes)


def make_content(**changes: object) -> Content:
    content = Content(
        title="水利信息摘编",
        subject="水利信息摘编 2025年第7期：春灌用水调度",
        preheader="河套灌区春灌全面展开",
        year=2025,
        number="7",
        total_number="131",
        published_on=dt.date(2025, 3, 28),
        publisher="示例市水利信息中心",
        editor="王小明",
        phone="0471-5550100",
        contact="示例市水源路1号",
        articles=(make_article(1, page=2), make_article(2, page=5)),
        web_url=ISSUE_URL,
        archive_url=f"{SITE}/n/water/",
    )
    return replace(content, **changes)
