"""Every public address and the signed token inside it, without Flask.

Nothing here needs the database: a click redirects and an unsubscribe is understood even when PostgreSQL is down.
Tokens in mail (`tokens`) never expire, since a link must work for years; those in letters do.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mailer.errors import LinkError
from mailer.i18n import N_
from mailer.settings import get_settings
from mailer.tokens import Signer, expect, open_token, pack, sign_token, unpack

DAY = 86_400


def absolute(path: str) -> str:
    """`path` (beginning with a slash) under the public address."""
    return get_settings().public_url + path


# ---- reading: pixel, click ------------------------------------------------------------------------------------------


def make_reader_token(delivery_id: int) -> str:
    """Names one delivery in its pixel and its links: the only thing in them that differs from reader to reader."""
    return sign_token("reader", pack(delivery_id))


def read_reader_token(token: str) -> int:
    """The delivery's id. Raises `LinkError`."""
    return expect(unpack(open_token("reader", token)), 1)[0]


def pixel_url(reader: str) -> str:
    """Address of the open pixel; `reader` is a reader token or the slot that will hold it."""
    return absolute(f"/o/{reader}.gif")


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A link of an edition, as its token carries it."""

    edition_id: int
    ordinal: int
    url: str


def make_link_token(target: LinkTarget) -> str:
    """The part of a click address that is the same for every reader. It carries the target itself, signed, so that
    a click needs no database and can lead nowhere else.
    """
    return sign_token("link", pack(target.edition_id, target.ordinal) + b"\0" + target.url.encode())


def read_link_token(token: str) -> LinkTarget:
    """Raises `LinkError`."""
    payload = open_token("link", token)
    # LEB128 of a positive number holds no zero byte, so the first one ends the ids; ordinals count from 1.
    ids, _, url = payload.partition(b"\0")
    edition_id, ordinal = expect(unpack(ids), 2)
    return LinkTarget(edition_id, ordinal, url.decode())


def click_url(target: LinkTarget, reader: str) -> str:
    """Address that records a click and redirects; `reader` is a reader token or the slot that will hold it."""
    return absolute(f"/c/{make_link_token(target)}/{reader}")


# ---- leaving and preferences ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UnsubscribeTarget:
    """Who leaves what: everything RFC 8058 needs, in the token alone. `delivery_id` is 0 outside a mailing."""

    subscriber_id: int
    delivery_id: int
    list_ids: tuple[int, ...]


def make_unsubscribe_token(target: UnsubscribeTarget) -> str:
    """Works for years, without login or cookie (RFC 8058 section 3.1)."""
    return sign_token("unsubscribe", pack(target.subscriber_id, target.delivery_id, *target.list_ids))


def read_unsubscribe_token(token: str) -> UnsubscribeTarget:
    """Raises `LinkError`."""
    numbers = unpack(open_token("unsubscribe", token))
    if len(numbers) < 2:
        raise LinkError(N_("This link is not valid."))
    return UnsubscribeTarget(numbers[0], numbers[1], tuple(numbers[2:]))


def unsubscribe_url(token: str) -> str:
    """POST leaves, GET shows the button."""
    return absolute(f"/u/{token}")


def make_preferences_token(subscriber_id: int) -> str:
    """Opens one subscriber's preferences, without a password."""
    return sign_token("preferences", pack(subscriber_id))


def read_preferences_token(token: str) -> int:
    """The subscriber's id. Raises `LinkError`."""
    return expect(unpack(open_token("preferences", token)), 1)[0]


def preferences_url(token: str) -> str:
    """Where a reader chooses lists, language and name."""
    return absolute(f"/preferences/{token}")


def make_reading_token(newsletter_id: int, subscriber_id: int) -> str:
    """Lets one subscriber read the archive of one newsletter that only subscribers may read, as long as they are one:
    nothing else, so that what happens to an address with it harms no subscription.
    """
    return sign_token("reading", pack(newsletter_id, subscriber_id))


def read_reading_token(token: str) -> tuple[int, int]:
    """(newsletter id, subscriber id). Raises `LinkError`."""
    newsletter_id, subscriber_id = expect(unpack(open_token("reading", token)), 2)
    return newsletter_id, subscriber_id


class MailLinks:
    """What is each reader's own in a mailing: (reader token, unsubscribe address, preferences address).

    The same as the functions above make; a mailing keeps one, so that keys and the public address are looked up once.
    """

    def __init__(self) -> None:
        self._reader, self._unsubscribe, self._preferences = map(Signer, ("reader", "unsubscribe", "preferences"))
        self._unsubscribe_url, self._preferences_url = unsubscribe_url(""), preferences_url("")
        self._lists: dict[tuple[int, ...], bytes] = {}

    def of(self, delivery_id: int, subscriber_id: int, list_ids: tuple[int, ...]) -> tuple[str, str, str]:
        """`list_ids` are those that an unsubscription leaves, as in `UnsubscribeTarget`."""
        lists = self._lists.get(list_ids)
        if lists is None:
            lists = self._lists[list_ids] = pack(*list_ids)
        delivery, subscriber = pack(delivery_id), pack(subscriber_id)
        return (
            self._reader.sign(delivery),
            self._unsubscribe_url + self._unsubscribe.sign(subscriber + delivery + lists),
            self._preferences_url + self._preferences.sign(subscriber),
        )


# ---- letters --------------------------------------------------------------------------------------------------------


