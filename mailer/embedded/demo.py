"""`mailer demo`: the main job by itself, on services of its own, and the report of what became of it.

Import, compile, approve, send to made-up subscribers through a real worker and a real SMTP conversation; then readers
who do not exist fetch the pixel and the links of some of what arrived. Nothing here knows a short cut: what the demo
does, the pages do.
"""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.db import session_scope
from mailer.dispatch.launching import create_mailing, get_mailing, send_now
from mailer.dispatch.progress import get_progress
from mailer.dispatch.rules import DeliveryState, MailingState
from mailer.embedded import readers
from mailer.embedded.outcome import STATES, Bar, DemoReport, progress_bar
from mailer.embedded.people import make_csv
from mailer.embedded.running import check_settings, interruptible, uninterrupted
from mailer.embedded.scene import fill_list, found_newsletter, publish, settings_of, temporary_folder
from mailer.embedded.service import find_free_port
from mailer.embedded.supervisor import Supervisor
from mailer.embedded.surroundings import Plan
from mailer.errors import RuleError
from mailer.maildir import Maildir
from mailer.newsroom.editions import get_edition
from mailer.newsroom.importing import import_document
from mailer.newsroom.models import Issue
from mailer.newsroom.parsing import parse_document
from mailer.reports.figures import mailing_figures

LOOK_SECONDS = 0.2
# How many read what arrived: a fifth, but enough to see something and not so many that the demo waits for them.
FEWEST_READERS, MOST_READERS = 10, 200


def run_demo(
    file: Path,
    *,
    recipients: int,
    relay: str | None = None,
    rate: float | None = None,
    mailbox: Path | None = None,
    data_dir: Path | None = None,
) -> DemoReport:
    """Does it all, ends every process, and reports. `rate` is in messages a second.

    Raises `UnreadableError` for the file, `RuleError` for a mailbox that holds mail, and `ServiceError` when something
    cannot be started.
    """
    content = file.read_bytes()
    parse_document(content, file.name)
    if mailbox is not None and Maildir(mailbox).count():
        raise RuleError(
            "%(path)s holds messages already; name an empty folder, or one that is not there.", path=str(mailbox)
        )
    with _folder(data_dir) as folder, interruptible(), progress_bar(recipients) as bar:
        plan = Plan(
            data_dir=folder,
            web_port=find_free_port(),
            smtp_port=find_free_port(),
            mailbox_dir=(mailbox or folder / "mailbox").absolute(),
            relay_url=relay,
            is_durable=data_dir is not None,
        )
        check_settings(plan)
        supervisor = Supervisor(plan, bar.say)
        try:
            bar.step("Starting PostgreSQL, Redis, worker and web …")
            supervisor.start()
            with settings_of(supervisor.environment):
                bar.step("Importing, compiling, approving …")
                mailing_id = _launch(file.name, content, recipients, rate)
                stopped = _watch(supervisor, mailing_id, bar)
                bar.step("Reading some of what arrived …")
                _read(plan, mailing_id)
                return _report(mailing_id, stopped)
        finally:
            with uninterrupted():
                supervisor.stop()


@contextmanager
def _folder(data_dir: Path | None) -> Iterator[Path]:
    """The data directory: the one asked for, which stays, or one that goes when the demo ends."""
    if data_dir is not None:
        yield data_dir.absolute()
        return
    with temporary_folder("mailer-demo-") as folder:
        yield folder


def _launch(filename: str, content: bytes, recipients: int, rate: float | None) -> int:
    """From the file to a mailing on its way; its id."""
    parsed = parse_document(content, filename)
    with session_scope() as session:
        newsletter = found_newsletter(
            session,
            slug=_free_slug(session),
            title=parsed.title or "Demo",
            publisher=parsed.publisher or "",
            lists={"demo": "演示"},
            contact="demo@news.example.org",
        )
        list_id = newsletters.list_lists(session, newsletter_id=newsletter.id)[0].id
    fill_list(list_id, make_csv(recipients))
    with session_scope() as session:
        issue = import_document(session, newsletter.id, filename=filename, content=content, by=None)
        edition = publish(session, issue)
        mailing = create_mailing(session, edition_id=edition.id, list_ids=[list_id], by=None, rate=rate)
        send_now(session, mailing)
    return mailing.id


def _free_slug(session: Session) -> str:
    """A data directory that is kept may have seen a demo before."""
    taken = {newsletter.slug for newsletter in newsletters.list_newsletters(session, has_archived=True)}
    return next(slug for number in range(1, len(taken) + 2) if (slug := f"demo-{number}") not in taken)


def _watch(supervisor: Supervisor, mailing_id: int, bar: Bar) -> str:
    """Until nothing is left to send, keeping the processes alive meanwhile; why it stopped before, if it did."""
    while True:
        supervisor.check()
        with session_scope() as session:
            mailing = get_mailing(session, mailing_id)
            states = get_progress(session, mailing).states
        bar.show(sum(states.values()) - states[DeliveryState.QUEUED] - states[DeliveryState.CLAIMED])
        if mailing.state in {MailingState.FINISHED, MailingState.CANCELLED}:
            return ""
        if mailing.state in {MailingState.PAUSED, MailingState.DRAFT}:
            return f"{mailing.pause_reason} {mailing.pause_reply}".strip() or mailing.state
        time.sleep(LOOK_SECONDS)


def _read(plan: Plan, mailing_id: int) -> None:
    """Some readers look at what arrived, a few seconds later, as people do."""
    with session_scope() as session:
        mailing = get_mailing(session, mailing_id)
        accepted = get_progress(session, mailing).states[DeliveryState.ACCEPTED]
        count = min(accepted, MOST_READERS, max(FEWEST_READERS, accepted // 5))
        mails = readers.mails_of_ledger(session, mailing, count) if not plan.sends_to_mailbox else []
    if plan.sends_to_mailbox:
        mails = _captured(plan, count)
    if mails:
        time.sleep(readers.SECONDS_TO_NOTICE)
        readers.read(readers.plan_visits(mails))


def _captured(plan: Plan, count: int) -> list[readers.Mail]:
    """Out of the mail itself: the newest `count` that hold a pixel of ours."""
    maildir = Maildir(plan.mailbox_dir)
    newest = maildir.list_messages(per_page=count).messages
    mails = (readers.mail_of(maildir.get(each.key).source, plan.web_url, plan.web_url) for each in newest)
    return [mail for mail in mails if mail.pixel or mail.links]


def _report(mailing_id: int, stopped: str) -> DemoReport:
    with session_scope() as session:
        mailing = get_mailing(session, mailing_id)
        issue = session.get_one(Issue, mailing.issue_id)
        progress = get_progress(session, mailing)
        figures = mailing_figures(session, mailing_id)
        prepared, finished = mailing.prepared_at, mailing.finished_at
        return DemoReport(
            issue={
                "title": issue.title,
                "year": issue.year,
                "number": issue.number,
                "total_number": issue.total_number,
                "volume": issue.volume,
                "publisher": issue.publisher,
                "subject": get_edition(session, mailing.edition_id).subject,
                "articles": len(issue.articles),
            },
            mailing={"roster": progress.roster or 0, **{name: progress.states[DeliveryState(name)] for name in STATES}},
            opens=figures.opens.total,
            clicks=figures.clicks.total,
            seconds={"prepare": _seconds(mailing.launched_at, prepared), "send": _seconds(prepared, finished)},
            stopped=stopped,
        )


def _seconds(start: dt.datetime | None, end: dt.datetime | None) -> float:
    return round((end - start).total_seconds(), 3) if start and end else 0.0
