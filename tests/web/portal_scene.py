"""What readers find: two newsletters with lists, and what was sent of them."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom import editing
from mailer.newsroom.edition_models import Edition, EditionArticle
from mailer.newsroom.models import Issue

SENT_AT = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)
WORDING_ZH = "我同意通过上述邮箱接收所选刊物，并同意为此保存该邮箱地址。我可随时通过任一期邮件退订，无需说明理由。"


@dataclass
class Scene:
    """A Chinese newsletter with a list of each kind, and an English one."""

    tech: Newsletter
    weekly: List
    express: List
    board: List
    harbour: Newsletter
    letter: List


def set_scene(session: Session) -> Scene:
    tech = newsletters.create_newsletter(
        session,
        slug="tech",
        title="科技参考",
        publisher="某市科技局",
        description="每月一期。",
        contact="某市某路1号",
        sender_name="科技参考编辑部",
        sender_address="tech@example.org",
    )
    harbour = newsletters.create_newsletter(
        session,
        slug="harbour",
        title="Harbour Letter",
        language="en",
        sender_name="Harbour",
        sender_address="harbour@example.org",
        theme_options={"colour": "#0b4f6c"},
    )
    scene = Scene(
        tech,
        newsletters.create_list(session, tech, slug="weekly", name="周报"),
        newsletters.create_list(session, tech, slug="express", name="快讯", opt_in="single"),
        newsletters.create_list(session, tech, slug="board", name="内部", visibility="private"),
        harbour,
        newsletters.create_list(session, harbour, slug="letter", name="Letter"),
    )
    session.commit()
    return scene


def send_issue(
    session: Session,
    newsletter: Newsletter,
    *,
    number: str = "3",
    year: int = 2026,
    articles: int = 2,
    masthead: dict[str, object] | None = None,
    **values: object,
) -> Issue:
    """An issue whose first edition was sent, frozen as an approval freezes it."""
    issue = editing.create_issue(session, newsletter.id, by=None)
    issue.first_sent_at = SENT_AT
    session.flush()
    edition = Edition(
        issue_id=issue.id, ordinal=1, subject=f"{newsletter.title} {number}", theme="bulletin",
        language=newsletter.language, html="<p></p>", text="", content_hash="0" * 64,
        masthead={"title": newsletter.title, "year": year, "number": number, "publisher": newsletter.publisher,
                  "published_on": f"{year}-03-0{number}", "editor": "王五"} | (masthead or {}),
    )  # fmt: skip
    edition.articles = [
        EditionArticle(
            article_id=issue.id * 100 + place,
            position=place,
            **{"title": f"第{place}篇 副题", "body": f"<p>第{place}篇的正文，{{{{ name }}}}。</p>"} | values,  # type: ignore[arg-type]
        )
        for place in range(1, articles + 1)
    ]
    session.add(edition)
    session.flush()
    issue.shown_edition_id = edition.id
    session.commit()
    return issue
