import email
import email.policy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from mailer import letters, links
from mailer.audience.models import Suppression
from mailer.dispatch.journal import Journal
from mailer.dispatch.models import Suspension
from mailer.dispatch.outbox import is_due, send_letters
from mailer.dispatch.sender_slots import sender_slot
from mailer.dispatch.sending_process import journal_directory, run_directory
from mailer.dispatch.sweeping import sweep
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind
from mailer.settings import get_settings
from tests.dispatch.conftest import HTML, TEXT, House
from tests.dispatch.sink import DROP, Sink

RESET = {"name": "王", "url": "https://news.example.org/account/reset/token", "hours": 2}
PROOF = {
    "subject": "[测试] 科技情报参考",
    "html": HTML,
    "text": TEXT,
    "language": "zh_CN",
    "web_url": "http://127.0.0.1:8000/n/tech/issues/1",
}


@pytest.fixture
def sink(relay: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    monkeypatch.setenv("MAILER_DATA_DIR", str(tmp_path))
    with Sink() as sink:
        relay(sink.url)
        yield sink


def write(house: House, kind: LetterKind = LetterKind.RESET, **changes: object) -> Letter:
    values = {"address": "wang@example.org", "locale": "zh_CN", "parameters": RESET} | changes
    letter = letters.write(house.session, kind, **values)  # type: ignore[arg-type]
    house.session.commit()
    return letter


def after(house: House, letter: Letter) -> Letter:
    house.session.rollback()
    house.session.refresh(letter)
    return letter


def test_a_letter_is_composed_sent_and_settled(house: House, sink: Sink, redis: str) -> None:
    letter = write(house)
    assert send_letters() == 1
    sent = after(house, letter)
    assert (sent.state, sent.attempts, sent.code, sent.lease_until) == ("accepted", 1, 250, None)
    assert sent.settled_at is not None
    (arrived,) = sink.messages
    message = email.message_from_bytes(arrived.content, policy=email.policy.default)
    assert arrived.sender == get_settings().sender_address
    assert message["Message-ID"] == letter.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in message
    assert RESET["url"] in message.get_body(("plain",)).get_content()
    assert send_letters() == 0


def test_a_newsletters_letter_goes_out_under_its_name(house: House, sink: Sink, redis: str) -> None:
    write(house, newsletter_id=house.newsletter.id)
    send_letters()
    message = email.message_from_bytes(sink.messages[0].content, policy=email.policy.default)
    assert sink.messages[0].sender == "tech@example.org"
    assert message["From"].addresses[0].display_name == "科技情报参考"
    assert message["Reply-To"].addresses[0].addr_spec == "editor@example.org"


def test_a_proof_looks_like_the_issue_and_leaves_nobodys_list(house: House, sink: Sink, redis: str) -> None:
    write(house, LetterKind.PROOF, parameters=PROOF, newsletter_id=house.newsletter.id)
    send_letters()
    message = email.message_from_bytes(sink.messages[0].content, policy=email.policy.default)
    assert message["Subject"] == PROOF["subject"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = str(message["List-Unsubscribe"]).strip("<>").rpartition("/")[2]
    assert links.read_unsubscribe_token(token) == links.UnsubscribeTarget(0, 0, ())
    assert "量子通信" in message.get_body(("html",)).get_content()
    assert "~mailer.slot" not in message.get_body(("html",)).get_content()


def test_a_letter_that_cannot_be_composed_is_rejected_and_the_others_go_on(
    house: House, sink: Sink, redis: str
) -> None:
    bad = write(house, parameters={"name": "王"})
    orphan = write(house, LetterKind.PROOF, parameters=PROOF)
    good = write(house)
    assert send_letters() == 3
    assert (after(house, bad).state, bad.reason) == ("rejected", "composition")
    assert bad.reply
    assert after(house, orphan).state == "rejected"
    assert after(house, good).state == "accepted"


@pytest.mark.parametrize(
    ("reason", "state"),
    [("hard_bounce", "skipped"), ("complaint", "skipped"), ("manual", "accepted"), ("unsubscribed_all", "accepted")],
)
def test_only_a_complaint_or_a_hard_bounce_stops_a_letter(
    house: House, sink: Sink, redis: str, reason: str, state: str
) -> None:
    house.session.add(Suppression(email_key="wang@example.org", reason=reason))
    letter = write(house)
    send_letters()
    assert after(house, letter).state == state
    assert len(sink.messages) == (state == "accepted")


def test_a_deferred_letter_is_tried_again_by_the_ladder(house: House, sink: Sink, redis: str) -> None:
    letter = write(house)
    sink.answer("rcpt", "451 4.7.1 Greylisted", times=1)
    send_letters()
    assert (after(house, letter).state, letter.attempts, letter.reason) == ("queued", 1, "greylist")
    assert send_letters() == 0
    house.session.execute(text("UPDATE letters SET next_attempt_at = now()"))
    house.session.commit()
    send_letters()
    assert (after(house, letter).state, letter.attempts) == ("accepted", 2)


def test_a_readers_dead_address_is_suppressed_and_an_accounts_is_not(house: House, sink: Sink, redis: str) -> None:
    sink.answer("rcpt", "550 5.1.1 No such user")
    write(house, address="account@example.org")
    assert send_letters() == 1
    assert house.session.scalars(select(Suppression)).all() == []
    letter = write(house, address="reader@example.org", newsletter_id=house.newsletter.id)
    send_letters()
    assert after(house, letter).state == "rejected"
    (suppression,) = house.session.scalars(select(Suppression)).all()
    assert (suppression.email_key, suppression.reason) == ("reader@example.org", "hard_bounce")


def test_a_letter_lost_after_the_final_dot_is_unknown(house: House, sink: Sink, redis: str) -> None:
    letter = write(house)
    sink.answer("content", DROP)
    send_letters()
    assert after(house, letter).state == "unknown"
    assert len(sink.messages) == 1


def test_letters_wait_for_a_relay_that_is_away(house: House, relay: Callable[[str], None], redis: str) -> None:
    with Sink() as gone:
        url = gone.url
    relay(url)
    letter = write(house)
    assert send_letters() == 1
    assert (after(house, letter).state, letter.attempts) == ("queued", 0)
    (suspension,) = house.session.scalars(select(Suspension)).all()
    assert suspension.provider == "*"
    assert not is_due(house.session)
    assert send_letters() == 0
    house.session.delete(suspension)
    house.session.commit()
    with Sink(port=int(url.rpartition(":")[2])):
        assert send_letters() == 1
    assert after(house, letter).state == "accepted"


def test_many_letters_share_few_connections(house: House, sink: Sink, redis: str) -> None:
    for number in range(25):
        write(house, address=f"r{number}@example.org")
    assert send_letters() == 25
    assert len(sink.counts) == 25
    assert sink.connections <= 2


def test_one_process_of_a_host_sends_letters_at_a_time(house: House, sink: Sink, redis: str) -> None:
    write(house)
    with sender_slot(run_directory(), 1, purpose="letters") as is_ours:
        assert is_ours
        assert send_letters() == 0
    assert send_letters() == 1


def test_a_dead_processs_letters_are_resolved_by_its_journal(house: House, sink: Sink, redis: str) -> None:

    untried, sent, lost = (write(house, address=f"r{number}@example.org") for number in range(3))
    journal = Journal(journal_directory(), "host-1-letters")
    house.session.execute(
        text(
            "UPDATE letters SET state = 'claimed', claimed_by = 'host-1-letters/1', lease_until = now() + interval '1h'"
        )
    )
    house.session.commit()
    journal.intent(sent.id, "1")
    journal.intent(lost.id, "1")
    journal.reply(sent.id, 250, None, "ok")
    assert sweep().resolved == 0
    journal._current.release()
    report = sweep()
    assert (report.resolved, report.letters) == (3, 1)
    assert [after(house, letter).state for letter in (untried, sent, lost)] == ["queued", "accepted", "unknown"]
    assert list(journal_directory().iterdir()) == []
