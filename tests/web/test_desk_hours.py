"""Sending hours of a newsletter and of one mailing, and what the mailing's page says of its ways."""

import datetime as dt

from sqlalchemy import text

from mailer.db import now
from mailer.dispatch.models import Suspension
from mailer.dispatch.pace import windows
from mailer.dispatch.pace.window_hours import Window
from tests.web.admin_scene import make_list, make_mailing, make_readers

HOURS = {"kind": "hours", "days": ["0", "4"], "starts": "09:00", "ends": "17:30", "zone": "Asia/Shanghai"}


def test_a_newsletters_hours_are_kept_and_taken_away(signed_in, session):
    number = make_list(session).newsletter_id
    session.commit()
    page = signed_in.submit(f"/desk/newsletters/{number}/hours", HOURS)
    assert "Saved" in page.text
    session.rollback()
    wanted = Window(frozenset({0, 4}), dt.time(9), dt.time(17, 30), "Asia/Shanghai")
    assert windows.find_own(session, newsletter_id=number) == wanted
    shown = signed_in.get(f"/desk/newsletters/{number}/hours")
    assert shown.tree.get_element_by_id("starts").get("value") == "09:00"
    signed_in.submit(f"/desk/newsletters/{number}/hours", {"kind": "any"})
    session.rollback()
    assert windows.find_own(session, newsletter_id=number) is None


def test_hours_that_make_no_sense_are_refused(signed_in, session):
    number = make_list(session).newsletter_id
    session.commit()
    for wrong, words in (
        ({"zone": "Mars/Base"}, "no such time zone"),
        ({"days": []}, "at least one day"),
        ({"starts": ""}, "from when until when"),
    ):
        page = signed_in.submit(f"/desk/newsletters/{number}/hours", HOURS | wrong)
        assert page.status == 422
        assert words in page.text


def test_the_mailings_page_tells_of_hours_providers_and_relays(signed_in, session):
    target = make_list(session)
    readers = make_readers(session, target, 3)
    mailing = make_mailing(session, target, readers, ["queued"] * 3)
    session.execute(text("UPDATE mailings SET state = 'sending', finished_at = NULL, started_at = now()"))
    session.execute(text("UPDATE deliveries SET state = 'queued', provider = 'qq.com', settled_at = NULL"))
    until = now(session) + dt.timedelta(hours=1)
    session.add(Suspension(provider="qq.com", until=until, reply_class="rate", reply="550 frequency limited"))
    session.commit()
    page = signed_in.get(f"/desk/mailings/{mailing.id}")
    rows = [" ".join(row.text_content().split()) for row in page.tree.xpath("//section[@id='progress']//tbody/tr")]
    assert any(row.startswith("qq.com 3 4 at once Suspended until") for row in rows)
    assert any("of the server's settings As usual" in row for row in rows)
    opens = now(session) + dt.timedelta(hours=2)
    window = Window(frozenset(range(7)), opens.time(), (opens + dt.timedelta(hours=1)).time(), "UTC")
    windows.set_window(session, window, mailing_id=mailing.id, by=None)
    session.commit()
    assert "Outside its sending hours" in signed_in.get(f"/desk/mailings/{mailing.id}/progress").response.text
