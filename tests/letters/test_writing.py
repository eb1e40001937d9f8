import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import letters
from mailer.db import now
from mailer.errors import RuleError
from mailer.letters.models import Letter
from mailer.letters.rules import LetterKind, LetterState
from mailer.queue import TaskName

RESET = {"name": "王", "url": "https://news.example.org/account/reset/x", "hours": 2}


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    monkeypatch.setattr("mailer.queue.enqueue", lambda name, **_: sent.append(name))
    return sent


def write(session: Session, **changes: object) -> Letter:
    values = {"address": "Wang@Example.ORG", "locale": "zh_CN", "parameters": RESET} | changes
    return letters.write(session, LetterKind.RESET, **values)  # type: ignore[arg-type]


def test_a_letter_waits_in_the_outbox_from_the_callers_commit_on(session: Session, hints: list[str]) -> None:
    letter = write(session, newsletter_id=7)
    assert hints == []
    session.commit()
    assert hints == [TaskName.LETTERS_SEND]
    session.expire_all()
    found = session.scalars(select(Letter)).one()
    assert (found.id, found.kind, found.state, found.newsletter_id) == (letter.id, "reset", LetterState.QUEUED, 7)
    assert (found.address, found.address_key) == ("Wang@example.org", "wang@example.org")
    assert found.parameters == RESET
    assert found.next_attempt_at <= now(session)


def test_a_rolled_back_caller_sends_nothing(session: Session, hints: list[str]) -> None:
    write(session)
    session.rollback()
    session.commit()
    assert hints == []
    assert session.scalars(select(Letter)).all() == []


def test_each_letter_has_a_message_id_of_its_own(session: Session, hints: list[str]) -> None:
    first, second = write(session).message_id, write(session).message_id
    assert first != second
    assert re.fullmatch(r"<[0-9a-f]{24}\.letter@localhost\.localdomain>", first)


def test_an_address_that_is_none_is_refused_and_a_mendable_one_mended(session: Session, hints: list[str]) -> None:
    with pytest.raises(RuleError):
        write(session, address="nobody")
    assert write(session, address=" ｗang＠example．org ").address == "wang@example.org"


def test_an_unknown_language_falls_back_to_the_first(session: Session, hints: list[str]) -> None:
    assert write(session, locale="fr").locale == "zh_CN"
    assert write(session, locale="en").locale == "en"


def test_parameters_must_be_plain_values(session: Session, hints: list[str]) -> None:
    with pytest.raises(TypeError):
        write(session, parameters={"url": object()})
