"""The way from a file to a running mailing, as `mailer demo` and the first start's sample go it: through the same use
cases as the pages, with nobody clicking.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.accounts.models import Account
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import run_import, start_import
from mailer.audience.rules import IMPORT_UNDER_WAY, ImportState
from mailer.db import get_engine, session_scope
from mailer.errors import ServiceError
from mailer.newsletters.models import Newsletter
from mailer.newsroom import approval
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from mailer.queue import get_celery
from mailer.settings import get_settings

# Seconds: the longest wait for a worker that was quicker, and between two looks at it.
IMPORT_SECONDS, LOOK_SECONDS = 300.0, 0.1


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A data directory that goes when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
    # Ours, and empty: PostgreSQL's own user must be able to walk through it.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def settings_of(environment: Mapping[str, str]) -> Iterator[None]:
    """Makes this process one of the service that `environment` describes, for the length of the block."""
    before = dict(os.environ)
    os.environ.update(environment)
    _forget_settings()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _forget_settings()


def _forget_settings() -> None:
    # The sockets are this process's own, so they are closed and not only forgotten. Bad settings made no engine.
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    get_engine.cache_clear()
    get_settings.cache_clear()
    get_celery.cache_clear()


def found_newsletter(
    session: Session, *, slug: str, title: str, publisher: str, lists: Mapping[str, str], **values: Any
) -> Newsletter:
    """A newsletter that one account alone can publish, and its lists ({short name: name}). What is there already
    stays as it is. `values` are further columns.
    """
    newsletter = newsletters.find_newsletter_by_slug(session, slug)
    if newsletter is None:
        newsletter = newsletters.create_newsletter(
            session,
            slug=slug,
            title=title,
            publisher=publisher,
            sender_name=title,
            sender_address=f"{slug}@news.example.org",
            is_four_eyes=False,
            **values,
        )
    present = {each.slug for each in newsletters.list_lists(session, newsletter_id=newsletter.id)}
    for list_slug, name in lists.items():
        if list_slug not in present:
            newsletters.create_list(session, newsletter, slug=list_slug, name=name)
    return newsletter


def fill_list(list_id: int, content: bytes, *, filename: str = "subscribers.csv") -> None:
    """Imports a CSV file of subscribers now, in transactions of its own. A worker may have heard of it and be quicker:
    then it is waited for. Raises `ServiceError` when nothing came of it.
    """
    with session_scope() as session:
        run = start_import(
            session, list_id=list_id, filename=filename, content=content, basis="示例订户（人物虚构）", by=None
        )
    give_up_at = time.monotonic() + IMPORT_SECONDS
    while True:
        run_import(run.id)
        with session_scope() as session:
            done = session.get_one(ImportRun, run.id)
        if done.state == ImportState.FINISHED:
            return
        if done.state not in IMPORT_UNDER_WAY:
            raise ServiceError("The subscribers could not be imported: %(reason)s", reason=done.error)
        if time.monotonic() > give_up_at:
            raise ServiceError("The subscribers are still being imported; look at Lists, Imports.")
        time.sleep(LOOK_SECONDS)


def publish(session: Session, issue: Issue, *, by: Account | None = None) -> Edition:
    """Submits and approves `issue`. Raises what the approval raises."""
    approval.submit(session, issue, by=by)
    return approval.approve(session, issue, by=by)
