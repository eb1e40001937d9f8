import json

import pytest
from sqlalchemy.orm import Session

from mailer.errors import NotFoundError
from mailer.privacy.copying import copy_of
from tests.privacy.conftest import Known


def test_the_copy_holds_everything_about_one_reader_and_nothing_about_another(session: Session, known: Known) -> None:
    copy = copy_of(session, known.ann.id)
    text = json.dumps(copy, ensure_ascii=False)
    assert "bob" not in text.lower()
    assert copy["subscriber"]["email"] == "ann@example.org"
    assert copy["subscriptions"][0]["list"] == "每期速递"
    assert [consent["wording"] for consent in copy["consents"]] == ["我同意。"]
    assert copy["consents"][0]["ip"] == "192.0.2.1"
    assert copy["suppressions"][0]["note"] == "ann@example.org phoned"
    assert copy["engagement"][0]["last_open_at"] == "2026-03-02T01:00:00+00:00"
    assert (copy["deliveries"][0]["number"], copy["deliveries"][0]["code"]) == ("3", 250)
    assert copy["attempts"][0]["reply"] == "2.0.0 <ann@example.org> queued"
    assert [(event["kind"], event["link"]) for event in copy["opens_and_clicks"]] == [
        ("open", None), ("click", "https://example.org/1"),
    ]  # fmt: skip
    assert [letter["kind"] for letter in copy["letters"]] == ["welcome"]
    assert [refusal["line"] for refusal in copy["import_refusals"]] == [1, 2]


def test_there_is_no_copy_of_nobody(session: Session, known: Known) -> None:
    with pytest.raises(NotFoundError):
        copy_of(session, 9999)
