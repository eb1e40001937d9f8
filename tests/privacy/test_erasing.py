import json
import re

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.audience import suppressing
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import run_import, start_import
from mailer.audience.models import Consent, Subscriber, Suppression
from mailer.db import Base
from mailer.dispatch.models import Delivery
from mailer.errors import NotFoundError
from mailer.feedback.models import Click, Open
from mailer.privacy.copying import copy_of
from mailer.privacy.erasing import erase
from tests.privacy.conftest import Known


def everything(session: Session) -> str:
    """Every row of every table as text."""
    session.expire_all()
    rows = [
        session.scalars(text(f'SELECT to_jsonb(t)::text FROM "{table.name}" t')).all()
        for table in Base.metadata.sorted_tables
    ]
    return "\n".join(row for found in rows for row in found)


def test_afterwards_no_row_of_any_table_names_the_reader(session: Session, known: Known) -> None:
    assert everything(session).lower().count("ann@example.org") > 8
    before = json.dumps(copy_of(session, known.bob.id), sort_keys=True)
    erase(session, known.ann.id, None, ip="192.0.2.200")
    session.commit()
    left = everything(session)
    assert re.findall(r"[^\"]{0,30}\bann\b[^\"]{0,30}", left, re.IGNORECASE) == []
    # What is left of these network addresses is Bob's.
    assert (left.count('"192.0.2.1"'), left.count('"192.0.2.2"')) == (1, 2)
    assert json.dumps(copy_of(session, known.bob.id), sort_keys=True) == before
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "subscriber.erased")).one()
    assert (entry.subject_id, str(entry.ip)) == (known.ann.id, "192.0.2.200")


def test_the_counts_and_the_proof_stay(session: Session, known: Known) -> None:
    erase(session, known.ann.id, None)
    session.commit()
    session.expire_all()
    assert known.ann.erased_at is not None
    assert len(session.scalars(select(Delivery).where(Delivery.subscriber_id == known.ann.id)).all()) == 1
    assert len(session.scalars(select(Open)).all()) == len(session.scalars(select(Click)).all()) == 2
    acts = session.scalars(select(Consent.act).where(Consent.subscriber_id == known.ann.id).order_by(Consent.id)).all()
    assert acts == ["confirmed", "withdrawn"]
    assert copy_of(session, known.ann.id)["subscriber"]["email"] == f"{known.ann.id}@erased.invalid"


def test_the_address_is_recognised_when_it_comes_again(session: Session, known: Known) -> None:
    erase(session, known.ann.id, None)
    session.commit()
    assert suppressing.is_suppressed(session, "ann@example.org")
    run = start_import(
        session, list_id=known.sent.readers_list.id, filename="x.csv", content=b"ann@example.org", basis="x", by=None
    )
    session.commit()
    run_import(run.id)
    session.expire_all()
    assert session.get_one(ImportRun, run.id).counts["left"] == 1
    assert session.scalar(select(Subscriber).where(Subscriber.email_key == "ann@example.org")) is None


def test_twice_is_once_and_a_second_life_can_be_erased_too(session: Session, known: Known) -> None:
    erase(session, known.ann.id, None)
    erase(session, known.ann.id, None)
    session.commit()
    second = Subscriber(email="ann@example.org", email_key="ann@example.org", domain="example.org")
    session.add(second)
    session.commit()
    erase(session, second.id, None)
    session.commit()
    hashed = suppressing.erased_key("ann@example.org")
    open_rows = session.scalars(
        select(Suppression).where(Suppression.email_key == hashed, Suppression.lifted_at.is_(None))
    ).all()
    assert [row.reason for row in open_rows] == ["erased"]


def test_nobody_cannot_be_erased(session: Session, known: Known) -> None:
    with pytest.raises(NotFoundError):
        erase(session, 9999, None)
