import datetime as dt

import pytest
from sqlalchemy import text

from mailer.db import now
from mailer.dispatch.forecast import LimitedBy, forecast
from mailer.dispatch.models import ProviderOverride, Suspension
from mailer.dispatch.pace.provider_settings import load_domains, load_providers, reset_override, set_override
from mailer.dispatch.pace.providers import get_providers
from mailer.dispatch.pace.slowing import load_paces
from mailer.dispatch.preparing import prepare
from mailer.dispatch.suspending import list_slowed, list_suspensions
from mailer.errors import NotFoundError, RuleError
from tests.dispatch.conftest import House
from tests.dispatch.test_settling import rejected, take, write


def test_what_an_admin_sets_lies_over_the_file_and_the_rest_stays(house: House) -> None:
    set_override(house.session, "qq.com", by=None, per_minute=60, connections=2, messages_per_connection=8)
    group = load_providers(house.session)["qq.com"]
    assert (group.connections, group.rate, group.suspend_after) == (2, 1.0, 5)
    # What is as in the file is not kept: a new file is in force.
    assert house.session.get_one(ProviderOverride, "qq.com").messages_per_connection is None
    reset_override(house.session, "qq.com", by=None)
    assert load_providers(house.session) == get_providers()


def test_added_domains_and_everything_below_a_suffix_join_the_group(house: House) -> None:
    for domain in ("mail.school.test", "school.test", "a.b.corp.test", "special.corp.test"):
        house.subscribe(1, domain=domain)
    set_override(house.session, "qq.com", by=None, domains=["*.School.test", "special.corp.test", "例子.test"])
    set_override(house.session, "google.com", by=None, domains=["*.corp.test"])
    domains = load_domains(house.session)
    assert domains["mail.school.test"] == "qq.com"
    assert "school.test" not in domains
    assert domains["a.b.corp.test"] == "google.com"
    # By its own name before any suffix.
    assert domains["special.corp.test"] == "qq.com"
    assert domains["xn--fsqu00a.test"] == "qq.com"
    mailing = house.mailing(0)
    prepare(mailing.id)
    groups = {row.address.rpartition("@")[2]: row.provider for row in house.deliveries(mailing)}
    assert groups == {
        "mail.school.test": "qq.com",
        "school.test": "other",
        "a.b.corp.test": "google.com",
        "special.corp.test": "qq.com",
    }


def test_tenants_of_microsoft_are_outlook(house: House) -> None:
    house.subscribe(1, domain="contoso.onmicrosoft.com")
    assert load_domains(house.session)["contoso.onmicrosoft.com"] == "outlook.com"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"connections": 0}, "whole number"),
        ({"per_hour": -5}, "whole number"),
        ({"domains": ["no domain"]}, "not a domain"),
        ({"domains": ["163.com"]}, "belongs to the group netease.com"),
    ],
)
def test_what_makes_no_sense_is_refused(house: House, values: dict[str, object], said: str) -> None:
    with pytest.raises(RuleError) as refused:
        set_override(house.session, "qq.com", by=None, **values)  # type: ignore[arg-type]
    assert said in str(refused.value) % refused.value.params if refused.value.params else said in str(refused.value)
    assert load_providers(house.session) == get_providers()


def test_an_unknown_group_is_said_so(house: House) -> None:
    with pytest.raises(NotFoundError):
        set_override(house.session, "nowhere.test", by=None, connections=1)


def test_the_first_slow_down_halves_and_the_fifth_suspends(house: House) -> None:
    house.subscribe(5, domain="qq.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    claims = take(house, mailing)
    write(house, [rejected(claims[0], "rate", event="defer")])
    assert [(each.provider, each.share, each.connections) for each in list_slowed(house.session)] == [
        ("qq.com", 0.5, 2)
    ]
    assert load_paces(house.session)["qq.com"].at_once == 2
    write(house, [rejected(each, "rate", event="defer") for each in claims[1:4]])
    assert list_suspensions(house.session) == []
    assert len(list_slowed(house.session)) == 1
    write(house, [rejected(claims[4], "rate", event="defer")])
    (suspension,) = list_suspensions(house.session)
    assert suspension.until - suspension.created_at == dt.timedelta(hours=1)


def test_two_too_many_connections_leave_netease_one_for_an_hour(house: House) -> None:
    house.subscribe(3, domain="163.com")
    mailing = house.mailing(0)
    prepare(mailing.id)
    claims = take(house, mailing)
    write(house, [rejected(claims[0], "connections", event="defer")])
    pace = load_paces(house.session)["netease.com"]
    assert (pace.at_once, pace.rate) == (2, pytest.approx(1500 / 3600))
    write(house, [rejected(claims[1], "connections", event="defer")])
    assert load_paces(house.session)["netease.com"].at_once == 1
    assert list_suspensions(house.session) == []
    until = max(each.until for each in list_slowed(house.session))
    assert dt.timedelta(minutes=59) < until - now(house.session) <= dt.timedelta(hours=1)
    house.session.execute(text("UPDATE suspensions SET until = now()"))
    house.session.commit()
    assert load_paces(house.session)["netease.com"].at_once == 4


def test_twenty_thousand_netease_readers_take_six_hours_and_forty_minutes(house: House) -> None:
    house.subscribe(20_000, domain="163.com")
    start = now(house.session)
    found = forecast(house.session, house.edition.id, [house.lists[0].id], start=start)
    assert found.seconds / 3600 == pytest.approx(20_000 / 3000)
    assert (found.limited_by, found.provider) == (LimitedBy.PROVIDER, "netease.com")
    set_override(house.session, "netease.com", by=None, per_hour=6000, per_day=200_000)
    faster = forecast(house.session, house.edition.id, [house.lists[0].id], start=start)
    assert faster.seconds / 3600 == pytest.approx(20_000 / 6000)


def test_a_suspension_is_waited_for_in_the_forecast(house: House) -> None:
    house.subscribe(10, domain="qq.com")
    start = now(house.session)
    until = start + dt.timedelta(hours=1)
    house.session.add(Suspension(provider="qq.com", until=until, reply_class="rate"))
    house.session.commit()
    found = forecast(house.session, house.edition.id, [house.lists[0].id], start=start)
    assert found.finish_at is not None
    assert until < found.finish_at < until + dt.timedelta(seconds=1)
    assert (found.limited_by, found.providers[0].suspended_until) == (LimitedBy.PROVIDER, until)
