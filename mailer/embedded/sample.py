"""What a newcomer finds: a newsletter with readers, an issue that was sent and read, and another still being written.

The first start leaves a mark, and a process of its own loads the sample through the same use cases as the pages. Each
step looks first whether it was done, so that an interrupted start is made up for by the next one.
"""

import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience.models import Subscription
from mailer.db import session_scope
from mailer.dispatch.launching import create_mailing, send_now
from mailer.dispatch.models import Mailing
from mailer.dispatch.rules import MailingState
from mailer.embedded import readers
from mailer.embedded.crew import make_child as make_process
from mailer.embedded.people import make_csv
from mailer.embedded.processes import Child
from mailer.embedded.scene import fill_list, found_newsletter, publish
from mailer.embedded.surroundings import Plan
from mailer.errors import MailerError
from mailer.feedback.models import Open
from mailer.maildir import Maildir
from mailer.newsletters.models import Newsletter
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import Issue
from mailer.settings import get_settings

BULLETINS = Path(__file__).parent / "bulletins"
SLUG = "keji-cankao"
# {short name: name}, and how many made-up people read each; those of the second are among those of the first.
LISTS = {"dingyue": "公开订阅", "neibu": "市直单位"}
READERS = {"dingyue": 200, "neibu": 40}
OPENING = 116
PROXIES = 14
SEND_SECONDS = 180.0


def want(data_dir: Path) -> None:
    """The first start asks for the sample."""
    _mark(data_dir).touch()


def is_wanted(data_dir: Path) -> bool:
    """Whether the sample was asked for and is not complete."""
    return _mark(data_dir).exists()


def _mark(data_dir: Path) -> Path:
    return data_dir / "run" / "sample-wanted"


def make_child(plan: Plan, environment: Mapping[str, str]) -> Child:
    """The process that loads it. It sends only where nothing leaves this machine."""
    return make_process(plan, environment, "sample", "mailer.embedded.sample", *_arguments(plan))


def _arguments(plan: Plan) -> list[str]:
    return [plan.web_url] if plan.sends_to_mailbox else []


def load(*, web_url: str | None) -> None:
    """Every step that is not done yet; without `web_url`, where the readers fetch, nothing is sent. Raises
    `MailerError` when a step cannot be taken.
    """
    with session_scope() as session:
        newsletter = found_newsletter(
            session,
            slug=SLUG,
            title="澜州科技参考",
            publisher="澜州市科技信息服务中心",
            lists=LISTS,
            description="面向科技管理人员和企业的参考刊物，每月一期。（示例刊物：城市、单位和人物均为虚构。）",
            contact="澜州市科技信息服务中心《澜州科技参考》编辑部\n澜州市观澜路 1 号　电话 0000-5550142",
        )
        lists = {each.slug: each.id for each in newsletters.list_lists(session, newsletter_id=newsletter.id)}
        empty = [slug for slug in LISTS if not _count_readers(session, lists[slug])]
    for slug in empty:
        fill_list(lists[slug], make_csv(READERS[slug]))
    with session_scope() as session:
        newsletter = newsletters.get_newsletter_by_slug(session, SLUG)
        mailing_id = _publish_first(session, newsletter, [lists[slug] for slug in LISTS], is_sent=web_url is not None)
    with session_scope() as session:
        if _count_issues(session, newsletter.id) == 1:
            _import(session, newsletter.id, "second.txt")
    if mailing_id is not None and web_url is not None and _is_sent_and_unread(mailing_id):
        _read(web_url)


def _count_readers(session: Session, list_id: int) -> int:
    return session.scalar(select(func.count()).where(Subscription.list_id == list_id)) or 0


def _count_issues(session: Session, newsletter_id: int) -> int:
    return session.scalar(select(func.count()).where(Issue.newsletter_id == newsletter_id)) or 0


def _import(session: Session, newsletter_id: int, filename: str) -> Issue:
    content = (BULLETINS / filename).read_bytes()
    return import_document(session, newsletter_id, filename=filename, content=content, by=None)


def _publish_first(session: Session, newsletter: Newsletter, list_ids: list[int], *, is_sent: bool) -> int | None:
    """The mailing's id; `None` where nothing is sent."""
    if _count_issues(session, newsletter.id):
        return session.scalar(select(Mailing.id).where(Mailing.newsletter_id == newsletter.id).order_by(Mailing.id))
    edition = publish(session, _import(session, newsletter.id, "first.txt"))
    if not is_sent:
        return None
    mailing = create_mailing(session, edition_id=edition.id, list_ids=list_ids, by=None)
    send_now(session, mailing)
    return mailing.id


def _is_sent_and_unread(mailing_id: int) -> bool:
    """Waits for the worker; a mailing that somebody paused in the meantime is left to them."""
    deadline = time.monotonic() + SEND_SECONDS
    while time.monotonic() < deadline:
        with session_scope() as session:
            mailing = session.get_one(Mailing, mailing_id)
            if mailing.state == MailingState.FINISHED:
                return not session.scalar(select(func.count()).where(Open.mailing_id == mailing_id))
        time.sleep(0.5)
    return False


def _read(web_url: str) -> None:
    settings = get_settings()
    assert settings.mailbox_dir, "the sample is sent to a mailbox"
    arrived = [content for _, content in Maildir(settings.mailbox_dir).read_all()]
    mails = [mail for content in arrived if (mail := readers.mail_of(content, settings.public_url, web_url)).pixel]
    time.sleep(readers.SECONDS_TO_NOTICE)
    chosen = random.Random(2026).sample(mails, min(OPENING, len(mails)))  # noqa: S311  (made-up readers)
    readers.read(readers.plan_visits(chosen, clicking=0.45, proxies=PROXIES))


def main() -> None:
    """The process `sample` of the first start: ``python -m mailer.embedded.sample [WEB_URL]``."""
    try:
        load(web_url=next(iter(sys.argv[1:]), None))
    except MailerError as error:
        sys.exit(str(error))
    _mark(get_settings().data_dir).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
