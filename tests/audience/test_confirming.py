import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import leaving, suppressing
from mailer.audience.confirming import confirm, find_confirmation
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.db import now
from mailer.errors import LinkError
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, confirm_token, consents, reader, states


def test_looking_at_the_page_changes_nothing(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    for _ in range(2):
        found = find_confirmation(session, confirm_token(session))
        assert ([each.id for each in found.open], found.confirmed, found.over) == ([double.id], (), ())
    assert states(session) == {double.id: "unconfirmed"}


def test_the_button_confirms_once_and_keeps_the_evidence(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    token = confirm_token(session)
    for _ in range(2):
        done = confirm(session, token, wording="确认订阅", ip="2001:db8::1", user_agent="x" * 1000)
        session.commit()
        assert [each.id for each in done.confirmed] == [double.id]
        assert done.open == ()
    assert states(session) == {double.id: "confirmed"}
    assert session.scalars(select(Subscription)).one().confirmed_at is not None
    assert consents(session) == [(double.id, "asked"), (double.id, "confirmed")]
    proof = session.scalars(select(Consent).where(Consent.act == "confirmed")).one()
    assert (proof.wording, str(proof.ip), len(proof.user_agent)) == ("确认订阅", "2001:db8::1", 400)


def test_an_old_link_does_not_bring_a_leaver_back(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    token = confirm_token(session)
    confirm(session, token)
    leaving.unsubscribe(session, links.UnsubscribeTarget(reader(session).id, 0, (double.id,)))
    session.commit()
    done = confirm(session, token)
    assert [each.id for each in done.over] == [double.id]
    assert states(session) == {double.id: "unsubscribed"}


def test_confirming_takes_back_that_everything_was_left(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    leaving.leave_all(session, reader(session).id)
    session.commit()
    fill_in(double)
    assert suppressing.is_suppressed(session, "ann@example.org")
    confirm(session, confirm_token(session))
    assert not suppressing.is_suppressed(session, "ann@example.org")
    subscription = session.scalars(select(Subscription)).one()
    assert (subscription.state, subscription.unsubscribed_at) == ("confirmed", None)


def test_a_complaint_is_not_taken_back_by_confirming(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    suppressing.suppress(session, email_key="ann@example.org", reason=suppressing.SuppressionReason.COMPLAINT)
    confirm(session, confirm_token(session))
    assert suppressing.is_suppressed(session, "ann@example.org")


def test_a_list_archived_meanwhile_cannot_be_confirmed(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    newsletters.archive_list(session, double, at=now(session))
    session.commit()
    done = confirm(session, confirm_token(session))
    assert [each.id for each in done.over] == [double.id]
    assert states(session) == {double.id: "unconfirmed"}


def test_a_link_without_its_reader_or_forged_tells_nothing_more(
    session: Session, double: List, fill_in: SignUp
) -> None:
    fill_in(double)
    token = confirm_token(session)
    expired = links.make_confirm_token(reader(session).id, [double.id], days=-1)
    session.execute(delete(Subscriber))
    for bad in (token, expired, "x", token[:-1], links.make_preferences_token(1)):
        with pytest.raises(LinkError):
            find_confirmation(session, bad)
        with pytest.raises(LinkError):
            confirm(session, bad)
