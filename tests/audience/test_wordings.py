"""Which version of a sentence somebody agreed to."""

import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from mailer.audience.confirming import confirm
from mailer.audience.models import Consent, Wording
from mailer.audience.wordings import find_or_add_wording, find_wording
from mailer.db import session_scope
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, confirm_token, letters


def test_a_sentence_gets_a_number_of_its_kind_once(session: Session) -> None:
    numbers = [find_or_add_wording(session, "sign_up", each).version for each in ("a", "b", "a", "c")]
    assert numbers == [1, 2, 1, 3]
    assert find_or_add_wording(session, "confirm", "a").version == 1


def test_two_who_are_shown_a_new_sentence_at_once_are_shown_one(database: str) -> None:
    def show() -> None:
        with session_scope() as session:
            find_or_add_wording(session, "sign_up", "new")

    threads = [threading.Thread(target=show) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with session_scope() as session:
        assert [row.version for row in session.scalars(select(Wording))] == [1]


def test_a_version_is_found_by_its_id_and_kind(session: Session) -> None:
    known = find_or_add_wording(session, "sign_up", "a")
    assert find_wording(session, "sign_up", known.id) is known
    assert find_wording(session, "confirm", known.id) is None
    assert find_wording(session, "sign_up", 4711) is None


def test_the_evidence_holds_the_version_and_the_letter(session: Session, double: List, fill_in: SignUp) -> None:
    fill_in(double, wording="I agree.")
    confirm(session, confirm_token(session), wording="Confirm")
    session.commit()
    asked, confirmed = session.scalars(select(Consent).order_by(Consent.id))
    versions = {row.id: (row.kind, row.version, row.text) for row in session.scalars(select(Wording))}
    assert versions[asked.wording_id] == ("sign_up", 1, "I agree.")
    assert versions[confirmed.wording_id] == ("confirm", 1, "Confirm")
    [letter] = letters(session)
    assert (asked.letter_message_id, asked.letter_at) == ("", None)
    assert (confirmed.letter_message_id, confirmed.letter_at) == (letter.message_id, letter.created_at)


@pytest.mark.parametrize(
    "change", ["DELETE FROM wordings", "UPDATE wordings SET text = 'x'", "UPDATE consents SET letter_message_id = 'x'"]
)
def test_it_cannot_be_changed_afterwards(session: Session, double: List, fill_in: SignUp, change: str) -> None:
    fill_in(double)
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text(change))
