"""The audit trail."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import accounts as room
from mailer.accounts.auditing import PAGE_SIZE, AuditFilter, list_audit_entries
from mailer.accounts.models import AuditEntry
from mailer.audience.conditions import leaves
from mailer.press.themes import list_themes
from mailer.web.admin import blueprint
from mailer.web.admin.acting import typed
from mailer.web.admin.audit_words import ACTIONS, VALUES
from mailer.web.admin.words import WORDS, word
from mailer.web.database import get_session
from mailer.web.locale import current_locale, gettext

# Where the thing an entry is about can be looked at.
PLACES: dict[str, tuple[str, str]] = {
    "account": ("admin.account", "account_id"),
    "list": ("admin.list_change", "list_id"),
    "subscriber": ("admin.subscriber", "subscriber_id"),
    "import": ("admin.import_run", "run_id"),
    "directory": ("admin.directory", "directory_id"),
    "relay": ("admin.relay_change", "relay_id"),
    "newsletter": ("desk.newsletter", "newsletter_id"),
    "issue": ("desk.issue", "issue_id"),
    "mailing": ("desk.mailing", "mailing_id"),
    "segment": ("admin.segment", "segment_id"),
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
        told=_told,
        first=url_for("admin.audit", **args) if request.args.get("before") else None,
        next=url_for("admin.audit", before=entries[-1].id, **args) if len(found) > PAGE_SIZE else None,
    )


def _told(details: Mapping[str, Any]) -> dict[str, str]:
    """Each detail by its name, in the page's words; what is empty is left out."""
    return {
        word("detail", key): _in_words(key, value) for key, value in details.items() if value not in (None, "", [], {})
    }


def _in_words(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if key == "tree":
        return gettext(", ").join(word("condition", leaf["is"]) for leaf in leaves(value))
    if isinstance(value, list | tuple):
        return gettext(", ").join(_in_words(key, each) for each in value)
    if isinstance(value, dict):
        # A question that a list asks, by its label; else settings by their names.
        inner = (
            _in_words(name, each) if name == key else f"{word('detail', name)} {each}" for name, each in value.items()
        )
        return str(value["label"]) if "label" in value else gettext(", ").join(inner)
    if key == "theme":
        return next((each.title_in(current_locale()) for each in list_themes() if each.name == value), str(value))
    # The first table that knows the value: one name of a detail can stand for values of several kinds.
    kinds = [kind for kind in VALUES.get(key, ()) if str(value) in WORDS[kind]]
    return word(kinds[0], value) if kinds else str(value)


def _place_of(entry: AuditEntry) -> str | None:
    subject_id = entry.subject_id
    if subject_id is None or entry.subject_type not in PLACES or entry.action.endswith((".deleted", ".removed")):
        return None
    endpoint, key = PLACES[entry.subject_type]
    args: dict[str, Any] = {key: subject_id}
    return url_for(endpoint, **args)
