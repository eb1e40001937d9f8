"""Rows as a download, in a session of their own: the request's is closed before the first line leaves."""

from collections.abc import Callable, Iterator

from flask import Response, abort
from sqlalchemy.orm import Session

from mailer.audience.spreadsheets import TYPES, WRITERS, Row
from mailer.db import session_scope


def download(name: str, kind: str, header: Row, rows: Callable[[Session], Iterator[Row]]) -> Response:
    """``<name>.<kind>``, streamed; 404 unless `kind` is one of `spreadsheets.TYPES`."""
    if kind not in TYPES:
        abort(404)

    def pieces() -> Iterator[bytes]:
        with session_scope() as session:
            yield from WRITERS[kind](header, rows(session))

    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(pieces(), mimetype=TYPES[kind], headers=headers)
