"""The print edition of a sent issue, set when somebody first asks for it and then kept.

The file's name holds a hash of everything that is printed, so that what is kept is never wrong; a later edition takes
its place. Typst is started for at most `AT_ONCE` issues at a time on one host, and once for one issue however many ask:
the others wait for it, and not for ever.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import quote

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from mailer.errors import CompositionError
from mailer.newsletters.models import Newsletter
from mailer.newsroom.compiling import theme_options_of
from mailer.newsroom.editions import get_published
from mailer.newsroom.pictures import list_used
from mailer.press.content import Content
from mailer.press.printing import print_edition
from mailer.press.themes import get_theme
from mailer.resources import TEMPLATES
from mailer.settings import get_settings
from mailer.web.database import get_session
from mailer.web.limits import limiter
from mailer.web.portal import blueprint
from mailer.web.portal.keeping import cache_control
from mailer.web.portal.reading import for_readers
from mailer.web.portal.web_editions import content_of, name_of

AT_ONCE = 2
# An issue of a hundred pages takes some; a reader's patience ends here, and so does the proxy's.
SECONDS = 25.0
_LOOK_AGAIN = 0.05


class BusyError(Exception):
    """Others are having theirs set; ask again."""


@blueprint.get("/n/<slug>/issues/<int:issue_id>.pdf")
@limiter.limit("30 per minute")
@for_readers
def print_edition_of(newsletter: Newsletter, issue_id: int) -> ResponseReturnValue:
    """The PDF, to be read in the browser and kept under a good name."""
    session, policy = get_session(), cache_control(newsletter)
    issue, edition = get_published(session, newsletter.id, issue_id)
    correction = edition.masthead.get("correction", "")
    content = with_theme(content_of(newsletter, issue, edition), newsletter, correction)
    name = name_of(newsletter, issue, edition)

    def pictures() -> Mapping[str, bytes]:
        found = list_used(session, content)
        session.rollback()
        return found

    # Setting takes its time, and so does waiting for one's turn: no transaction is open meanwhile.
    session.rollback()
    try:
        path = get_print_edition(content, issue_id, pictures)
    except CompositionError as error:
        return _unavailable(newsletter, content.web_url, error.problems)
    except BusyError:
        return _unavailable(newsletter, content.web_url, [])
    made = path.read_bytes()
    response = Response(made, content_type="application/pdf")
    response.set_etag(path.stem)
    response.headers["Content-Disposition"] = disposition(name, f"{newsletter.slug}-{issue_id}.pdf")
    response.headers["Cache-Control"] = policy
    return response.make_conditional(request, accept_ranges=True, complete_length=len(made))


def with_theme(content: Content, newsletter: Newsletter, correction: str = "") -> Content:
    """In the newsletter's colours, as its mail and its pages, and with what it corrects at its head; in the theme's own
    look where that of the newsletter has become wrong since.
    """
    options = theme_options_of(newsletter, correction)
    try:
        get_theme(content.theme, options)
    except CompositionError:
        return replace(content, theme_options={"header": options["header"]} if correction else {})
    return replace(content, theme_options=options)


def disposition(name: str, plain: str) -> str:
    """Content-Disposition with a name in any script and one in ASCII for programs of old (RFC 6266 section 4.3)."""
    name = name.replace("/", "-") + ".pdf"
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def get_print_edition(
    content: Content, issue_id: int, pictures: Callable[[], Mapping[str, bytes]] = dict, *, seconds: float = SECONDS
) -> Path:
    """The file. `pictures` are asked for when it is set. Raises `CompositionError` for what cannot be set here,
    `BusyError` after `seconds` of waiting.
    """
    folder = get_settings().data_dir / "print"
    path = folder / f"{issue_id}-{_hash(content)}.pdf"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    with _lock([folder / f"{issue_id}.lock"], until):
        # Whoever held the lock before has made it, most often.
        if path.exists():
            return path
        with _lock([folder / f"slot-{at}.lock" for at in range(AT_ONCE)], until):
            made = print_edition(content, pictures=pictures(), seconds=max(1.0, until - time.monotonic()))
        _keep(path, made, issue_id)
    return path


def _hash(content: Content) -> str:
    said = json.dumps(asdict(content), default=str, sort_keys=True, ensure_ascii=False)
    template = (TEMPLATES / "print" / "edition.typ").read_bytes()
    return hashlib.sha256(template + said.encode()).hexdigest()[:32]


def _keep(path: Path, made: bytes, issue_id: int) -> None:
    """Whole or not at all, and nothing of the issue's earlier editions."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_bytes(made)
    draft.replace(path)
    for old in path.parent.glob(f"{issue_id}-*.pdf"):
        if old != path:
            old.unlink(missing_ok=True)


@contextmanager
def _lock(files: list[Path], until: float) -> Iterator[None]:
    """Holds one of `files`, whichever is free first, across threads and processes. Raises `BusyError`."""
    with ExitStack() as stack:
        handles = [stack.enter_context(file.open("wb")) for file in files]
        while not any(_try_lock(handle.fileno()) for handle in handles):
            if time.monotonic() > until:
                raise BusyError
            time.sleep(_LOOK_AGAIN)
        yield
        # Closing the file lets go of it, and so does the end of the process.


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unavailable(newsletter: Newsletter, web_url: str, problems: Sequence[str]) -> ResponseReturnValue:
    page = render_template("archive/no_print.html", newsletter=newsletter, web_url=web_url, problems=problems)
    return page, 503
