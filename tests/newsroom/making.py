"""Accounts, newsletters and issues for the newsroom's tests, made through the rooms' own doors."""

from typing import Any

from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account
from mailer.newsletters import create_newsletter
from mailer.newsletters.models import Newsletter
from mailer.newsroom import editing
from mailer.newsroom.models import Issue

PASSWORD = "a long enough pass phrase, seldom used"


def make_account(session: Session, name: str, *roles: str) -> Account:
    return accounts.create_account(
        session, email=f"{name.lower()}@example.org", name=name, roles=roles or ("editor",), password=PASSWORD
    )


def make_newsletter(session: Session, **values: Any) -> Newsletter:
    defaults = {"slug": "keji", "title": "科技情报参考", "publisher": "某市科技局", "contact": "某市某路1号"}
    return create_newsletter(
        session,
        sender_name="科技情报参考",
        sender_address="news@example.org",
        **(defaults | values),
    )


def make_issue(session: Session, newsletter: Newsletter, *, by: Account | None = None, articles: int = 2) -> Issue:
    issue = editing.create_issue(session, newsletter.id, by=by)
    for number in range(1, articles + 1):
        editing.add_article(
            session,
            issue,
            by=by,
            title=f"第{number}篇",
            body=f'<p>第{number}篇的正文。<a href="https://example.com/{number}">来源</a></p>',
        )
    session.commit()
    return issue
