"""Which replies stop a provider: those by which it asks to be left alone, whatever their class, and no others."""

import pytest

from mailer.dispatch.preparing import prepare
from mailer.dispatch.replies import get_table, is_quota
from mailer.dispatch.suspending import list_suspensions
from tests.dispatch.conftest import House
from tests.dispatch.test_settling import rejected, take, write

SLOWING = sorted(name for name, found in get_table().classes.items() if found.slows and not is_quota(name))
SUSPENDING = [name for name in SLOWING if name != "connections"]
OTHERS = sorted(name for name, found in get_table().classes.items() if not found.slows and name != "accepted")


def test_blocklists_and_failed_checks_are_among_them() -> None:
    # A provider that refuses our address or our signature refuses every message: trying on only makes it worse.
    assert SLOWING == ["authentication", "connections", "policy", "rate"]


@pytest.mark.parametrize("name", SUSPENDING)
def test_five_replies_of_one_kind_suspend_qq(house: House, name: str) -> None:
    house.subscribe(5, domain="qq.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    claims = take(house, mailing)
    write(house, [rejected(each, name, event="defer") for each in claims[:4]])
    assert list_suspensions(house.session) == []
    write(house, [rejected(claims[4], name, event="defer")])
    (suspension,) = list_suspensions(house.session)
    assert (suspension.provider, suspension.reply_class) == ("qq.com", name)


def test_replies_of_several_kinds_are_counted_together(house: House) -> None:
    house.subscribe(5, domain="qq.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    kinds = ["rate", "policy", "authentication", "policy", "rate"]
    write(house, [rejected(each, kind, event="defer") for each, kind in zip(take(house, mailing), kinds, strict=True)])
    assert [suspension.provider for suspension in list_suspensions(house.session)] == ["qq.com"]


def test_what_is_about_a_recipient_a_message_or_the_relay_suspends_no_provider(house: House) -> None:
    house.subscribe(3 * len(OTHERS), domain="qq.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    claims = iter(take(house, mailing))
    write(house, [rejected(next(claims), name, event="defer") for name in OTHERS for _ in range(3)])
    assert list_suspensions(house.session) == []
