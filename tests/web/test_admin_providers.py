"""Providers and relays as the admin sets them."""

import datetime as dt

from sqlalchemy import select

from mailer.db import now
from mailer.dispatch.models import ProviderOverride, Relay, Suspension
from mailer.dispatch.pace.provider_settings import load_providers
from mailer.dispatch.relays.routing import find_choice
from mailer.dispatch.relays.settings_look import SettingsLook, note_look
from tests.web.admin_scene import make_list


def test_a_limit_is_set_shown_beside_its_default_and_reset(signed_in, session):
    page = signed_in.submit("/admin/providers/qq.com", {"per_hour": "500", "domains": "*.school.test\nmail.test"})
    assert "Changed" in page.text
    assert "500 an hour" in page.text
    assert load_providers(session)["qq.com"].domains[-2:] == ("*.school.test", "mail.test")
    shown = signed_in.get("/admin/providers/qq.com")
    assert shown.tree.get_element_by_id("per_hour").get("value") == "500"
    assert "Default: 4" in shown.text
    asked = signed_in.submit("/admin/providers/qq.com/reset")
    assert "The defaults hold again" in asked.text
    session.rollback()
    assert session.get(ProviderOverride, "qq.com") is None


def test_what_makes_no_sense_is_refused_and_nothing_is_lost(signed_in, session):
    page = signed_in.submit("/admin/providers/qq.com", {"per_hour": "700", "domains": "163.com"})
    assert page.status == 422
    assert "belongs to the group netease.com" in page.text
    assert page.tree.get_element_by_id("per_hour").get("value") == "700"
    assert session.get(ProviderOverride, "qq.com") is None


def test_a_suspension_is_shown_and_can_be_ended(signed_in, session):
    until = now(session) + dt.timedelta(hours=1)
    session.add(Suspension(provider="qq.com", until=until, reply_class="rate", reply="550 frequency limited"))
    session.commit()
    assert "Suspended" in signed_in.get("/admin/providers").text
    page = signed_in.submit("/admin/providers", action="/admin/providers/qq.com/release")
    assert "qq.com is written to as usual again" in page.text
    assert "Suspended</span>" not in page.text


def test_an_unknown_group_is_not_found(signed_in):
    assert signed_in.get("/admin/providers/nowhere.test").status == 404


def test_newsletters_are_bound_to_relays(signed_in, session):
    newsletter_id = make_list(session).newsletter_id
    for name in ("main", "spare"):
        session.add(Relay(name=name, host="relay.test", port=25, security="none"))
    session.commit()
    page = signed_in.get("/admin/relays")
    assert "Which newsletter takes which relay" in page.text
    action = f"/admin/relays/of/{newsletter_id}"
    spare = session.scalars(select(Relay.id).where(Relay.name == "spare")).one()
    page = signed_in.submit("/admin/relays", {"relay": str(spare)}, action=action)
    assert "takes these relays from now on" in page.text
    session.rollback()
    assert find_choice(session, newsletter_id) == {spare}


def test_what_the_sweep_found_at_the_relay_of_the_settings_is_shown(signed_in, session, redis):
    page = signed_in.get("/admin/relays")
    assert "No relay is set up here" in page.text
    assert "In use" in page.text
    note_look(SettingsLook(now(session), is_reachable=False, reply="554 5.7.1 Not you"), every=300)
    page = signed_in.get("/admin/relays")
    assert "No good answer" in page.text
    assert "554 5.7.1 Not you" in page.text
