"""A change of address: both mailboxes agree, what is known of the new one holds, and old links work on."""

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import leaving, moving
from mailer.audience.adding import add_subscriber
from mailer.audience.confirming import confirm
from mailer.audience.deciding import Decision
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import list_refusals, run_import, start_import
from mailer.audience.models import AddressChange, Subscriber, Subscription
from mailer.audience.preferences import get_preferences
from mailer.audience.rules import SubscriptionState, SuppressionReason
from mailer.audience.suppressing import find_suppressions, is_suppressed, suppress
from mailer.errors import LinkError, RuleError
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, confirm_token, consents, letters, reader, states

NEW = "ann.new@example.com"


@pytest.fixture
def ann(session: Session, double: List, fill_in: SignUp) -> Subscriber:
    fill_in(double)
    confirm(session, confirm_token(session))
    session.commit()
    return reader(session)


def ask(session: Session, ann: Subscriber, email: str = NEW) -> AddressChange:
    change = moving.ask_to_move(session, links.make_preferences_token(ann.id), email)
    session.commit()
    return change


def tokens(session: Session) -> dict[str, str]:
    """Address -> the token of the newest letter about a change to it."""
    found = {}
    for letter in letters(session):
        match = re.search(r"/address/([^/]+)$", letter.parameters.get("url") or "")
        if match:
            found[letter.address] = match[1]
    return found


def agree(session: Session, *addresses: str) -> None:
    for address in addresses:
        moving.agree_to_move(session, tokens(session)[address], wording="move", ip="192.0.2.9")
        session.commit()


def test_nothing_changes_before_both_mailboxes_have_agreed(session: Session, ann: Subscriber) -> None:
    ask(session, ann)
    assert set(tokens(session)) == {"Ann@example.org", NEW}
    for first in (NEW, "Ann@example.org"):
        ask(session, ann)
        agree(session, first, first)
        session.refresh(ann)
        assert ann.email == "Ann@example.org"
    agree(session, NEW)
    session.refresh(ann)
    assert (ann.email, ann.email_key, ann.domain) == (NEW, NEW, "example.com")


def test_looking_at_the_page_agrees_to_nothing(session: Session, ann: Subscriber) -> None:
    change = ask(session, ann)
    for token in tokens(session).values():
        moving.find_move(session, token)
    session.commit()
    session.refresh(change)
    assert (change.old_confirmed_at, change.new_confirmed_at) == (None, None)


def test_either_mailbox_can_refuse(session: Session, ann: Subscriber) -> None:
    for refusing, agreeing in ((NEW, "Ann@example.org"), ("Ann@example.org", NEW)):
        ask(session, ann)
        agree(session, agreeing)
        moving.refuse_move(session, tokens(session)[refusing])
        session.commit()
        with pytest.raises(LinkError):
            moving.agree_to_move(session, tokens(session)[agreeing])
        session.refresh(ann)
        assert ann.email == "Ann@example.org"


def test_a_new_wish_withdraws_the_old_one_and_there_are_three_a_day(session: Session, ann: Subscriber) -> None:
    ask(session, ann)
    first = tokens(session)[NEW]
    ask(session, ann, "other@example.com")
    with pytest.raises(LinkError):
        moving.find_move(session, first)
    ask(session, ann)
    with pytest.raises(RuleError, match="several times today"):
        ask(session, ann)


def test_impossible_and_present_addresses_are_refused(session: Session, ann: Subscriber) -> None:
    for wrong in ("nonsense", "Ann@example.org"):
        with pytest.raises(RuleError):
            ask(session, ann, wrong)
    assert session.scalars(select(AddressChange)).all() == []


def test_a_cancelled_change_is_over(session: Session, ann: Subscriber) -> None:
    ask(session, ann)
    assert moving.find_waiting(session, ann) is not None
    moving.cancel_move(session, links.make_preferences_token(ann.id))
    session.commit()
    assert moving.find_waiting(session, ann) is None
    with pytest.raises(LinkError):
        agree(session, NEW)


def test_letters_to_the_new_address_are_bounded_and_nobody_is_told(
    session: Session, ann: Subscriber, double: List, fill_in: SignUp
) -> None:
    for _ in range(3):
        fill_in(double, email=NEW)
    before = len(letters(session))
    ask(session, ann)
    assert [letter.address for letter in letters(session)[before:]] == ["Ann@example.org"]


