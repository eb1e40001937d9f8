import datetime as dt
import io

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.audience import suppression_files
from mailer.audience.exporting import SUPPRESSION_COLUMNS, export_suppressions
from mailer.audience.models import Suppression
from mailer.audience.spreadsheets import as_csv, as_xlsx
from mailer.audience.suppressing import erased_key, find_suppressions, is_suppressed, lift, suppress
from mailer.audience.suppression_files import Outcome, import_suppressions
from mailer.errors import RuleError, UnreadableError
from mailer.newsletters.models import Newsletter


def bring(session: Session, content: bytes, **changes: object) -> Outcome:
    values = {"filename": "x.csv", "newsletter_id": None, "note": "by phone", "by": None} | changes
    return import_suppressions(session, io.BytesIO(content), **values)  # type: ignore[arg-type]


def test_each_address_is_suppressed_with_its_own_reason_note_and_end(session: Session) -> None:
    outcome = bring(
        session,
        "邮箱,原因,备注,到期\nAnn@example.org,complaint,wrote to us,\nbob＠example.org,,,2099-12-31\n"
        "nobody,,,\neve@example.org,because,,\nsue@example.org,,,soon\n".encode(),
    )
    assert (outcome.added, outcome.present, outcome.refused) == (2, 0, 3)
    assert [(line, value) for line, value, _ in outcome.refusals] == [
        (4, "nobody"), (5, "eve@example.org"), (6, "sue@example.org"),
    ]  # fmt: skip
    (ann,), (bob,) = (find_suppressions(session, f"{name}@example.org") for name in ("ann", "bob"))
    assert (ann.reason, ann.note, ann.expires_at) == ("complaint", "wrote to us", None)
    assert (bob.reason, bob.note, bob.expires_at) == ("manual", "by phone", dt.datetime(2099, 12, 31, tzinfo=dt.UTC))
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "suppressions.imported")).one()
    assert (entry.details["number"], entry.details["note"]) == (2, "by phone")


def test_twice_is_once_in_one_file_and_in_two(session: Session) -> None:
    content = b"email\nann@example.org\nANN@example.org\n"
    first = bring(session, content)
    assert (first.added, first.present) == (1, 1)
    second = bring(session, content)
    assert (second.added, second.present) == (0, 2)
    assert session.scalar(select(func.count()).select_from(Suppression)) == 1


def test_it_may_hold_for_one_newsletter_only(session: Session, newsletter: Newsletter) -> None:
    bring(session, b"ann@example.org", newsletter_id=newsletter.id)
    assert is_suppressed(session, "ann@example.org", newsletter.id)
    assert not is_suppressed(session, "ann@example.org")


def test_a_note_is_asked_for_and_too_many_rows_are_refused(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuleError):
        bring(session, b"ann@example.org", note=" ")
    with pytest.raises(UnreadableError):
        bring(session, b"")
    monkeypatch.setattr(suppression_files, "MOST_ROWS", 1)
    with pytest.raises(RuleError, match="At most 1"):
        bring(session, b"email\nann@example.org\nbob@example.org\n")


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_what_was_exported_comes_back_without_the_lifted_and_the_erased(session: Session, write: object) -> None:
    suppress(session, email_key="ann@example.org", reason="hard_bounce", note="=550")
    lift(session, suppress(session, email_key="bob@example.org", reason="manual"))
    suppress(session, email_key=erased_key("sue@example.org"), reason="erased")
    content = b"".join(write(SUPPRESSION_COLUMNS, export_suppressions(session)))  # type: ignore[operator]
    assert b"sue" not in content
    session.rollback()
    outcome = bring(session, content)
    assert (outcome.added, outcome.lifted, outcome.refused) == (1, 1, 0)
    (ann,) = find_suppressions(session, "ann@example.org")
    assert (ann.reason, ann.note) == ("hard_bounce", "'=550")
