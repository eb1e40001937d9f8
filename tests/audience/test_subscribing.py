import threading
from email import message_from_bytes, policy

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import leaving, moving, suppressing
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState, SuppressionReason
from mailer.audience.subscribing import ask_again, sign_up
from mailer.db import now, session_scope
from mailer.errors import LinkError, RuleError
from mailer.letters.models import Letter
from mailer.newsletters.models import List, Newsletter
from mailer.press.letters import compose_letter
from mailer.press.message import Sender
from tests.audience.conftest import WORDING, SignUp, consents, kinds, letters, reader, states


def test_a_sign_up_waits_for_its_confirmation_and_keeps_what_was_shown(
    session: Session, double: List, fill_in: SignUp
) -> None:
    fill_in(double, name=" Ann  Lee ")
    ann = reader(session)
    assert (ann.email, ann.email_key, ann.domain, ann.name) == (
        "Ann@example.org", "ann@example.org", "example.org", "Ann Lee",
    )  # fmt: skip
    assert states(session) == {double.id: "unconfirmed"}
    consent = session.scalars(select(Consent)).one()
    assert (consent.act, consent.wording, str(consent.ip), consent.user_agent) == (
        "asked", WORDING, "192.0.2.1", "Firefox",
    )  # fmt: skip
    [letter] = letters(session)
    assert (letter.kind, letter.address, letter.locale) == ("confirm", "Ann@example.org", "zh_CN")
    assert letter.newsletter_id == double.newsletter_id
    assert (letter.parameters["newsletter"], letter.parameters["lists"]) == ("科技参考", ["周报"])
    assert links.read_confirm_token(letter.parameters["confirm_url"].rpartition("/")[2]) == (ann.id, (double.id,))


def test_the_letter_carries_nothing_a_stranger_typed(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double, name="Win at http://casino.example")
    assert "casino" not in str(letters(session)[0].parameters)


def test_a_list_with_single_opt_in_is_joined_at_once_and_welcomes(
    session: Session, single: List, fill_in: SignUp
) -> None:
    fill_in(single)
    assert states(session) == {single.id: "confirmed"}
    assert consents(session) == [(single.id, "confirmed")]
    [letter] = letters(session)
    assert letter.kind == "welcome"
    ann = reader(session)
    token = letter.parameters["unsubscribe_url"].rpartition("/")[2]
    assert links.read_unsubscribe_token(token) == links.UnsubscribeTarget(ann.id, 0, (single.id,))
    assert links.read_preferences_token(letter.parameters["preferences_url"].rpartition("/")[2]) == ann.id


def test_one_letter_is_written_whatever_the_address_is_to_us(
    session: Session, double: List, single: List, fill_in: SignUp
) -> None:
    fill_in(double, single)
    assert kinds(session) == ["confirm"]
    assert letters(session)[0].parameters["lists"] == ["周报"]
    session.execute(update(Subscription).values(state=SubscriptionState.CONFIRMED, confirmed_at=func.now()))
    session.commit()
    fill_in(double, single)
    assert kinds(session) == ["confirm", "notice"]
    notice = letters(session)[1].parameters
    assert "科技参考" in notice["subject"]
    assert links.read_preferences_token(notice["url"].rpartition("/")[2]) == reader(session).id


def test_a_known_reader_is_not_changed_by_a_stranger_with_a_form(
    session: Session, double: List, fill_in: SignUp
) -> None:
    fill_in(double, name="Ann")
    fill_in(double, email="ANN@example.org", name="Somebody Else", locale="en")
    ann = reader(session)
    assert (ann.email, ann.name, ann.locale) == ("Ann@example.org", "Ann", "zh_CN")
    assert [letter.locale for letter in letters(session)] == ["zh_CN", "zh_CN"]
    assert consents(session) == [(double.id, "asked"), (double.id, "asked")]


def test_no_more_than_three_letters_a_day_reach_an_address(session: Session, double: List, fill_in: SignUp) -> None:
    for _ in range(5):
        fill_in(double)
    assert kinds(session) == ["confirm"] * 3
    assert len(consents(session)) == 3
    session.execute(update(Letter).values(created_at=func.now() - func.make_interval(0, 0, 0, 1, 0, 1)))
    session.commit()
    fill_in(double)
    assert kinds(session) == ["confirm"] * 4


def test_the_days_letters_used_up_still_let_a_single_opt_in_through(
    session: Session, double: List, single: List, fill_in: SignUp
) -> None:
    for _ in range(3):
        fill_in(double)
    fill_in(single)
    assert states(session) == {double.id: "unconfirmed", single.id: "confirmed"}
    assert len(letters(session)) == 3


def test_who_left_a_list_comes_back_by_letter_only_even_with_single_opt_in(
    session: Session, single: List, fill_in: SignUp
) -> None:
    fill_in(single)
    leaving.unsubscribe(session, links.UnsubscribeTarget(reader(session).id, 0, (single.id,)))
    session.commit()
    fill_in(single)
    assert states(session) == {single.id: "unconfirmed"}
    assert kinds(session) == ["welcome", "confirm"]


def test_who_left_everything_comes_back_by_letter_only_also_to_a_list_never_joined(
    session: Session, double: List, single: List, fill_in: SignUp
) -> None:
    fill_in(double)
    leaving.leave_all(session, reader(session).id)
    session.commit()
    fill_in(single)
    assert states(session)[single.id] == "unconfirmed"
    assert suppressing.is_suppressed(session, "ann@example.org")


def test_an_erased_person_comes_back_as_somebody_new_and_by_letter_only(
    session: Session, single: List, fill_in: SignUp
) -> None:
    key = suppressing.erased_key("ann@example.org")
    suppressing.suppress(session, email_key=key, reason=SuppressionReason.ERASED)
    session.commit()
    fill_in(single)
    assert states(session) == {single.id: "unconfirmed"}