class TestWhenTheNewAddressIsKnown:
    @pytest.fixture
    def known(self, session: Session, ann: Subscriber, double: List, single: List, fill_in: SignUp) -> Subscriber:
        """Receives the express, and once left the weekly that Ann receives."""
        fill_in(single, email=NEW)
        other = reader(session, NEW)
        other.subscriptions.append(Subscription(list_id=double.id, state=SubscriptionState.UNSUBSCRIBED, source="test"))
        session.commit()
        return other

    def move(self, session: Session, ann: Subscriber) -> None:
        ask(session, ann)
        agree(session, "Ann@example.org", NEW)
        session.expire_all()

    def test_what_either_received_is_received_once(
        self, session: Session, ann: Subscriber, known: Subscriber, double: List, single: List
    ) -> None:
        self.move(session, ann)
        assert states(session, NEW) == {double.id: "confirmed", single.id: "confirmed"}
        assert ann.merged_into_id == known.id
        assert states(session, ann.email_key) == {double.id: "unsubscribed"}
        # The proof names the button, for the reader who goes on.
        assert (double.id, "confirmed") in consents(session)

    def test_links_in_old_mail_lead_to_the_reader_who_goes_on(
        self, session: Session, ann: Subscriber, known: Subscriber, double: List, single: List
    ) -> None:
        self.move(session, ann)
        assert get_preferences(session, links.make_preferences_token(ann.id)).subscriber.id == known.id
        leaving.unsubscribe(session, links.UnsubscribeTarget(ann.id, 0, (double.id,)))
        session.commit()
        assert states(session, NEW) == {double.id: "unsubscribed", single.id: "confirmed"}
        assert leaving.resubscribe(session, ann.id) == (double.id,)

    def test_what_was_left_at_the_old_address_stays_left(
        self, session: Session, ann: Subscriber, known: Subscriber, double: List, single: List
    ) -> None:
        leaving.unsubscribe(session, links.UnsubscribeTarget(known.id, 0, (single.id,)))
        leaving.unsubscribe(session, links.UnsubscribeTarget(ann.id, 0, (double.id,)))
        session.execute(Subscription.__table__.delete().where(Subscription.subscriber_id == known.id))
        session.commit()
        self.move(session, ann)
        assert states(session, NEW) == {double.id: "unsubscribed"}


@pytest.mark.parametrize(
    ("reason", "is_taken_along"),
    [("complaint", True), ("manual", True), ("unsubscribed_all", True), ("hard_bounce", False)],
)
def test_what_forbids_sending_to_the_person_comes_along_and_a_dead_mailbox_does_not(
    session: Session, ann: Subscriber, reason: str, is_taken_along: bool
) -> None:
    ask(session, ann)
    suppress(session, email_key=ann.email_key, reason=SuppressionReason(reason))
    session.commit()
    agree(session, "Ann@example.org", NEW)
    assert is_suppressed(session, NEW) is is_taken_along


def test_what_forbids_sending_to_the_new_address_holds(session: Session, ann: Subscriber) -> None:
    suppress(session, email_key=NEW, reason=SuppressionReason.MANUAL)
    session.commit()
    ask(session, ann)
    agree(session, "Ann@example.org", NEW)
    assert [each.reason for each in find_suppressions(session, NEW)] == ["manual"]


@pytest.mark.parametrize("is_everything", [False, True])
def test_who_moved_and_then_left_is_not_brought_back_at_the_old_address(
    session: Session, ann: Subscriber, double: List, is_everything: bool
) -> None:
    ask(session, ann)
    agree(session, "Ann@example.org", NEW)
    if is_everything:
        leaving.leave_all(session, ann.id)
    else:
        leaving.unsubscribe(session, links.UnsubscribeTarget(ann.id, 0, (double.id,)))
    session.commit()
    run = import_old(session, double, "ANN@example.org", "bob@example.org")
    assert (run.counts["left"], run.counts["new"]) == (1, 1)
    assert session.scalars(select(Subscriber.email_key).order_by(Subscriber.id)).all() == [NEW, "bob@example.org"]
    assert [each.reason for each in list_refusals(session, run.id)] == [
        "The reader has moved to another address, and has unsubscribed."
    ]


def import_old(session: Session, target: List, *rows: str, heading: str = "email") -> ImportRun:
    content = "\n".join([heading, *rows, ""]).encode()
    run = start_import(session, list_id=target.id, filename="old.csv", content=content, basis="consent", by=None)
    session.commit()
    run_import(run.id)
    session.refresh(run)
    session.expire_all()
    return run


