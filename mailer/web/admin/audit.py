"""The audit trail."""

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts as room
from mailer.accounts.auditing import PAGE_SIZE, AuditFilter, list_audit_entries
from mailer.web.admin import blueprint
from mailer.web.admin.acting import typed
from mailer.web.admin.audit_words import ACTIONS
from mailer.web.admin.words import WORDS
from mailer.web.database import get_session

# Where the thing an entry is about can be looked at.
PLACES: dict[str, tuple[str, str]] = {
    "account": ("admin.account", "account_id"),
    "list": ("admin.list_change", "list_id"),
    "subscriber": ("admin.subscriber", "subscriber_id"),
    "import": ("admin.import_run", "run_id"),
    "directory": ("admin.directory", "directory_id"),
    "relay": ("admin.relay_change", "relay_id"),
}


@blueprint.get("/audit")
def audit() -> ResponseReturnValue:
    """Newest first, narrowed by who, what and which; a page holds fifty."""
    session = get_session()
    wanted = AuditFilter(
        account_id=request.args.get("account", type=int),
        action=typed("action") or None,
        subject_type=typed("subject") or None,
        subject_id=request.args.get("id", type=int),
    )
    found = list_audit_entries(session, wanted, before_id=request.args.get("before", type=int), limit=PAGE_SIZE + 1)
    entries = found[:PAGE_SIZE]
    args: dict[str, Any] = {
        key: value for key, value in request.args.items() if key in {"account", "action", "subject", "id"} and value
    }
    return render_template(
        "admin/audit.html",
        entries=entries,
        wanted=wanted,
        is_narrowed=wanted != AuditFilter(),
        accounts=room.list_accounts(session),
        actions=sorted(ACTIONS),
        subjects=sorted(WORDS["subject"]),
        place_of=_place_of,
        first=url_for("admin.audit", **args) if request.args.get("before") else None,
        next=url_for("admin.audit", before=entries[-1].id, **args) if len(found) > PAGE_SIZE else None,
    )


def _place_of(subject_type: str, subject_id: int | None) -> str | None:
    if subject_id is None or subject_type not in PLACES:
        return None
    endpoint, key = PLACES[subject_type]
    args: dict[str, Any] = {key: subject_id}
    return url_for(endpoint, **args)
