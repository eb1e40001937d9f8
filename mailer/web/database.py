"""One SQLAlchemy session per request, opened when first asked for, rolled back at the end unless the view committed."""

from flask import Flask, g
from sqlalchemy.orm import Session

from mailer.db import new_session


def get_session() -> Session:
    """The request's session."""
    if "session" not in g:
        g.session = new_session()
    session: Session = g.session
    return session


def commit() -> None:
    """Commits the request's transaction; hints enqueued with `enqueue_after_commit` leave now."""
    get_session().commit()


def release() -> None:
    """Gives the connection back before the request ends; what was not committed is rolled back. Whoever asks for
    something afterwards (an error's page for whoever is signed in) gets another one.
    """
    session: Session | None = g.get("session")
    if session is not None:
        session.rollback()


def init_app(app: Flask) -> None:
    """Closes the session when the request ends, whatever became of it."""

    @app.teardown_appcontext
    def _close(_error: BaseException | None) -> None:
        session: Session | None = g.pop("session", None)
        if session is not None:
            session.rollback()
            session.close()
