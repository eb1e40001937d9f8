"""The one door for strangers: whoever signs up with a form, here, on another site, or by a program, comes in by it.

In this order: what the sender can mend is told to them (address, lists); a robot that gave itself away is told nothing
and gets nothing; then there is a place or there is none. Only then is the address looked at, and the same is answered
whatever it is to us.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from mailer.addresses import parse_address
from mailer.audience import admission, proofs
from mailer.audience.answers import check_all
from mailer.audience.correspondence import LatestIssue, no_issue
from mailer.audience.mail_domains import takes_no_mail
from mailer.audience.rules import Verdict
from mailer.audience.subscribing import open_lists, sign_up
from mailer.errors import RuleError
from mailer.i18n import N_
from mailer.settings import get_settings

log = logging.getLogger(__name__)

# Even with the browser's help it takes a person longer to read a form, tick a box and press the button.
LEAST_SECONDS = 2.0


class TooQuickError(RuleError):
    """Faster than a person can be, or a form that was never shown."""


@dataclass(frozen=True, slots=True)
class Knock:
    """A sign-up as it came in. `trap` is the field that people do not see; `seconds` how long the form was open, where
    that is known; `proof` an ALTCHA payload; `wording` the sentence that was shown beside the form; `answers` what was
    said to the lists' questions, by their keys.
    """

    email: str
    list_ids: Collection[int]
    locale: str
    wording: str
    name: str = ""
    ip: str | None = None
    user_agent: str = ""
    trap: str = ""
    seconds: float | None = None
    proof: str | None = None
    invited: Collection[int] = ()
    answers: Mapping[str, str] = field(default_factory=dict)


def enter(session: Session, knock: Knock, latest_issue: LatestIssue = no_issue) -> Verdict:
    """`LET_IN` means that everything possible was done, whatever that was, and the caller commits it; after another
    verdict the caller rolls back, so that a proof is not spent for nothing.

    Raises `RuleError` for what the sender can mend: the address, the lists, the name, an answer (`AnswerError`), or
    that they were too quick.
    """
    address = parse_address(knock.email)
    check_all(open_lists(session, knock.list_ids, knock.invited), knock.answers)
    if _is_disposable(address.domain):
        raise RuleError(N_("Please give an address that you will keep; this one is of a service for throw-away mail."))
    if takes_no_mail(session, address.domain):
        raise RuleError(
            N_("No mail arrives at %(domain)s. Please look at your address once more."), domain=address.domain
        )
    if knock.trap:
        log.info("a sign-up form's trap was filled in")
        return Verdict.LET_IN
    if knock.seconds is not None and knock.seconds < LEAST_SECONDS:
        raise TooQuickError(N_("That was very quick. Please press the button once more."))
    verdict = admission.admit(session, knock.ip, has_proof=proofs.spend(session, knock.proof))
    if verdict is Verdict.LET_IN:
        sign_up(
            session,
            email=knock.email,
            list_ids=knock.list_ids,
            locale=knock.locale,
            name=knock.name,
            wording=knock.wording,
            ip=knock.ip,
            user_agent=knock.user_agent,
            invited=knock.invited,
            answers=knock.answers,
            latest_issue=latest_issue,
        )
    return verdict


def _is_disposable(domain: str) -> bool:
    path = get_settings().disposable_domains_file
    if path is None:
        return False
    try:
        listed = _disposable(path, path.stat().st_mtime)
    except OSError:
        log.warning("the list of throw-away domains cannot be read")
        return False
    labels = domain.split(".")
    return any(".".join(labels[at:]) in listed for at in range(len(labels) - 1))


@lru_cache(maxsize=1)
def _disposable(path: Path, _changed_at: float) -> frozenset[str]:
    """The file, read again when it has changed. Lines that begin with # are remarks."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip().lower() for line in lines if line.strip() and not line.startswith("#"))
