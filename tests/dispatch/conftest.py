"""A newsletter with lists, readers and an approved edition, made as rows: the rooms above have tests of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from mailer.audience.models import Subscriber, Subscription, Suppression
from mailer.dispatch import launching
from mailer.dispatch.models import Delivery, Exclusion, Mailing
from mailer.newsletters.models import List, Newsletter
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from mailer.press.slots import NAME, PREFERENCES_URL, READER, UNSUBSCRIBE_URL, slot

HTML = (
    f'<html lang="zh"><body><p>你好，{slot(NAME)}</p><p>量子通信试验取得进展。</p>'
    f'<a href="http://127.0.0.1:8000/c/token/{slot(READER)}">全文</a>'
    f'<a href="{slot(UNSUBSCRIBE_URL)}">退订</a><a href="{slot(PREFERENCES_URL)}">设置</a></body></html>'
)
TEXT = f"你好，{slot(NAME)}\n\n量子通信试验取得进展。\n\n退订：{slot(UNSUBSCRIBE_URL)}\n"


@dataclass
class House:
    """What the tests stand on."""

    session: Session
    newsletter: Newsletter
    lists: list[List]
    issue: Issue
    edition: Edition
    _count: int = field(default=0)

    def subscribe(self, count: int, *, lists: tuple[int, ...] = (0,), domain: str = "example.org") -> list[int]:
        """So many new confirmed readers of these lists; their ids."""
        first = self._count + 1
        self._count += count
        made = list(
            self.session.scalars(
                text(
                    "INSERT INTO subscribers (email, email_key, domain, name, locale, attributes) "
                    "SELECT 'R' || n || '@' || :domain, 'r' || n || '@' || :domain, :domain, '读者' || n, "
                    "'zh_CN', '{}' "
                    "FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) n RETURNING id"
                ),
                {"domain": domain, "first": first, "last": self._count},
            )
        )
        for number in lists:
            self.session.execute(
                text(
                    "INSERT INTO subscriptions (subscriber_id, list_id, state, source, confirmed_at) "
                    "SELECT unnest(CAST(:ids AS bigint[])), :list, 'confirmed', 'test', now()"
                ),
                {"ids": made, "list": self.lists[number].id},
            )
        self.session.commit()
        return made

    def new_edition(self, issue: Issue | None = None) -> Edition:
        issue = issue or self.issue
        ordinal = (self.session.scalar(select(func.max(Edition.ordinal)).where(Edition.issue_id == issue.id)) or 0) + 1
        edition = Edition(
            issue_id=issue.id,
            ordinal=ordinal,
            subject="科技情报参考 2026年第1期",
            theme="bulletin",
            language="zh_CN",
            html=HTML,
            text=TEXT,
            content_hash="0" * 64,
        )
        self.session.add(edition)
        self.session.commit()
        return edition

    def mailing(self, *lists: int, launched: bool = True, **options: object) -> Mailing:
        """A mailing of the edition to these lists, on its way to be prepared."""
        mailing = launching.create_mailing(
            self.session,
            edition_id=self.edition.id,
            list_ids=[self.lists[number].id for number in lists or (0,)],
            by=None,
            **options,  # type: ignore[arg-type]
        )
        if launched:
            launching.send_now(self.session, mailing)
        self.session.commit()
        return mailing

    def suppress(self, subscriber_id: int, newsletter_id: int | None = None) -> None:
        reader = self.session.get_one(Subscriber, subscriber_id)
        self.session.add(Suppression(email_key=reader.email_key, reason="manual", newsletter_id=newsletter_id))
        self.session.commit()

    def leave(self, subscriber_id: int) -> None:
        self.session.execute(
            Subscription.__table__.update()  # type: ignore[attr-defined]
            .where(Subscription.subscriber_id == subscriber_id)
            .values(state="unsubscribed", unsubscribed_at=func.now())
        )
        self.session.commit()

    def states(self, mailing: Mailing) -> dict[str, int]:
        """How many deliveries are in each state that any is in; their sum is the roster."""
        self.session.rollback()
        counts = dict(
            self.session.execute(
                select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing.id).group_by(Delivery.state)
            ).all()
        )
        self.session.refresh(mailing)
        assert sum(counts.values()) == (mailing.roster_size or 0)
        self.session.commit()
        return counts  # type: ignore[return-value]

    def exclusions(self, mailing: Mailing) -> dict[int, str]:
        self.session.rollback()
        rows = self.session.execute(
            select(Exclusion.subscriber_id, Exclusion.reason).where(Exclusion.mailing_id == mailing.id)
        ).all()
        self.session.commit()
        return dict(rows)  # type: ignore[arg-type]

    def deliveries(self, mailing: Mailing) -> list[Delivery]:
        self.session.rollback()
        self.session.expire_all()
        return list(
            self.session.scalars(select(Delivery).where(Delivery.mailing_id == mailing.id).order_by(Delivery.id))
        )

    def make_due(self, mailing: Mailing) -> None:
        """As if the waits of what was deferred were over."""
        self.session.execute(
            text("UPDATE deliveries SET next_attempt_at = now() WHERE mailing_id = :id AND state = 'queued'"),
            {"id": mailing.id},
        )
        self.session.commit()


def make_house(session: Session) -> House:
    """In empty tables."""
    newsletter = Newsletter(
        slug="tech",
        title="科技情报参考",
        sender_name="科技情报参考",
        sender_address="tech@example.org",
        reply_to="editor@example.org",
    )
    session.add(newsletter)
    session.flush()
    lists = [
        List(newsletter_id=newsletter.id, slug=slug, name=name)
        for slug, name in (("weekly", "每周"), ("digest", "摘要"))
    ]
    issue = Issue(newsletter_id=newsletter.id, title="科技情报参考", year=2026, number="1", state="approved")
    session.add_all([*lists, issue])
    session.commit()
    house = House(session, newsletter, lists, issue, None)  # type: ignore[arg-type]
    house.edition = house.new_edition()
    return house


@pytest.fixture
def house(redis: str, session: Session) -> House:
    """Redis first: naming it in the settings makes a new engine, and the session must not be of an older one."""
    return make_house(session)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Names the relay of the settings for this test, and ends this process's sending side afterwards."""
    from mailer.dispatch.sending_process import close_process
    from mailer.settings import get_settings

    def use(url: str) -> None:
        monkeypatch.setenv("MAILER_RELAY_URL", url)
        get_settings.cache_clear()

    yield use
    close_process()
    monkeypatch.undo()
    get_settings.cache_clear()
