"""Letters to readers: to confirm, to welcome, or to say that there was nothing to do.

A letter never carries what somebody typed beside the address, the name least of all: it would let strangers write to
strangers in our name.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import letters, links
from mailer.addresses import readable
from mailer.audience.former import is_received_elsewhere
from mailer.audience.models import AddressChange, Subscriber
from mailer.audience.rules import SubscriptionState
from mailer.audience.subscriptions import Change
from mailer.i18n import N_, translate
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind
from mailer.newsletters.models import List, Newsletter
from mailer.newsletters.rules import ArchiveAccess

# What was last sent of a newsletter, for a welcome letter: ``{"title", "url"}``. Rooms above know it; the audience does
# not know issues.
LatestIssue = Callable[[Newsletter], dict[str, str] | None]

# More letters than this to one address in 24 hours would make us a tool against its owner.
LETTERS_A_DAY = 3
CONFIRM_DAYS = 7
# What a link to everything we hold about somebody needs to be found in a mailbox, and no more.
PERSONAL_DAYS = 2


def no_issue(_newsletter: Newsletter) -> None:
    """Where nobody knows what was sent."""


def may_write(session: Session, subscriber: Subscriber) -> bool:
    """Whether the day's letters to this address are not used up. Exact while the subscriber's row is locked."""
    return _may_write_to(session, subscriber.email_key)


def _may_write_to(session: Session, email_key: str) -> bool:
    a_day_ago = func.now() - dt.timedelta(days=1)
    query = select(func.count()).where(Letter.address_key == email_key, Letter.created_at > a_day_ago)
    return (session.scalar(query) or 0) < LETTERS_A_DAY


def answer_sign_up(
    session: Session,
    subscriber: Subscriber,
    lists: Sequence[List],
    changes: Collection[Change],
    latest_issue: LatestIssue = no_issue,
) -> None:
    """One letter, whatever the sign-up came to, so that nobody can tell by their number."""
    unconfirmed = {change.list_id for change in changes if change.new is SubscriptionState.UNCONFIRMED}
    joined = {change.list_id for change in changes if change.is_real} - unconfirmed
    if unconfirmed:
        _confirm(session, subscriber, [each for each in lists if each.id in unconfirmed])
    elif joined:
        chosen = [each for each in lists if each.id in joined]
        is_elsewhere = is_received_elsewhere(session, subscriber, joined)
        _welcome(session, subscriber, chosen, latest_issue, is_elsewhere=is_elsewhere)
    else:
        _tell_already_subscribed(session, subscriber, lists)


def _confirm(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> None:
    token = links.make_confirm_token(subscriber.id, [each.id for each in lists], days=CONFIRM_DAYS)
    parameters = _names(subscriber, lists) | {
        "confirm_url": links.confirm_url(token),
        "expires_days": CONFIRM_DAYS,
        "is_elsewhere": is_received_elsewhere(session, subscriber, [each.id for each in lists]),
    }
    _write(session, subscriber, LetterKind.CONFIRM, lists, parameters)


def welcome(session: Session, subscriber: Subscriber, lists: Sequence[List], latest_issue: LatestIssue) -> None:
    """After a confirmation: a letter for those of the lists that want one, with the latest issue."""
    wanting = [each for each in lists if each.has_welcome]
    if wanting:
        _welcome(session, subscriber, wanting, latest_issue)


def _welcome(
    session: Session,
    subscriber: Subscriber,
    lists: Sequence[List],
    latest_issue: LatestIssue,
    *,
    is_elsewhere: bool = False,
) -> None:
    # An issue of one newsletter in a letter about two would look like a choice of ours.
    newsletters = {each.newsletter_id: each.newsletter for each in lists}
    latest = None
    if len(newsletters) == 1:
        newsletter = next(iter(newsletters.values()))
        latest = _for_reader(latest_issue(newsletter), newsletter, subscriber)
    target = links.UnsubscribeTarget(subscriber.id, 0, tuple(each.id for each in lists))
    parameters = _names(subscriber, lists) | {
        "preferences_url": _preferences_url(subscriber),
        "unsubscribe_url": links.unsubscribe_url(links.make_unsubscribe_token(target)),
        "latest_issue": latest,
        "is_elsewhere": is_elsewhere,
    }
    _write(session, subscriber, LetterKind.WELCOME, lists, parameters)


def _for_reader(latest: dict[str, str] | None, newsletter: Newsletter, subscriber: Subscriber) -> dict[str, str] | None:
    """`latest` with an address that opens to `subscriber`, or nothing where none does."""
    if latest is None or newsletter.archive_access == ArchiveAccess.PUBLIC:
        return latest
    if newsletter.archive_access == ArchiveAccess.ACCOUNTS:
        return None
    return latest | {"url": f"{latest['url']}?r={links.make_reading_token(newsletter.id, subscriber.id)}"}


def _tell_already_subscribed(session: Session, subscriber: Subscriber, lists: Sequence[List]) -> None:
    def say(message: str, **params: object) -> str:
        return translate(subscriber.locale, message, **params)

    newsletter = _names(subscriber, lists)["newsletter"]
    parameters = {
        "subject": say(N_("You are subscribed to %(newsletter)s already"), newsletter=newsletter),
        "lines": [
            say(
                N_("Somebody, presumably you, asked again that this address receive %(newsletter)s."),
                newsletter=newsletter,
            ),
            say(N_("You are subscribed already, so nothing has changed and there is nothing to do.")),
            say(N_("If you want to change what you receive, or to leave, open your subscription settings:")),
        ],
        "url": _preferences_url(subscriber),
    }
    _write(session, subscriber, LetterKind.NOTICE, lists, parameters)


def ask_about_address(
    session: Session, subscriber: Subscriber, change: AddressChange, url: str, *, is_new: bool
) -> None:
    """To one of the two mailboxes of a change of address. A stranger who is asked too often is not asked: what the
    form answers does not tell.
    """

    def say(message: str, **params: object) -> str:
        return translate(subscriber.locale, message, **params)

    if is_new:
        if not _may_write_to(session, change.email_key):
            return
        about = say(
            N_("A reader of our newsletters, presumably you, wants to receive them at this address from now on.")
        )
        no = say(N_("If it was not you, there is nothing to do: without this confirmation nothing will be sent."))
    else:
        new = readable(change.email)
        about = say(N_("You, or somebody who has your mail, asked us to write to %(email)s from now on."), email=new)
        no = say(N_("If it was not you, open the page and refuse: your subscription then stays as it is."))
    parameters = {
        "subject": say(N_("Please confirm the change of your address")),
        "lines": [
            about,
            say(N_("Both addresses must agree. Open the page and press the button; the link works for %(days)s days."),
                days=CONFIRM_DAYS),
            no,
        ],
        "url": url,
    }  # fmt: skip
    letters.write(
        session,
        LetterKind.NOTICE,
        address=change.email if is_new else subscriber.email,
        locale=subscriber.locale,
        parameters=parameters,
    )


def offer_personal_data(session: Session, subscriber: Subscriber) -> bool:
    """A letter with the link to everything we hold about them; whether the day's letters allowed it."""
    if not may_write(session, subscriber):
        return False

    def say(message: str, **params: object) -> str:
        return translate(subscriber.locale, message, **params)

    parameters = {
        "subject": say(N_("Your data: look, copy, erase")),
        "lines": [
            say(N_("Somebody, presumably you, asked in your subscription settings to see what we hold about you.")),
            say(N_("Behind the link stands everything we hold about you; take a copy of it, or have it erased.")),
            say(N_("The link works for %(days)s days. Please do not pass it on."), days=PERSONAL_DAYS),
            say(N_("If you did not ask for it, there is nothing to do.")),
        ],
        "url": links.personal_url(links.make_personal_token(subscriber.id, days=PERSONAL_DAYS)),
    }
    letters.write(session, LetterKind.NOTICE, address=subscriber.email, locale=subscriber.locale, parameters=parameters)
    return True


