"""What `mailer bench dispatch` sends and to whom: an edition of a wanted size or of a real bulletin, and as many
made-up readers as wanted, written by a few statements.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.db import get_engine, session_scope
from mailer.dispatch.claiming import Claim
from mailer.dispatch.dkim import keys as dkim_keys
from mailer.dispatch.dkim.signing import Algorithm
from mailer.dispatch.messages import MessageMaker
from mailer.dispatch.models import Mailing
from mailer.embedded.scene import found_newsletter, publish
from mailer.errors import RuleError
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import Issue
from mailer.newsroom.rules import IssueState
from mailer.press.slots import NAME, PREFERENCES_URL, READER, UNSUBSCRIBE_URL, slot

SUBJECT = "科技情报参考 测速"
LINE = "各类创新主体积极响应、深度参与概念验证中心的建设和运营，为科技成果转化提供了有力支撑。\n"
# The index that looks for parts of addresses takes longer than all the rest; built afterwards it takes a fifth.
SEARCH_INDEX = "ix_subscribers_email_key_trgm"
READERS = text("""
INSERT INTO subscribers (email, email_key, domain, name, locale, attributes)
SELECT format('reader%s@%s', n, domain), format('reader%s@%s', n, domain), domain, format('读者%s', n), 'zh_CN', '{}'
FROM generate_series(1, :count) AS n
CROSS JOIN LATERAL (SELECT format('d%s.example.org', n % 50)) AS d(domain)
""")
ALSO = text("""
INSERT INTO subscribers (email, email_key, domain, name, locale, attributes)
SELECT format('other%s@%s', n, domain), format('other%s@%s', n, domain), domain, format('读者%s', n), 'zh_CN', '{}'
FROM generate_series(1, :count) AS n CROSS JOIN (VALUES (CAST(:domain AS varchar))) AS d(domain)
""")
SUBSCRIPTIONS = text("""
INSERT INTO subscriptions (subscriber_id, list_id, state, source, confirmed_at)
SELECT id, :list, 'confirmed', 'bench', now() FROM subscribers ORDER BY id
""")


def set_scene(
    *,
    recipients: int,
    also: Mapping[str, int],
    message_bytes: int | None,
    file: Path | None,
    algorithms: Sequence[Algorithm],
) -> tuple[int, int]:
    """(edition id, list id) in an empty database. Raises `RuleError` for a size that no message can have."""
    with session_scope() as session:
        newsletter = found_newsletter(
            session, slug="bench", title="科技情报参考", publisher="", lists={"all": "全部读者"}, tracking="full"
        )
        chosen = newsletters.list_lists(session, newsletter_id=newsletter.id)[0]
        domain = newsletter.sender_address.rpartition("@")[2]
        for key in dkim_keys.create_keys(session, domain, by=None, algorithms=algorithms) if algorithms else ():
            dkim_keys.activate(session, key, by=None)
        if file is not None:
            issue = import_document(session, newsletter.id, filename=file.name, content=file.read_bytes(), by=None)
            edition = publish(session, issue)
        else:
            edition = _edition_of(session, newsletter, chosen, message_bytes or 5000)
        made = (edition.id, chosen.id)
    _seed_readers(recipients, also, chosen.id)
    return made


def measure_message(edition_id: int, list_id: int) -> int:
    """Bytes of a message as a reader of the list would get it."""
    with session_scope() as session:
        edition, chosen = session.get_one(Edition, edition_id), session.get_one(List, list_id)
        return len(_sample(edition, session.get_one(Newsletter, chosen.newsletter_id), chosen))


def _edition_of(session: Session, newsletter: Newsletter, chosen: List, size: int) -> Edition:
    """An approved edition whose messages are `size` bytes long, give or take a line."""
    issue = Issue(
        newsletter_id=newsletter.id, title="测速", subject=SUBJECT, state=IssueState.APPROVED,
        approved_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    session.add(issue)
    session.flush()
    padding = 0
    for _ in range(3):
        edition = _make_edition(issue.id, padding)
        # Three bytes make four characters, and 76 of them a line of 78.
        padding += int((size - len(_sample(edition, newsletter, chosen))) * 3 / 4 * 76 / 78)
        if padding < 0:
            least = len(_sample(_make_edition(issue.id, 0), newsletter, chosen))
            raise RuleError("The smallest message has %(least)d bytes.", least=least)
    edition = _make_edition(issue.id, padding)
    session.add(edition)
    session.flush()
    return edition


def _make_edition(issue_id: int, padding: int) -> Edition:
    line = LINE.encode()
    filler = (line * (padding // len(line) + 1))[:padding].decode(errors="replace")
    leaving = f'<a href="{slot(UNSUBSCRIBE_URL)}">退订</a> <a href="{slot(PREFERENCES_URL)}">设置</a>'
    pixel = f'<img src="https://news.example.org/o/{slot(READER)}.gif" alt="">'
    html = f'<html lang="zh-CN"><body><p>{slot(NAME)}：</p><p>{filler}</p>{leaving}{pixel}</body></html>'
    plain = f"{SUBJECT}\n\n{slot(UNSUBSCRIBE_URL)}\n"
    return Edition(
        issue_id=issue_id, ordinal=1, subject=SUBJECT, theme="bulletin", language="zh_CN", html=html, text=plain,
        content_hash=hashlib.sha256(html.encode()).hexdigest(), masthead={},
    )  # fmt: skip


def _sample(edition: Edition, newsletter: Newsletter, chosen: List) -> bytes:
    mailing = Mailing(id=1, issue_id=edition.issue_id, message_key="0" * 16, message_domain="news.example.org")
    claim = Claim(10_000, 10_000, "reader10000@d0.example.org", "other", (chosen.id,), 0, 0, "读者10000", "1")
    maker = MessageMaker(mailing, edition, newsletter, {chosen.id: chosen})
    return b"".join(maker.envelope(claim, dt.datetime.now(dt.UTC)).pieces())


def _seed_readers(count: int, also: Mapping[str, int], list_id: int) -> None:
    """Readers and their subscriptions, as tidy as autovacuum leaves tables that have been there for a while."""
    with session_scope() as session:
        definition = session.scalar(
            text("SELECT indexdef FROM pg_indexes WHERE indexname = :name"), {"name": SEARCH_INDEX}
        )
        session.execute(text(f"DROP INDEX {SEARCH_INDEX}"))
        session.execute(READERS, {"count": count})
        for domain, number in also.items():
            session.execute(ALSO, {"count": number, "domain": domain})
        session.execute(SUBSCRIPTIONS, {"list": list_id})
        session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        session.execute(text(str(definition)))
    with get_engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE subscribers, subscriptions"))
        connection.execute(text("CHECKPOINT"))