def make_confirm_token(subscriber_id: int, list_ids: Sequence[int], *, days: int = 7) -> str:
    """Confirms the subscriptions of one sign-up until it expires."""
    return sign_token("confirm", pack(int(time.time()) + days * DAY, subscriber_id, *list_ids))


def read_confirm_token(token: str, *, is_expired_good: bool = False) -> tuple[int, tuple[int, ...]]:
    """(subscriber id, list ids). Raises `LinkError`, its message saying so when the link is only too old.

    One that is too old is read all the same with `is_expired_good`: whoever holds it may ask for a new letter.
    """
    expires, *numbers = unpack(open_token("confirm", token))
    if not numbers:
        raise LinkError(N_("This link is not valid."))
    if expires < time.time() and not is_expired_good:
        raise LinkError(N_("This link has expired."))
    return numbers[0], tuple(numbers[1:])


def confirm_url(token: str) -> str:
    """GET shows the button, POST confirms."""
    return absolute(f"/confirm/{token}")


def make_address_token(change_id: int, *, is_new: bool, days: int) -> str:
    """Agrees to a change of address, for the mailbox it was mailed to: the old one's or the new one's."""
    return sign_token("address", pack(int(time.time()) + days * DAY, change_id, int(is_new)))


def read_address_token(token: str) -> tuple[int, bool]:
    """(id of the change, whether it was mailed to the new address). Raises `LinkError`."""
    expires, change_id, is_new = expect(unpack(open_token("address", token)), 3)
    if expires < time.time():
        raise LinkError(N_("This link has expired."))
    return change_id, bool(is_new)


def address_url(token: str) -> str:
    """GET shows the button, POST agrees."""
    return absolute(f"/address/{token}")


def make_personal_token(subscriber_id: int, *, days: int) -> str:
    """Shows everything we hold about a reader, and erases it. It lives for a short time: mail is passed on."""
    return sign_token("personal", pack(int(time.time()) + days * DAY, subscriber_id))


def read_personal_token(token: str) -> int:
    """The subscriber's id. Raises `LinkError`."""
    expires, subscriber_id = expect(unpack(open_token("personal", token)), 2)
    if expires < time.time():
        raise LinkError(N_("This link has expired."))
    return subscriber_id


def personal_url(token: str) -> str:
    """Where a reader sees what we hold about them."""
    return absolute(f"/personal/{token}")


def make_invitation_token(list_id: int) -> str:
    """Opens the sign-up form of a list that is by invitation only. It does not expire: archiving the list ends it."""
    return sign_token("invitation", pack(list_id))


def read_invitation_token(token: str) -> int:
    """The list's id. Raises `LinkError`."""
    return expect(unpack(open_token("invitation", token)), 1)[0]


def invitation_url(token: str) -> str:
    """The form for those who were invited."""
    return absolute(f"/invitation/{token}")


def make_account_token(purpose: str, account_id: int, credential_version: int, *, hours: int) -> str:
    """`purpose` is ``invite`` or ``reset``. Using it changes the credential version, so it works once."""
    return sign_token(f"account/{purpose}", pack(int(time.time()) + hours * 3600, account_id, credential_version))


def read_account_token(purpose: str, token: str) -> tuple[int, int]:
    """(account id, credential version). Raises `LinkError`."""
    expires, account_id, version = expect(unpack(open_token(f"account/{purpose}", token)), 3)
    if expires < time.time():
        raise LinkError(N_("This link has expired."))
    return account_id, version


def account_url(purpose: str, token: str) -> str:
    """Where an invited account, or one that forgot its password, sets a new one."""
    return absolute(f"/account/{purpose}/{token}")


# ---- the archive ----------------------------------------------------------------------------------------------------


def newsletter_url(newsletter_slug: str) -> str:
    """A newsletter's page: what it is, sign-up, archive."""
    return absolute(f"/n/{quote(newsletter_slug)}/")


def issue_url(newsletter_slug: str, issue_id: int) -> str:
    """The web edition of an issue, for good."""
    return absolute(f"/n/{quote(newsletter_slug)}/issues/{issue_id}")


def edition_url(newsletter_slug: str, issue_id: int, ordinal: int) -> str:
    """An edition of an issue that was sent, also when a corrected one has taken its place."""
    return f"{issue_url(newsletter_slug, issue_id)}/editions/{ordinal}"


def article_url(newsletter_slug: str, issue_id: int, article_id: int) -> str:
    """One article of a web edition, for good."""
    return absolute(f"/n/{quote(newsletter_slug)}/issues/{issue_id}/articles/{article_id}")


def media_url(name: str) -> str:
    """A picture of an article, for good: mail shows it for as long as it is kept."""
    return absolute(f"/media/{quote(name)}")


def read_media_url(url: str) -> str | None:
    """The name of the picture that `url` leads to, if it is one of ours."""
    beginning = absolute("/media/")
    return url.removeprefix(beginning) if url.startswith(beginning) else None


# ---- the desk -------------------------------------------------------------------------------------------------------


def admin_directory_run_url(run_id: int) -> str:
    """A directory's run on the admin's pages, for letters to admins; it asks them to sign in."""
    return absolute(f"/admin/directories/runs/{run_id}")


def desk_issue_url(issue_id: int) -> str:
    """An issue's page at the desk, for letters to colleagues; it asks them to sign in."""
    return absolute(f"/desk/issues/{issue_id}")


def desk_mailing_url(mailing_id: int) -> str:
    """A mailing's page at the desk, likewise."""
    return absolute(f"/desk/mailings/{mailing_id}")