def add_by_hand(session: Session, target: List, email: str = "ann@example.org") -> Subscriber:
    return add_subscriber(
        session, email=email, list_id=target.id, basis="consent", wording="By phone.", decision=Decision(), by=None
    )


class TestWhoMovedAndStayed:
    """Their old address is theirs: nobody is made a second reader for it."""

    @pytest.fixture(autouse=True)
    def moved(self, session: Session, ann: Subscriber) -> None:
        ask(session, ann)
        agree(session, "Ann@example.org", NEW)

    def test_an_import_of_the_old_address_changes_nothing(self, session: Session, double: List) -> None:
        run = import_old(session, double, "ANN@example.org", "bob@example.org")
        assert (run.counts["unchanged"], run.counts["new"], run.counts["moved"]) == (1, 1, 1)
        assert session.scalars(select(Subscriber.email).order_by(Subscriber.id)).all() == [NEW, "bob@example.org"]
        assert list_refusals(session, run.id) == []

    def test_an_import_into_another_list_subscribes_the_reader_at_the_new_one(
        self, session: Session, double: List, single: List
    ) -> None:
        run = import_old(session, single, "ann@example.org,Ann Chen", heading="email,name")
        assert (run.counts["new"], run.counts["moved"]) == (1, 1)
        assert states(session, NEW) == {double.id: "confirmed", single.id: "confirmed"}
        assert reader(session, NEW).name == "Ann Chen"
        assert session.scalars(select(Subscriber.email)).all() == [NEW]

    def test_of_both_addresses_the_present_one_counts(self, session: Session, single: List) -> None:
        run = import_old(session, single, "ann@example.org", NEW)
        assert (run.counts["new"], run.counts["duplicate"], run.counts["moved"]) == (1, 1, 1)
        assert [(each.value, each.reason) for each in list_refusals(session, run.id)] == [
            ("ann@example.org", "The reader has moved to another address, and the file has them already.")
        ]

    def test_who_moved_twice_and_became_one_with_somebody_is_found_by_either_address(
        self, session: Session, double: List, single: List, fill_in: SignUp
    ) -> None:
        fill_in(single, email="ann@home.example")
        ask(session, reader(session, NEW), "ann@home.example")
        agree(session, NEW, "ann@home.example")
        run = import_old(session, single, "ann@example.org", NEW)
        assert (run.counts["unchanged"], run.counts["duplicate"], run.counts["moved"]) == (1, 1, 2)
        assert run.counts["new"] == 0

    @pytest.mark.parametrize(("reason", "verdict"), [("manual", "suppressed"), ("hard_bounce", "new")])
    def test_what_an_admin_says_of_the_old_address_holds_and_a_dead_mailbox_does_not(
        self, session: Session, single: List, reason: str, verdict: str
    ) -> None:
        suppress(session, email_key="ann@example.org", reason=SuppressionReason(reason))
        session.commit()
        run = import_old(session, single, "ann@example.org")
        assert run.counts[verdict] == 1

    def test_what_forbids_sending_to_the_new_address_holds_for_the_old_one(
        self, session: Session, single: List
    ) -> None:
        suppress(session, email_key=NEW, reason=SuppressionReason.HARD_BOUNCE)
        session.commit()
        assert import_old(session, single, "ann@example.org").counts["suppressed"] == 1
        with pytest.raises(RuleError, match="moved to another address, which is on the suppression list"):
            add_by_hand(session, single)

    def test_adding_by_hand_subscribes_the_reader_at_the_new_one(
        self, session: Session, double: List, single: List
    ) -> None:
        assert add_by_hand(session, single).email == NEW
        session.commit()
        assert states(session, NEW) == {double.id: "confirmed", single.id: "confirmed"}
        with pytest.raises(RuleError, match="moved to another address, and is on the list already"):
            add_by_hand(session, double)
        session.rollback()
        leaving.unsubscribe(session, links.UnsubscribeTarget(reader(session, NEW).id, 0, (double.id,)))
        session.commit()
        with pytest.raises(RuleError, match="moved to another address, and has unsubscribed"):
            add_by_hand(session, double)

    def test_an_address_that_is_somebody_elses_by_now_is_theirs(
        self, session: Session, double: List, single: List, fill_in: SignUp
    ) -> None:
        fill_in(single)
        run = import_old(session, double, "ann@example.org")
        assert (run.counts["new"], run.counts.get("moved")) == (1, None)
        assert states(session, "ann@example.org") == {single.id: "confirmed", double.id: "confirmed"}
