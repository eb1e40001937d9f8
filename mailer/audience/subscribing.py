"""Signing up with a form.

Nobody learns from a sign-up whether an address is known: the same answer is given, and one letter is written, whatever
the address is to us. Who owns the mailbox reads the difference there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from mailer import links
from mailer.addresses import Address, parse_address
from mailer.audience import correspondence
from mailer.audience.answers import check_all, keep_answers
from mailer.audience.correspondence import LatestIssue, no_issue
from mailer.audience.mail_domains import note_domain
from mailer.audience.models import Subscriber
from mailer.audience.rules import Act
from mailer.audience.subscriptions import Change, Evidence, apply, lock_subscriber
from mailer.audience.suppressing import has_departed
from mailer.errors import RuleError
from mailer.i18n import DEFAULT_LOCALE, LOCALES, N_
from mailer.newsletters.models import List, Newsletter
from mailer.newsletters.rules import OptIn, Visibility, check_text

NAME_LENGTH = 120


def sign_up(
    session: Session,
    *,
    email: str,
    list_ids: Iterable[int],
    locale: str = DEFAULT_LOCALE,
    name: str = "",
    wording: str,
    ip: str | None = None,
    user_agent: str = "",
    invited: Collection[int] = (),
    answers: Mapping[str, str] | None = None,
    latest_issue: LatestIssue = no_issue,
) -> None:
    """Somebody typed `email` into the form for these public lists. `wording` is the sentence they were shown.
    `invited` are lists by invitation whose link they came by; `answers` are what they said to what the lists ask.

    Raises `RuleError` for what the form itself can tell them (an impossible address, no list chosen, an answer that is
    missing); what we know of the address is never told.
    """
    address = parse_address(email)
    name = check_text(name, length=NAME_LENGTH)
    lists = open_lists(session, list_ids, invited)
    kept = check_all(lists, answers or {})
    subscriber = _find_or_add(session, address, name, locale if locale in LOCALES else DEFAULT_LOCALE)
    changes = _ask(session, subscriber, lists, Evidence(wording, ip, user_agent), latest_issue)
    keep_answers(session, subscriber, lists, changes, kept)
    note_domain(session, address.domain)


def open_lists(session: Session, list_ids: Iterable[int], invited: Collection[int] = ()) -> Sequence[List]:
    """The chosen lists, when all of them take sign-ups. Raises `RuleError`."""
    wanted = set(list_ids)
    if not wanted:
        raise RuleError(N_("Please choose at least one list."))
    found = session.scalars(
        select(List)
        .join(List.newsletter)
        .options(joinedload(List.newsletter))
        .where(List.id.in_(wanted), List.archived_at.is_(None))
        .where(
            or_(
                List.visibility == Visibility.PUBLIC,
                (List.visibility == Visibility.INVITATION) & List.id.in_(list(invited)),
            )
        )
        .where(Newsletter.archived_at.is_(None))
        .order_by(List.id)
    ).all()
    if len(found) != len(wanted):
        raise RuleError(N_("This list is not open for sign-up any more. Please choose another one."))
    return found


def _find_or_add(session: Session, address: Address, name: str, locale: str) -> Subscriber:
    """The subscriber of this address, locked. A stranger's form changes nothing about a known one."""
    session.execute(
        insert(Subscriber)
        .values(email=address.email, email_key=address.key, domain=address.domain, name=name, locale=locale)
        .on_conflict_do_nothing(index_elements=[Subscriber.email_key])
    )
    return session.scalars(
        select(Subscriber)
        .where(Subscriber.email_key == address.key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _ask(
    session: Session,
    subscriber: Subscriber,
    lists: Sequence[List],
    evidence: Evidence,
    latest_issue: LatestIssue = no_issue,
) -> list[Change]:
    may_write = correspondence.may_write(session, subscriber)
    # Who left everything, or was erased, comes back by a confirmed letter only, whatever the list would allow.
    is_letter_needed = has_departed(session, subscriber.email_key)
    single = {each.id for each in lists if each.opt_in == OptIn.SINGLE and not is_letter_needed}
    changes = apply(session, subscriber, single, Act.JOIN, evidence, source="portal")
    if may_write:
        double = {each.id for each in lists} - single
        changes += apply(session, subscriber, double, Act.SIGN_UP, evidence, source="portal")
        correspondence.answer_sign_up(session, subscriber, lists, changes, latest_issue)
    return changes


def ask_again(session: Session, token: str, *, wording: str = "", ip: str | None = None, user_agent: str = "") -> None:
    """A new letter for a link that is over, within the day's limit. Raises `LinkError` when it never was ours, and
    `RuleError` when nothing is left of that sign-up, so that the form must be filled in again.
    """
    subscriber_id, list_ids = links.read_confirm_token(token, is_expired_good=True)
    subscriber = lock_subscriber(session, subscriber_id)
    if subscriber is None:
        raise RuleError(N_("That sign-up has been deleted because it was not confirmed in time. Please sign up again."))
    # The link was mailed, so whoever holds it was invited to what it names.
    lists = open_lists(session, list_ids, invited=list_ids)
    _ask(session, subscriber, lists, Evidence(wording, ip, user_agent))
