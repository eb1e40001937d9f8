"""One subscriber added by an admin: a file of one line, judged like any other."""

from sqlalchemy import column, select, table
from sqlalchemy.orm import Session

from mailer.accounts.auditing import record
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.audience import staging
from mailer.audience.deciding import Decision, check_decision
from mailer.audience.following import count_moved
from mailer.audience.models import Subscriber
from mailer.audience.suppressing import erased_key
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.newsletters import get_list
from mailer.newsletters.rules import check_text

_REFUSALS = {
    "left": N_("This reader has unsubscribed. Only they may come back, by signing up."),
    "suppressed": N_("This address is on the suppression list."),
    "unchanged": N_("This reader is on the list already."),
}
_MOVED_REFUSALS = {
    "left": N_("This reader has moved to another address, and has unsubscribed. Only they may come back."),
    "suppressed": N_("This reader has moved to another address, which is on the suppression list."),
    "unchanged": N_("This reader has moved to another address, and is on the list already."),
}


def add_subscriber(
    session: Session,
    *,
    email: str,
    name: str = "",
    list_id: int,
    basis: str,
    wording: str = "",
    decision: Decision,
    by: Account | None,
    ip: str | None = None,
) -> Subscriber:
    """Subscribes an address to a list, confirmed, on the legal `basis` an admin answers for; `wording` says how the
    reader agreed, `decision` who decided it otherwise. Raises `RuleError` for a bad address, a missing basis, an
    incomplete decision (`DecisionError`), an archived list, and for those whom an import would refuse as well. Who has
    moved from this address to another one is subscribed there.
    """
    target = get_list(session, list_id)
    if target.archived_at is not None:
        raise RuleError(N_("This list is archived: nobody can be added to it."))
    address = parse_address(email)
    basis = check_text(basis, length=64, is_required=True)
    decided = check_decision(session, basis, decision)
    row = staging.StagedRow(
        line=1,
        email=address.email,
        email_key=address.key,
        domain=address.domain,
        name=check_text(name, length=120),
        erased_key=erased_key(address.key),
    )
    staging.copy_rows(session, [row])
    counts = staging.judge_rows(session, list_id=target.id, newsletter_id=target.newsletter_id)
    has_moved = count_moved(session) > 0
    for verdict, message in (_MOVED_REFUSALS if has_moved else _REFUSALS).items():
        if counts.get(verdict):
            raise RuleError(message)
    origin = staging.Origin(
        basis, wording, decided_by=decided.by, decided_on=decided.on, account_id=by.id if by else None
    )
    staging.merge_rows(session, list_id=target.id, locale=target.newsletter.language, origin=origin)
    session.expire_all()
    present_key = select(column("email_key")).select_from(table("import_verdicts")).scalar_subquery()
    added = session.scalars(select(Subscriber).where(Subscriber.email_key == present_key)).one()
    record(
        session,
        by=by,
        action="subscriber.added",
        subject_type="subscriber",
        subject_id=added.id,
        ip=ip,
        list_id=target.id,
        basis=basis,
    )
    return added
