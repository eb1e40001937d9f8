"""The pages of a mailing: how far it is, what became of whom, and what may be done about it."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, text
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.dispatch.models import Attempt, Suspension
from mailer.dispatch.rules import DeliveryState, MailingState
from mailer.feedback.models import Open
from mailer.feedback.rules import Verdict
from tests.factories import SENT_AT, Sent, make_sent_mailing
from tests.web.conftest import Visitor


@pytest.fixture
def editor(visitor: Visitor, make_account: Callable[..., Account]) -> Visitor:
    visitor.sign_in(make_account("edith", Role.EDITOR))
    return visitor


@pytest.fixture
def sent(session: Session) -> Sent:
    return make_sent_mailing(session, readers=4)


def test_a_desk_without_mailings_says_how_to_get_one(editor: Visitor) -> None:
    page = editor.get("/desk/mailings")
    assert page.status == 200
    assert "Nothing has been sent yet" in page.text


def test_mailings_are_listed_with_state_and_roster(editor: Visitor, sent: Sent) -> None:
    page = editor.get("/desk/mailings")
    assert sent.edition.subject in page.text
    assert "Finished 4" in page.text


def test_a_mailing_shows_its_sums_its_readers_and_a_chart(editor: Visitor, session: Session, sent: Sent) -> None:
    for reader, verdict in enumerate((Verdict.HUMAN, Verdict.MACHINE)):
        session.add(
            Open(
                event_key=str(reader), at=SENT_AT, mailing_id=sent.mailing.id,
                delivery_id=sent.deliveries[reader].id, verdict=verdict,
            )
        )  # fmt: skip
    session.commit()
    page = editor.get(f"/desk/mailings/{sent.mailing.id}")
    assert page.heading == sent.edition.subject
    assert "Readers 1 25.0 %" in page.text
    # What the ledger calls "other" is a word of the page's language.
    assert page.tree.xpath("//table[.//th='Provider']/tbody/tr/td[1]/text()") == ["Others"]
    assert "Accepted 4" in page.text
    (canvas,) = page.tree.xpath("//canvas")
    assert '"data": [1]' in canvas.get("data-chart")
    rows = [row.xpath("td/text()") for row in page.tree.xpath("//details//tbody/tr")]
    assert rows == [["2026-03-02 09:00", "1", "0", "1"]]


def test_a_mailing_nobody_opened_says_so(editor: Visitor, sent: Sent) -> None:
    assert "Nobody has opened it yet" in editor.get(f"/desk/mailings/{sent.mailing.id}").text


def test_the_ledger_says_what_each_server_said(editor: Visitor, session: Session, sent: Sent) -> None:
    refused = sent.deliveries[2]
    refused.state, refused.code, refused.reply = DeliveryState.REJECTED, 550, "5.1.1 <b>no such user</b>"
    session.add(
        Attempt(delivery_id=refused.id, at=SENT_AT, relay="relay-1", outcome="rejected", code=550, reply="gone")
    )
    session.commit()
    address = f"/desk/mailings/{sent.mailing.id}/deliveries"
    page = editor.get(f"{address}?state=rejected&q=such")
    assert "reader3@example.org Rejected 550 5.1.1 <b>no such user</b>" in page.text
    assert "reader1@example.org" not in page.text
    assert "550 gone" in editor.get(f"{address}/{refused.id}").text
    assert "No such delivery" in editor.get(f"{address}?q=nobody").text
    assert editor.get(f"{address}?state=lost").status == 404
    assert editor.get(f"{address}/999999").status == 404


def test_the_export_streams_every_delivery(editor: Visitor, sent: Sent) -> None:
    response = editor.client.get(f"/desk/mailings/{sent.mailing.id}/deliveries.csv")
    assert response.mimetype == "text/csv"
    assert response.get_data(as_text=True).count("@example.org") == 4


def test_a_sending_mailing_is_paused_resumed_and_cancelled(editor: Visitor, session: Session, sent: Sent) -> None:
    sent.mailing.state, sent.mailing.finished_at = MailingState.SENDING, None
    sent.deliveries[0].state, sent.deliveries[0].settled_at = DeliveryState.QUEUED, None
    session.commit()
    here = f"/desk/mailings/{sent.mailing.id}"
    assert editor.get(here).tree.xpath("//section[@id='progress']/@hx-trigger") == ["every 2s"]
    assert "Paused by hand." in editor.submit(here, action=f"{here}/pause").text
    session.refresh(sent.mailing)
    assert sent.mailing.state == MailingState.PAUSED
    assert not editor.get(here).tree.xpath("//section[@id='progress']/@hx-trigger")
    assert "It goes on." in editor.submit(here, action=f"{here}/resume").text
    page = editor.submit(here, action=f"{here}/cancel")
    session.refresh(sent.mailing)
    session.refresh(sent.deliveries[0])
    assert (sent.mailing.state, sent.deliveries[0].state) == (MailingState.CANCELLED, DeliveryState.SKIPPED)
    assert "Skipped 1" in page.text


def test_what_the_state_forbids_is_told_and_not_done(editor: Visitor, session: Session, sent: Sent) -> None:
    here = f"/desk/mailings/{sent.mailing.id}"
    page = (
        editor.submit(here, action=f"{here}/pause") if f"{here}/pause" in str(editor.get(here).response.data) else None
    )
    assert page is None, "a finished mailing offers no pause"
    sent.mailing.state = MailingState.SENDING
    session.commit()
    shown = editor.get(here)
    sent.mailing.state = MailingState.FINISHED
    session.commit()
    token = shown.tree.xpath(f"//form[@action='{here}/pause']//input[@name='csrf_token']/@value")[0]
    answer = editor.client.post(f"{here}/pause", data={"csrf_token": token}, follow_redirects=True)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.get_data(as_text=True)
    session.refresh(sent.mailing)
    assert sent.mailing.state == MailingState.FINISHED


def test_the_live_part_asks_for_a_fresh_page_once_it_is_at_rest(editor: Visitor, sent: Sent) -> None:
    progress = f"/desk/mailings/{sent.mailing.id}/progress"
    assert editor.client.get(f"{progress}?was=sending").headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in editor.client.get(progress).headers


@pytest.mark.parametrize(
    ("language", "means", "own"),
    [
        ("en", "There is no such recipient", "The server closed the connection."),
        ("zh-CN", "收件人不存在", "服务器关闭了连接。"),
    ],
)
def test_reply_classes_and_our_own_sentences_speak_the_pages_language(
    app: Flask, make_account: Callable[..., Account], session: Session, sent: Sent, language: str, means: str, own: str
) -> None:
    refused, lost = sent.deliveries[:2]
    refused.state, refused.reason = DeliveryState.REJECTED, "no_such_user"
    refused.code, refused.reply = 550, "5.1.1 100% unknown"
    lost.state, lost.reason = DeliveryState.UNKNOWN, "lost_reply"
    lost.code, lost.reply = None, "The server closed the connection."
    for delivery in (refused, lost):
        session.add(
            Attempt(
                delivery_id=delivery.id, at=SENT_AT, relay="relay-1", outcome=str(delivery.state),
                reply_class=delivery.reason, code=delivery.code, reply=delivery.reply,
            )
        )  # fmt: skip
    session.commit()
    visitor = Visitor(app, language=language)
    visitor.sign_in(make_account("edith", Role.EDITOR, locale=language.replace("-", "_")))
    base = f"/desk/mailings/{sent.mailing.id}/deliveries"
    for page in (visitor.get(base), visitor.get(f"{base}/{refused.id}")):
        assert means in page.text
        assert "550 5.1.1 100% unknown" in page.text
        assert "no_such_user" not in page.text
    assert own in visitor.get(base).text
    assert own in visitor.get(f"{base}/{lost.id}").text


def test_a_suspension_says_what_it_means(editor: Visitor, session: Session, sent: Sent) -> None:
    sent.mailing.state = MailingState.SENDING
    sent.deliveries[0].state = DeliveryState.QUEUED
    until = func.now() + text("interval '1 hour'")
    session.add_all(
        [
            Suspension(provider="qq.com", until=until, reply_class="rate", reply="550 Ip frequency limited"),
            Suspension(provider="*", until=until, reply_class="connection", reply="The server did not answer in time."),
        ]
    )
    session.commit()
    page = editor.get(f"/desk/mailings/{sent.mailing.id}")
    assert "Too much or too fast: the provider asks us to slow down 550 Ip frequency limited" in page.text
    assert "The connection to the relay failed or broke off The server did not answer in time." in page.text
