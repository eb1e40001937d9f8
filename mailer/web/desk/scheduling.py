"""When a mailing goes out, chosen on its own page: the first time, or another one."""

import datetime as dt
from zoneinfo import ZoneInfo

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from mailer.dispatch import launching
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_newsletter
from mailer.web.database import get_session
from mailer.web.desk import blueprint
from mailer.web.desk.rights import may_send, only
from mailer.web.desk.telling import commit_or_tell
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account


@blueprint.post("/mailings/<int:mailing_id>/schedule")
@only(may_send)
def mailing_schedule(mailing_id: int) -> ResponseReturnValue:
    """The field's time counts in the newsletter's zone."""
    session = get_session()
    found = launching.get_mailing(session, mailing_id)
    zone = ZoneInfo(get_newsletter(session, found.newsletter_id).time_zone)
    with commit_or_tell(gettext("It is scheduled.")):
        launching.schedule(session, found, _moment(zone), by=get_account())
    return redirect(url_for("desk.mailing", mailing_id=mailing_id))


def _moment(zone: ZoneInfo) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(request.form.get("at", "")).replace(tzinfo=zone)
    except ValueError:
        raise RuleError(N_("Say when it is to be sent.")) from None