def text_of(letter: Letter) -> str:
    sender = Sender(sender_name="编辑部", sender_address="editor@example.org")
    moment = letter.created_at
    raw = compose_letter(letter.kind, "en", letter.parameters, sender, letter.address, letter.message_id, moment)
    body = message_from_bytes(raw, policy=policy.default).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_who_moved_and_signs_up_with_the_old_address_reads_in_the_letter_that_both_would_receive(
    session: Session, double: List, single: List, fill_in: SignUp
) -> None:
    fill_in(double, single)
    session.execute(update(Subscription).values(state=SubscriptionState.CONFIRMED, confirmed_at=func.now()))
    change = moving.ask_to_move(session, links.make_preferences_token(reader(session).id), "ann@new.example.org")
    for is_new in (False, True):
        moving.agree_to_move(session, links.make_address_token(change.id, is_new=is_new, days=1))
    session.execute(delete(Letter))
    session.commit()
    fill_in(double)
    fill_in(single)
    confirm, welcome = letters(session)
    assert "no need to confirm: it would come to both" in text_of(confirm)
    assert "unsubscribe at one of the two" in text_of(welcome)
    # The address may have another owner by now: where the former one reads is none of their business.
    assert "ann@new" not in str(confirm.parameters) + str(welcome.parameters)


def test_who_moved_and_has_left_is_told_of_nobody_else(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    session.execute(update(Subscription).values(state=SubscriptionState.CONFIRMED, confirmed_at=func.now()))
    ann = reader(session)
    change = moving.ask_to_move(session, links.make_preferences_token(ann.id), "ann@new.example.org")
    for is_new in (False, True):
        moving.agree_to_move(session, links.make_address_token(change.id, is_new=is_new, days=1))
    leaving.unsubscribe(session, links.UnsubscribeTarget(ann.id, 0, (double.id,)))
    session.execute(delete(Letter))
    session.commit()
    fill_in(double)
    assert "come to both" not in text_of(letters(session)[0])


def test_the_letter_of_several_newsletters_goes_out_under_the_services_own_name(
    session: Session, newsletter: Newsletter, double: List, fill_in: SignUp
) -> None:
    other = newsletters.create_newsletter(
        session, slug="life", title="生活", sender_name="生活", sender_address="life@example.org"
    )
    second = newsletters.create_list(session, other, slug="monthly", name="月报")
    same = newsletters.create_list(session, other, slug="life", name="生活")
    session.commit()
    fill_in(double, second, same)
    letter = letters(session)[0]
    assert letter.newsletter_id is None
    # Two titles of one sentence, each in its 《》: the template brings the outer ones.
    assert letter.parameters["newsletter"] == "科技参考》《生活"
    assert letter.parameters["lists"] == ["科技参考 · 周报", "生活 · 月报", "生活"]


def test_every_letter_can_be_composed_as_its_template_wants_it(
    session: Session, double: List, single: List, fill_in: SignUp
) -> None:
    fill_in(double)
    fill_in(single)
    fill_in(single)
    assert kinds(session) == ["confirm", "welcome", "notice"]
    sender = Sender(sender_name="编辑部", sender_address="editor@example.org")
    for letter in letters(session):
        for locale in ("zh_CN", "en"):
            raw = compose_letter(
                letter.kind, locale, letter.parameters, sender, letter.address, letter.message_id, now(session)
            )
            assert message_from_bytes(raw, policy=policy.default)["To"] == "Ann@example.org"


def test_a_form_without_an_open_list_is_refused_and_stores_nothing(
    session: Session, newsletter: Newsletter, double: List
) -> None:
    private = newsletters.create_list(session, newsletter, slug="board", name="董事会", visibility="private")
    archived = newsletters.create_list(session, newsletter, slug="old", name="旧")
    newsletters.archive_list(session, archived, at=now(session))
    session.commit()
    for list_ids in ([], [private.id], [archived.id], [10_000], [double.id, private.id]):
        with pytest.raises(RuleError):
            sign_up(session, email="ann@example.org", list_ids=list_ids, wording=WORDING)
    newsletters.archive_newsletter(session, newsletter, at=now(session))
    with pytest.raises(RuleError):
        sign_up(session, email="ann@example.org", list_ids=[double.id], wording=WORDING)
    assert session.scalars(select(Subscriber)).all() == []


def test_two_sign_ups_of_one_address_at_the_same_moment_make_one_reader(session: Session, double: List) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with session_scope() as own:
                barrier.wait(10)
                sign_up(own, email="ann@example.org", list_ids=[double.id], wording=WORDING)
        except BaseException as error:  # noqa: BLE001  (shown by the assertion below)
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert states(session) == {double.id: "unconfirmed"}
    # The fourth is over the day's limit: the count is exact although they came at once.
    assert kinds(session) == ["confirm"] * 3


def test_the_holder_of_an_expired_link_gets_a_new_letter(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double)
    token = links.make_confirm_token(reader(session).id, [double.id], days=-1)
    with pytest.raises(LinkError, match="expired"):
        links.read_confirm_token(token)
    ask_again(session, token, wording=WORDING)
    session.commit()
    assert kinds(session) == ["confirm", "confirm"]


def test_a_new_letter_for_a_sign_up_that_is_gone_sends_to_the_form(session: Session, double: List) -> None:
    with pytest.raises(RuleError, match="sign up again"):
        ask_again(session, links.make_confirm_token(7, [double.id], days=-1))
    with pytest.raises(LinkError):
        ask_again(session, "forged")
