"""Letters to admins about a night that went wrong: once for each trouble, not every night again."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.audience.directories.models import Directory, DirectoryRun
from mailer.audience.directories.rules import RunState
from mailer.i18n import N_, translate

STOPPED = N_("A directory waits for you: “%(name)s” would take off %(count)s of its readers")
STOPPED_LINES = (
    N_("%(count)s of the %(members)s readers whom it brought cannot be found in it any more. That is above its limit."),
    N_("Nothing was changed. See who they are, and agree, or have the directory mended."),
)
FAILED = N_("The directory “%(name)s” could not be read")
FAILED_LINES = (N_("Nothing was changed, and nobody was taken off."),)


def tell_admins(session: Session, directory: Directory, run: DirectoryRun) -> None:
    """Writes to every admin in their language, in the transaction that ends the run; not where the run before had ended
    in the same way.
    """
    before = session.scalar(
        select(DirectoryRun)
        .where(DirectoryRun.directory_id == directory.id, DirectoryRun.id < run.id, ~DirectoryRun.is_dry)
        .order_by(DirectoryRun.id.desc())
        .limit(1)
    )
    if run.is_dry or (before is not None and before.state == run.state and before.revision == run.revision):
        return
    is_stopped = run.state == RunState.STOPPED
    subject, lines = (STOPPED, STOPPED_LINES) if is_stopped else (FAILED, FAILED_LINES)
    words = {"name": directory.name, "count": run.counts.get("removed", 0), "members": run.members}
    admins = select(Account).where(Account.state == AccountState.ACTIVE, Account.roles.contains([Role.ADMIN]))
    for account in session.scalars(admins.order_by(Account.id)):
        said = [] if is_stopped else [translate(account.locale, run.error, **run.error_params)]
        parameters = {
            "subject": translate(account.locale, subject, **words),
            "lines": [*said, *(translate(account.locale, line, **words) for line in lines)],
            "url": links.admin_directory_run_url(run.id),
        }
        letters.write(
            session, letters.LetterKind.NOTICE, address=account.email, locale=account.locale, parameters=parameters
        )
