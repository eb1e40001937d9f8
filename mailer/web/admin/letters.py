"""Letters: confirmations, invitations, password letters and notices on their way, and what became of them."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer.i18n import N_
from mailer.letters.listing import PAGE_SIZE, list_letters
from mailer.letters.rules import LetterState
from mailer.web.admin import blueprint
from mailer.web.admin.acting import typed
from mailer.web.database import get_session

VIEWS: dict[str, tuple[str, tuple[LetterState, ...]]] = {
    "": (N_("All"), ()),
    "failed": (N_("Failed"), (LetterState.REJECTED, LetterState.UNKNOWN, LetterState.EXPIRED)),
    "waiting": (N_("Waiting"), (LetterState.QUEUED, LetterState.CLAIMED)),
}


@blueprint.get("/letters")
def letters() -> ResponseReturnValue:
    """Newest first, narrowed to what failed or waits."""
    view = typed("view") if typed("view") in VIEWS else ""
    found = list_letters(
        get_session(), states=VIEWS[view][1], before_id=request.args.get("before", type=int), limit=PAGE_SIZE + 1
    )
    shown = found[:PAGE_SIZE]
    args: dict[str, Any] = {"view": view} if view else {}
    return render_template(
        "admin/letters.html",
        letters=shown,
        view=view,
        views={key: label for key, (label, _states) in VIEWS.items()},
        first=url_for("admin.letters", **args) if request.args.get("before") else None,
        next=url_for("admin.letters", before=shown[-1].id, **args) if len(found) > PAGE_SIZE else None,
    )
