"""The forecast of a mailing that is planned, on a page of its own."""

import datetime as dt

from mailer.dispatch.models import Mailing, MailingList
from mailer.dispatch.pace import windows
from mailer.dispatch.pace.window_hours import Window
from mailer.dispatch.rules import MailingState
from mailer.dispatch.suspending import suspend_relay
from tests.web.admin_scene import make_list, make_mailing, make_readers

AT = dt.datetime(2050, 1, 3, 2, 59, tzinfo=dt.UTC)


def plan(session) -> Mailing:
    """Two readers and a message a minute: a second reader is one minute after the first."""
    target = make_list(session)
    make_readers(session, target, 2)
    mailing = make_mailing(session, target, [], [], state=MailingState.DRAFT)
    mailing.state, mailing.scheduled_at, mailing.rate = MailingState.SCHEDULED, AT, 1 / 60
    mailing.lists.append(MailingList(list_id=target.id))
    session.commit()
    return mailing


def test_a_planned_mailing_is_forecast_within_its_own_hours(signed_in, session):
    mailing = plan(session)
    assert f"/desk/mailings/{mailing.id}/forecast" in signed_in.get(f"/desk/mailings/{mailing.id}").response.text
    page = signed_in.get(f"/desk/mailings/{mailing.id}/forecast")
    assert "as fast as you chose" in page.text
    assert "2050-01-03 10:59" in page.text
    assert "2050-01-03 11:01" in page.text
    window = Window(frozenset(range(7)), dt.time(2), dt.time(3), "UTC")
    windows.set_window(session, window, mailing_id=mailing.id, by=None)
    session.commit()
    page = signed_in.get(f"/desk/mailings/{mailing.id}/forecast")
    assert "within the hours in which it may be sent" in page.text
    assert "2050-01-04 10:01" in page.text


def test_a_relay_that_is_away_is_said_before_the_button(signed_in, session):
    mailing = plan(session)
    suspend_relay(session, reply_class="connection", reply="")
    session.commit()
    assert (
        "None of the relays takes our mail at this moment"
        in signed_in.get(f"/desk/mailings/{mailing.id}/forecast").text
    )


def test_one_that_has_been_launched_tells_on_its_own_page(signed_in, session):
    target = make_list(session)
    mailing = make_mailing(session, target, [], [])
    assert signed_in.get(f"/desk/mailings/{mailing.id}/forecast").path == f"/desk/mailings/{mailing.id}"
