"""Rows as a download, in a session of their own: the request's is closed before the first line leaves.

No rows leave without a trail: who takes what is recorded before the first line, how many they were after the last. A
download that has the first entry and not the second was broken off.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Response, abort, request
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.audience.spreadsheets import TYPES, WRITERS, Row
from mailer.db import session_scope
from mailer.web.database import commit, get_session
from mailer.web.signing_in import get_account

FINISHED = "export.finished"


@dataclass(frozen=True, slots=True)
class Taken:
    """What the trail says of a download: the act, what it is about, and the selection."""

    action: str
    subject_type: str
    subject_id: int | None = None
    selection: dict[str, Any] = field(default_factory=dict)


def download(name: str, kind: str, header: Row, rows: Callable[[Session], Iterator[Row]], *, taken: Taken) -> Response:
    """``<name>.<kind>``, streamed and recorded; 404 unless `kind` is one of `spreadsheets.TYPES`."""
    if kind not in TYPES:
        abort(404)
    account_id, ip = get_account().id, request.remote_addr or None
    about: dict[str, Any] = {"subject_type": taken.subject_type, "subject_id": taken.subject_id, "ip": ip}
    record(get_session(), by=get_account(), action=taken.action, **about, **taken.selection)
    commit()

    def pieces() -> Iterator[bytes]:
        with session_scope() as session:
            count = 0

            def counted() -> Iterator[Row]:
                nonlocal count
                for row in rows(session):
                    count += 1
                    yield row

            yield from WRITERS[kind](header, counted())
            by = session.get(Account, account_id)
            record(session, by=by, action=FINISHED, **about, act=taken.action, rows=count)

    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(pieces(), mimetype=TYPES[kind], headers=headers)