def find_letter(session: Session, subscriber: Subscriber, confirm_url: str) -> Letter | None:
    """The confirmation letter that carries this link: part of the evidence."""
    return session.scalar(
        select(Letter)
        .where(
            Letter.address_key == subscriber.email_key,
            Letter.kind == LetterKind.CONFIRM,
            func.jsonb_extract_path_text(Letter.parameters, "confirm_url") == confirm_url,
        )
        .order_by(Letter.id.desc())
        .limit(1)
    )


def _preferences_url(subscriber: Subscriber) -> str:
    return links.preferences_url(links.make_preferences_token(subscriber.id))


def _names(subscriber: Subscriber, lists: Sequence[List]) -> dict[str, Any]:
    """The titles of the newsletters in one phrase, and the lists, by both names where one would leave a doubt."""
    titles = list(dict.fromkeys(each.newsletter.title for each in lists))
    # Chinese sentences put a title into 《》, and set two of them side by side without a mark between (GB/T 15834).
    comma = "》《" if subscriber.locale.startswith("zh") else ", "
    names = [_list_name(each, has_title=len(titles) > 1) for each in lists]
    return {"newsletter": comma.join(titles), "lists": names}


def _list_name(named: List, *, has_title: bool) -> str:
    """A list by its name; where there is more than one newsletter by both, unless they are the same."""
    title = named.newsletter.title
    return f"{title} · {named.name}" if has_title and named.name != title else named.name


def _write(
    session: Session, subscriber: Subscriber, kind: LetterKind, lists: Sequence[List], parameters: dict[str, Any]
) -> None:
    """In the name of the newsletter where the lists have only one, else of the service."""
    newsletter_ids = {each.newsletter_id for each in lists}
    letters.write(
        session,
        kind,
        address=subscriber.email,
        locale=subscriber.locale,
        parameters=parameters,
        newsletter_id=newsletter_ids.pop() if len(newsletter_ids) == 1 else None,
    )
