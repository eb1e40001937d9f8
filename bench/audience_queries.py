"""The questions that `bench/audience.py` asks at a million readers, what was sent to them, and PostgreSQL's plans."""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

DOMAINS = [f"mail{number}.example.org" for number in range(400)]
ROUNDS = 30
PLAN_WIDTH = 200
# The page of one of the first so many readers is looked at.
READERS = 1_000


def deliver(url: str, count: int) -> None:
    """Deliveries of past issues, each to every reader, the oldest issue first, and what readers did with them."""
    with psycopg.connect(url, autocommit=True) as connection:
        readers = connection.execute("SELECT count(*) FROM subscribers").fetchone()[0]  # type: ignore[index]
        issues = max(1, count // readers)
        with bulk(connection, "deliveries"):
            for number in range(issues, 0, -1):
                mailing_id = _make_issue(number)
                connection.execute(
                    """
                    INSERT INTO deliveries (mailing_id, subscriber_id, address, provider, list_ids, state, reason,
                        attempts, faults, queued_at, next_attempt_at, settled_at, code, reply)
                    SELECT m.id, s.id, s.email, 'other', '{1}', 'accepted', '', 1, 0, m.started_at, m.started_at,
                        m.started_at, 250, '2.0.0 Ok'
                    FROM mailings m, (SELECT id, email FROM subscribers ORDER BY id LIMIT %s) s WHERE m.id = %s
                    """,
                    (min(readers, count - (issues - number) * readers), mailing_id),
                )
                print(f"{issues - number + 1} of {issues} issues delivered", file=sys.stderr)
        connection.execute(
            """
            INSERT INTO engagements (subscriber_id, newsletter_id, last_open_at, last_click_at)
            SELECT id, 1, now() - (id %% 400) * interval '1 day',
                CASE WHEN id %% 5 = 0 THEN now() - (id %% 300) * interval '1 day' END
            FROM subscribers WHERE id %% 2 = %s
            """,
            (0,),
        )
        connection.execute(
            "UPDATE subscribers SET attributes = '{\"city\": \"Beijing\"}' WHERE id % 10 = 0 AND attributes = '{}'"
        )
        connection.execute('UPDATE subscribers SET attributes = \'{"city": "Lhasa"}\' WHERE id <= 10')
        # Readers of two years: who came after an issue was sent is not silent since then.
        connection.execute("UPDATE subscriptions SET confirmed_at = now() - (id % 730) * interval '1 day'")
        connection.execute("VACUUM ANALYZE")


@contextmanager
def bulk(connection: psycopg.Connection, table: str) -> Iterator[None]:
    """Rows put into `table` in this block are put there as a restore does it: no foreign key is looked up (a
    superuser may say so), and the indexes that are no constraints are built afterwards, as they were.
    """
    connection.execute("SET session_replication_role = replica")
    indexes = connection.execute(
        """
        SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
        """,
        (table,),
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        connection.execute(definition)
    connection.execute("SET session_replication_role = DEFAULT")


def _make_issue(number: int) -> int:
    """An issue that was sent `number` weeks ago; the id of its mailing."""
    import datetime as dt

    from mailer.db import now, session_scope
    from mailer.dispatch.models import Mailing
    from mailer.newsroom.edition_models import Edition
    from mailer.newsroom.models import Issue

    with session_scope() as session:
        at = now(session) - dt.timedelta(weeks=number)
        issue = Issue(newsletter_id=1, title="Bench", year=2026, number=str(number), state="approved")
        session.add(issue)
        session.flush()
        edition = Edition(
            issue_id=issue.id, ordinal=1, subject="x", theme="bulletin", language="zh_CN", html="", text="",
            content_hash="0" * 64,
        )  # fmt: skip
        session.add(edition)
        session.flush()
        mailing = Mailing(
            newsletter_id=1, issue_id=issue.id, edition_id=edition.id, state="finished", message_key="k",
            message_domain="example.org", started_at=at, finished_at=at, prepared_at=at, roster_size=0,
        )  # fmt: skip
        session.add(mailing)
        session.flush()
        return mailing.id


def _cases(list_id: int, newsletter_id: int) -> dict[str, Callable[[Any], Any]]:
    from mailer.audience.counting import count_by_list
    from mailer.audience.rules import SubscriptionState
    from mailer.audience.searching import list_subscribers

    confirmed = SubscriptionState.CONFIRMED
    middle = 500_000

    def part() -> str:
        return f"reader{random.randrange(10**5)}"

    return {
        "search, part of an address": lambda s: list_subscribers(s, search=part(), limit=51),
        "search, three characters": lambda s: list_subscribers(s, search=f"{random.randrange(256):02x}.", limit=51),
        "search, nothing found": lambda s: list_subscribers(s, search=f"nobody{random.randrange(999)}", limit=51),
        "search in a list": lambda s: list_subscribers(s, search=part(), list_id=list_id, state=confirmed, limit=51),
        "first page": lambda s: list_subscribers(s, limit=51),
        "page of a list": lambda s: list_subscribers(s, list_id=list_id, state=confirmed, limit=51),
        "page in the middle": lambda s: list_subscribers(s, list_id=list_id, before_id=middle, limit=51),
        "page of an empty list": lambda s: list_subscribers(s, list_id=list_id + 1, limit=51),
        "page of who left": lambda s: list_subscribers(s, state=SubscriptionState.UNSUBSCRIBED, limit=51),
        "counts of all lists": count_by_list,
        "a reader's page": _show_reader,
    } | {
        f"segment: {name}": partial(_look_at_segment, tree=tree)
        for name, tree in _segments(list_id, newsletter_id).items()
    }


def _show_reader(session: Any) -> None:
    """What the page of one reader reads: everything that happened, in one line of time."""
    from mailer.audience.models import Subscriber
    from mailer.reports.timeline import get_timeline

    get_timeline(session, session.get_one(Subscriber, random.randrange(1, READERS)))


def _segments(list_id: int, newsletter_id: int) -> dict[str, dict[str, Any]]:
    paper = {"newsletter_id": newsletter_id}
    city = {"is": "attribute", "test": "equals", "key": "city", "value": "Beijing"}
    domain = {"is": "domain", "test": "equals", "value": DOMAINS[7]}
    opened = {"is": "opened", "test": "within", "days": 30} | paper
    clicked = {"is": "clicked", "test": "within", "days": 30} | paper
    return {
        "a domain": domain,
        "an attribute": city,
        "an attribute that ten have": city | {"value": "Lhasa"},
        "an attribute that nobody has": city | {"value": "Atlantis"},
        "confirmed on a list": {"is": "list", "list_id": list_id, "state": "confirmed"},
        "opened within 30 days": opened,
        "clicked within 30 days": clicked,
        "neither opened nor clicked": {"all": [{"not": opened}, {"not": clicked}]},
        "silent for 2 issues": {"is": "silent", "issues": 2} | paper,
        "silent for 12 issues": {"is": "silent", "issues": 12} | paper,
        "attribute and not opened": {"all": [city, {"not": opened}]},
        "list, domain or attribute": {
            "all": [{"is": "list", "list_id": list_id, "state": "confirmed"}, {"any": [domain, city]}]
        },
    }


def _look_at_segment(session: Any, *, tree: dict[str, Any]) -> None:
    """What its form shows while it is filled in: how many, and five of them."""
    from mailer.audience.conditions import read_tree
    from mailer.audience.estimating import glance
    from mailer.dispatch.segmentation import issue_times

    glance(session, read_tree(tree), issue_times(session))


def queries(list_id: int, newsletter_id: int) -> dict[str, dict[str, float]]:
    from mailer.db import session_scope

    found = {}
    for name, case in _cases(list_id, newsletter_id).items():
        times = []
        for _ in range(ROUNDS):
            with session_scope() as session:
                started = time.perf_counter()
                case(session)
                times.append((time.perf_counter() - started) * 1000)
        times.sort()
        found[name] = {
            "median_ms": round(times[len(times) // 2], 1),
            "p95_ms": round(times[int(len(times) * 0.95)], 1),
            "max_ms": round(times[-1], 1),
        }
    return found


def plans(list_id: int, newsletter_id: int) -> dict[str, str]:
    """EXPLAIN (ANALYZE, BUFFERS) of the statement that takes longest, of a segment of the sample's."""
    from sqlalchemy import event

    from mailer.db import get_engine, session_scope

    found = {}
    for name, case in _cases(list_id, newsletter_id).items():
        # Each with the seconds it took and its parameters.
        seen: list[tuple[float, str, Any]] = []
        began = [0.0]

        def start(*_args: Any, began: Any = began) -> None:
            began[0] = time.perf_counter()

        def note(
            _connection: Any,
            _cursor: Any,
            statement: str,
            parameters: Any,
            *_rest: Any,
            seen: Any = seen,
            began: Any = began,
        ) -> None:
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                seen.append((time.perf_counter() - began[0], statement, parameters))

        event.listen(get_engine(), "before_cursor_execute", start)
        event.listen(get_engine(), "after_cursor_execute", note)
        with session_scope() as session:
            case(session)
        event.remove(get_engine(), "before_cursor_execute", start)
        event.remove(get_engine(), "after_cursor_execute", note)
        # Of a segment its sample: what comes before are the table's size, the sample's numbers, when an issue was sent.
        is_segment = name.startswith("segment")
        wanted = (
            [each for each in seen if "= ANY" in each[1]] if is_segment else sorted(seen, key=lambda each: -each[0])
        )
        _seconds, statement, parameters = (wanted or seen)[0]
        with session_scope() as session:
            lines = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", parameters)
            found[name] = "\n".join(_shorten(line) for (line,) in lines)
    return found


def _shorten(line: str) -> str:
    """A plan's line without the thousands of numbers of a sample."""
    return line if len(line) <= PLAN_WIDTH else f"{line[:PLAN_WIDTH]} …"
