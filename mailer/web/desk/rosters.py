"""A mailing's roster: how many were candidates, how many are on it, and who is not, with the reason."""

from collections.abc import Iterator
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mailer.addresses import readable
from mailer.audience.spreadsheets import Row
from mailer.dispatch import launching
from mailer.dispatch.rules import ExclusionReason
from mailer.i18n import N_
from mailer.newsroom.edition_models import Edition
from mailer.reports.rosters import export_excluded, get_narrowing, get_sums, list_excluded
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.downloading import Taken, download
from mailer.web.locale import gettext

EXCLUSIONS: dict[ExclusionReason, str] = {
    ExclusionReason.SUPPRESSED: N_("Suppressed addresses"),
    ExclusionReason.PAUSED: N_("Paused by the reader"),
    ExclusionReason.ALREADY_SENT: N_("Had this issue already"),
    ExclusionReason.SEGMENT: N_("Outside the segments"),
    ExclusionReason.NOT_RECEIVED: N_("Never had what is corrected"),
}


@blueprint.get("/mailings/<int:mailing_id>/roster")
def mailing_roster(mailing_id: int) -> ResponseReturnValue:
    """Sums that add up, and the people behind them, page by page."""
    session = get_session()
    found = launching.get_mailing(session, mailing_id)
    reason, search = _wanted()
    page = list_excluded(
        session,
        mailing_id,
        reason=reason,
        search=search,
        after=request.args.get("after", type=int),
        before=request.args.get("before", type=int),
    )
    return render_template(
        "desk/mailings/roster.html",
        mailing=found,
        edition=session.get_one(Edition, found.edition_id),
        sums=get_sums(session, found),
        narrowing=get_narrowing(session, found),
        page=page,
        reason=reason,
        search=search,
        args=_args(reason, search),
        readable=readable,
    )


@blueprint.get("/mailings/<int:mailing_id>/excluded.<kind>")
def mailing_excluded(mailing_id: int, kind: str) -> ResponseReturnValue:
    """The same selection as a file, streamed and recorded."""
    found = launching.get_mailing(get_session(), mailing_id)
    reason, search = _wanted()
    taken = Taken(
        "mailing.exclusions_exported", "mailing", found.id, {"reason": reason or "all", "has_search": bool(search)}
    )
    header = (gettext(N_("Address")), gettext(N_("Name")), gettext(N_("Reason")))
    words = {each: gettext(word) for each, word in EXCLUSIONS.items()}

    def rows(own: Session) -> Iterator[Row]:
        return export_excluded(own, mailing_id, words=words, reason=reason, search=search)

    return download(f"mailing-{mailing_id}-excluded", kind, header, rows, taken=taken)


def _wanted() -> tuple[ExclusionReason | None, str]:
    reason = request.args.get("reason") or None
    if reason is not None and reason not in list(ExclusionReason):
        abort(404)
    # PostgreSQL takes no NUL.
    search = "".join(sign for sign in request.args.get("q", "") if sign.isprintable()).strip()[:200]
    return (ExclusionReason(reason) if reason else None), search


def _args(reason: ExclusionReason | None, search: str) -> dict[str, Any]:
    return {key: value for key, value in (("reason", reason), ("q", search)) if value}


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"exclusion_words": EXCLUSIONS}
