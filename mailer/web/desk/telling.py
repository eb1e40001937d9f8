"""How the desk tells people what became of their act, and in what words it names states."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import flash

from mailer.errors import CompositionError, RuleError
from mailer.i18n import N_
from mailer.newsroom.rules import IssueState, ReviewAct
from mailer.newsroom.versions import VersionKind
from mailer.newsroom.wording import issue_name, number_line
from mailer.press.themes import list_themes
from mailer.web.database import commit, get_session
from mailer.web.desk import blueprint
from mailer.web.failures import say
from mailer.web.locale import gettext

STATES: dict[IssueState, tuple[str, str]] = {
    IssueState.DRAFT: (N_("Draft"), "secondary"),
    IssueState.IN_REVIEW: (N_("In review"), "orange"),
    IssueState.APPROVED: (N_("Approved"), "green"),
}
ACTS: dict[ReviewAct, tuple[str, str]] = {
    ReviewAct.SUBMITTED: (N_("Submitted for approval"), "orange"),
    ReviewAct.RETURNED: (N_("Returned to the editors"), "red"),
    ReviewAct.PASSED: (N_("Signed"), "blue"),
    ReviewAct.APPROVED: (N_("Approved"), "green"),
    ReviewAct.WITHDRAWN: (N_("Withdrawn"), "secondary"),
    ReviewAct.CHANGED: (N_("Withdrawn by a change"), "secondary"),
    ReviewAct.EXPIRED: (N_("Approval expired"), "secondary"),
}
VERSIONS: dict[VersionKind, tuple[str, str]] = {
    VersionKind.SAVED: (N_("Saved"), "green"),
    VersionKind.AUTOSAVED: (N_("Saved by itself"), "secondary"),
    VersionKind.REMOVED: (N_("Removed"), "red"),
    VersionKind.RESTORED: (N_("Restored"), "blue"),
}


@contextmanager
def commit_or_tell(done: str | None = None) -> Iterator[None]:
    """Commits what the block did and says `done`; where a room refuses, undoes it and says why."""
    try:
        yield
    except RuleError as error:
        get_session().rollback()
        flash(say(error), "error")
    except CompositionError as error:
        get_session().rollback()
        for problem in error.problems:
            flash(gettext(problem), "error")
    else:
        commit()
        if done is not None:
            flash(done, "success")


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "issue_states": STATES,
        "review_acts": ACTS,
        "version_kinds": VERSIONS,
        "issue_name": issue_name,
        "themes": list_themes,
        "number_line": number_line,
    }
