"""The page of the DKIM keys, used as an admin uses it."""

import datetime as dt

import pytest
from sqlalchemy import update

from mailer import newsletters
from mailer.dispatch.dkim import keys as dkim_keys
from mailer.dispatch.dkim.models import DkimKey
from mailer.dispatch.dkim.rules import KEPT_PUBLISHED, KeyState, record_name, record_value, zone_line
from mailer.settings import get_settings
from tests.dispatch.name_server import NameServer
from tests.web.conftest import Visitor


@pytest.fixture
def keys(session) -> list[DkimKey]:
    """RSA and Ed25519 of example.org; neither signs yet."""
    made = dkim_keys.create_keys(session, "example.org", by=None, selector="spring")
    session.commit()
    return made


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch):
    """`published(keys)`: from now on the DNS of the settings publishes these and no others."""
    servers: list[NameServer] = []

    def publish(*keys: DkimKey) -> None:
        records = {record_name(k.domain, k.selector): [record_value(k.algorithm, k.public_key)] for k in keys}
        servers.append(NameServer(records).__enter__())
        monkeypatch.setenv("MAILER_DNS_SERVER", servers[-1].address)
        get_settings.cache_clear()

    yield publish
    for server in servers:
        server.__exit__(None, None, None)
    monkeypatch.undo()
    get_settings.cache_clear()


def state(session, key: DkimKey) -> KeyState:
    session.rollback()
    session.expire_all()
    return dkim_keys.get_state(session, key)


def test_a_domain_that_nobody_signs_is_told_with_a_way_out(signed_in: Visitor, session) -> None:
    newsletters.create_newsletter(
        session, slug="tech", title="科技参考", sender_name="Tech", sender_address="tech@news.example.org"
    )
    session.commit()
    page = signed_in.get("/admin/dkim")
    assert "Mail from news.example.org goes out unsigned." in page.text
    assert "There is no DKIM key yet" in page.text
    form = signed_in.get("/admin/dkim/new?domain=news.example.org")
    assert form.tree.xpath("//input[@name='domain']")[0].get("value") == "news.example.org"
    listed = signed_in.submit("/admin/dkim/new?domain=news.example.org")
    assert listed.path == "/admin/dkim"
    assert listed.text.count("Waits to be activated") == 2
    assert "goes out unsigned" in listed.text
    assert "Its keys wait to be activated." in listed.text
    for key in dkim_keys.list_keys(session):
        dkim_keys.activate(session, key, by=None)
    session.commit()
    assert "Mail from news.example.org" not in signed_in.get("/admin/dkim").text


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"domain": ""}, "domain"),
        ({"domain": "no domain"}, "domain"),
        ({"domain": "example.org", "selector": "two words"}, "selector"),
        ({"domain": "example.org", "selector": "x" * 70}, "selector"),
        ({"domain": "example.org", "selector": "spring"}, "selector"),
    ],
)
def test_a_form_that_cannot_be_is_refused_beside_its_field(
    signed_in: Visitor, session, keys: list[DkimKey], data: dict[str, str], field: str
) -> None:
    page = signed_in.submit("/admin/dkim/new", data)
    assert page.status == 422
    assert list(page.errors()) == [field]
    assert len(dkim_keys.list_keys(session)) == 2


def test_one_key_alone_leads_to_its_record(signed_in: Visitor, session) -> None:
    page = signed_in.submit(
        "/admin/dkim/new", {"domain": "Example.org", "selector": "Solo", "algorithm": "ed25519-sha256"}
    )
    (key,) = dkim_keys.list_keys(session)
    assert (page.path, page.heading) == (f"/admin/dkim/{key.id}", "solo")


def test_the_record_can_be_copied_and_the_private_key_is_nowhere(signed_in: Visitor, keys: list[DkimKey]) -> None:
    key = keys[0]
    name, value = record_name(key.domain, key.selector), record_value(key.algorithm, key.public_key)
    page = signed_in.get(f"/admin/dkim/{key.id}")
    shown = {area.get("id"): area.text_content().strip() for area in page.tree.xpath("//textarea")}
    assert shown == {"record-name": name, "record-value": value, "record-zone": zone_line(name, value)}
    assert {button.get("data-copy") for button in page.tree.xpath("//button[@data-copy]")} == set(shown)
    assert key.sealed_private_key.decode() not in page.response.get_data(as_text=True)


def test_the_dns_is_asked_and_its_answer_told(signed_in: Visitor, keys: list[DkimKey], published) -> None:
    rsa, _ = keys
    published(rsa)
    told = [signed_in.submit(f"/admin/dkim/{key.id}", action=f"/admin/dkim/{key.id}/check").text for key in keys]
    assert "The DNS publishes this key." in told[0]
    assert "does not publish this key yet" in told[1]


def test_a_key_is_activated_after_a_look_at_the_dns(
    signed_in: Visitor, session, keys: list[DkimKey], published
) -> None:
    rsa, ed25519 = keys
    published(rsa)
    asked = signed_in.get(f"/admin/dkim/{rsa.id}/activate")
    assert "The DNS publishes this key." in asked.text
    assert asked.tree.xpath("//button[contains(@class, 'btn-danger')]") == []
    assert state(session, rsa) is KeyState.WAITING
    signed_in.submit(f"/admin/dkim/{rsa.id}/activate")
    assert state(session, rsa) is KeyState.ACTIVE
    warned = signed_in.get(f"/admin/dkim/{ed25519.id}/activate")
    assert "would fail" in warned.text
    assert len(warned.tree.xpath("//button[contains(@class, 'btn-danger')]")) == 1


def test_a_key_is_retired_with_a_word_about_its_record(signed_in: Visitor, session, keys: list[DkimKey]) -> None:
    dkim_keys.activate(session, keys[0], by=None)
    session.commit()
    assert "for 14 days" in signed_in.get(f"/admin/dkim/{keys[0].id}/retire").text
    page = signed_in.submit(f"/admin/dkim/{keys[0].id}/retire")
    assert state(session, keys[0]) is KeyState.RETIRED
    assert "Retired, still published in the DNS until" in page.text
    assert "leave its record in the DNS until" in signed_in.get(f"/admin/dkim/{keys[0].id}").text


def test_a_key_whose_time_is_over_is_removed(signed_in: Visitor, session, keys: list[DkimKey]) -> None:
    past = dt.datetime.now(dt.UTC) - KEPT_PUBLISHED - dt.timedelta(days=1)
    session.execute(update(DkimKey).where(DkimKey.id == keys[0].id).values(activated_at=past, retired_at=past))
    session.commit()
    assert "take its record out of the DNS" in signed_in.get(f"/admin/dkim/{keys[0].id}").text
    signed_in.submit(f"/admin/dkim/{keys[0].id}/remove")
    session.rollback()
    assert [key.selector for key in dkim_keys.list_keys(session)] == ["spring-ed25519"]
    assert signed_in.get(f"/admin/dkim/{keys[0].id}").status == 404


def test_what_the_state_forbids_is_refused(signed_in: Visitor, session, keys: list[DkimKey]) -> None:
    dkim_keys.activate(session, keys[0], by=None)
    session.commit()
    for act, key in (("remove", keys[0]), ("retire", keys[1])):
        assert signed_in.submit(f"/admin/dkim/{key.id}/{act}").status == 409
    assert state(session, keys[0]) is KeyState.ACTIVE
    assert state(session, keys[1]) is KeyState.WAITING
