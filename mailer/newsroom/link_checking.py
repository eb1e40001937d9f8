"""Which links of an issue still answer: asked by a worker, remembered for everybody, never in anybody's way."""

import datetime as dt
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from mailer.db import now, session_scope
from mailer.errors import CompositionError
from mailer.networks import is_public
from mailer.newsroom.compiling import compile_issue
from mailer.newsroom.link_probe import Probe, Verdict, probe
from mailer.newsroom.models import Issue, LinkCheck
from mailer.queue import TaskName, enqueue_after_commit
from mailer.settings import get_settings

# What was found out counts for so long; nobody asks the same site twice a day.
FRESH = dt.timedelta(hours=12)
# Links of one issue, and how many are asked at a time: a bulletin has a few dozen.
MOST = 200
AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class LinkStanding:
    """What is known of a link; no `check` where nobody has asked yet."""

    url: str
    check: LinkCheck | None


def ask_for_checks(session: Session, issue: Issue) -> None:
    """A worker looks at the issue's links as soon as this transaction is committed. Nothing waits for it."""
    enqueue_after_commit(session, TaskName.NEWSROOM_CHECK_LINKS, issue_id=issue.id)


def list_standings(session: Session, urls: Iterable[str]) -> list[LinkStanding]:
    """What is known of `urls`, in their order, without those that are never asked."""
    wanted = foreign_pages(urls)
    rows = session.scalars(select(LinkCheck).where(LinkCheck.url.in_(wanted)))
    known = {row.url: row for row in rows}
    return [LinkStanding(url, known.get(url)) for url in wanted]


def foreign_pages(urls: Iterable[str]) -> list[str]:
    """The http and https addresses among `urls` that are not on our own site, each once."""
    own = urlsplit(get_settings().public_url).netloc.lower()
    pages = (url for url in dict.fromkeys(urls) if url.lower().startswith(("http://", "https://")))
    return [url for url in pages if urlsplit(url).netloc.lower() != own][:MOST]


def check_links(issue_id: int) -> int:
    """The worker's: asks for every link of the issue that was not asked for lately; returns how many those were.

    No transaction is open while the network is. Run twice, it finds nothing left to do.
    """
    with session_scope() as session:
        issue = session.get(Issue, issue_id)
        due = _list_due(session, issue) if issue is not None else []
    may_ask = _anything if get_settings().link_check_private else is_public
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = list(pool.map(lambda url: probe(url, may_ask=may_ask), due))
    with session_scope() as session:
        _remember(session, due, found)
    return len(due)


def _anything(_number: str) -> bool:
    return True


def _list_due(session: Session, issue: Issue) -> list[str]:
    try:
        compiled = compile_issue(session, issue)
    except CompositionError:
        return []
    oldest = now(session) - FRESH
    standings = list_standings(session, (link.url for link in compiled.links))
    return [one.url for one in standings if one.check is None or one.check.checked_at < oldest]


def _remember(session: Session, urls: Sequence[str], found: Sequence[Probe]) -> None:
    for url, result in zip(urls, found, strict=True):
        values = {"verdict": result.verdict, "status": result.status, "checked_at": func.now()}
        session.execute(
            insert(LinkCheck).values(url=url, **values).on_conflict_do_update(index_elements=["url"], set_=values)
        )


def is_bad(check: LinkCheck) -> bool:
    """Whether a reader would certainly be led nowhere."""
    return check.verdict in {Verdict.BROKEN, Verdict.FORBIDDEN}
