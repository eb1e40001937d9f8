import threading

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from mailer import accounts, newsletters
from mailer.accounts.models import AuditEntry
from mailer.audience import leaving, staging, suppressing
from mailer.audience.import_models import ImportChunk, ImportRun
from mailer.audience.importing import enqueue_lost, list_imports, list_refusals, run_import, start_import
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import SuppressionReason
from mailer.audience.subscribing import sign_up
from mailer.db import now, session_scope
from mailer.errors import NotFoundError, RuleError, UnreadableError
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp, reader, states

ZERO = {
    "new": 0, "changed": 0, "unchanged": 0, "duplicate": 0, "invalid": 0, "suppressed": 0, "left": 0,
    "unconfirmed": 0,
}  # fmt: skip


def run(session: Session, target: List, content: str | bytes) -> ImportRun:
    """Uploads and imports; the finished row."""
    raw = content.encode() if isinstance(content, str) else content
    started = start_import(
        session,
        list_id=target.id,
        filename="C:\\名单\\readers.csv",
        content=raw,
        basis="official_distribution",
        by=None,
    )
    session.commit()
    run_import(started.id)
    session.expire_all()
    return session.get_one(ImportRun, started.id)


def test_new_readers_are_confirmed_on_the_basis_that_was_given(session: Session, double: List) -> None:
    done = run(session, double, "email,name\nAnn@Example.org, 安 娜 \nbob＠example.org,\n")
    assert (done.state, done.error, done.filename, done.rows_read) == ("finished", "", "readers.csv", 2)
    assert done.counts == ZERO | {"new": 2}
    assert list_refusals(session, done.id) == []
    assert session.scalars(select(ImportChunk)).all() == []
    assert done.finished_at is not None
    ann = reader(session)
    assert (ann.email, ann.domain, ann.name, ann.locale) == ("Ann@example.org", "example.org", "安 娜", "zh_CN")
    assert states(session) == {double.id: "confirmed"}
    assert ann.subscriptions[0].source == "import"
    proof = session.scalars(select(Consent).where(Consent.subscriber_id == ann.id)).one()
    assert (proof.act, proof.basis, proof.wording, proof.list_id) == (
        "imported", "official_distribution", "readers.csv", double.id,
    )  # fmt: skip


def test_the_same_file_twice_changes_nothing(session: Session, double: List) -> None:
    content = "email,name\nann@example.org,Ann\nbob@example.org,\n"
    run(session, double, content)
    before = session.scalar(select(func.count()).select_from(Consent))
    assert run(session, double, content).counts == ZERO | {"unchanged": 2}
    assert session.scalar(select(func.count()).select_from(Consent)) == before


def test_a_name_in_the_file_is_taken_over_and_an_empty_one_is_not(session: Session, double: List) -> None:
    run(session, double, "email,name\nann@example.org,Ann\nbob@example.org,Bob\n")
    done = run(session, double, "email,name\nann@example.org,Anna\nbob@example.org,\n")
    assert done.counts == ZERO | {"changed": 1, "unchanged": 1}
    assert (reader(session).name, reader(session, "bob@example.org").name) == ("Anna", "Bob")


def test_who_has_left_is_never_brought_back(session: Session, double: List, single: List, fill_in: SignUp) -> None:
    content = "ann@example.org\nbob@example.org\neve@example.org\nsue@example.org\n"
    run(session, double, content)
    leaving.unsubscribe(session, leaving.UnsubscribeTarget(reader(session).id, 0, (double.id,)))
    leaving.unsubscribe(session, leaving.UnsubscribeTarget(reader(session, "bob@example.org").id, 0, (double.id,)))
    leaving.leave_all(session, reader(session, "eve@example.org").id)
    key = suppressing.erased_key("sue@example.org")
    suppressing.suppress(session, email_key=key, reason=SuppressionReason.ERASED)
    session.commit()
    # Bob has asked to come back, and has not confirmed it yet.
    fill_in(double, email="bob@example.org")
    done = run(session, double, content)
    assert done.counts == ZERO | {"left": 4}
    assert states(session) == {double.id: "unsubscribed"}
    assert states(session, "bob@example.org") == {double.id: "unconfirmed"}
    # Leaving everything, or being erased, also keeps them from lists they never were on; leaving one list does not.
    assert run(session, single, content).counts == ZERO | {"new": 2, "left": 2}


def test_a_sign_up_that_waits_is_confirmed_by_an_import_with_its_basis(
    session: Session, double: List, fill_in: SignUp
) -> None:
    fill_in(double)
    assert run(session, double, "ann@example.org").counts == ZERO | {"changed": 1}
    assert states(session) == {double.id: "confirmed"}
    assert session.scalars(select(Consent.act).order_by(Consent.id)).all() == ["asked", "imported"]


def test_every_refusal_is_reported_with_its_line_and_reason(session: Session, double: List) -> None:
    suppressing.suppress(session, email_key="bob@example.org", reason=SuppressionReason.HARD_BOUNCE)
    content = "email,name\nann@example.org,1\nnobody,2\nANN@example.org,3\nbob@example.org,4\n,5\n"
    done = run(session, double, content)
    assert done.counts == ZERO | {"new": 1, "duplicate": 1, "invalid": 2, "suppressed": 1}
    assert [(refusal.line, refusal.value, refusal.reason) for refusal in list_refusals(session, done.id)] == [
        (3, "nobody", "An email address needs an “@”, as in name@example.org."),
        (4, "ANN@example.org", "The address occurs earlier in the file."),
        (5, "bob@example.org", "The address is on the suppression list."),
        (6, "", "Please enter an email address."),
    ]
    assert reader(session).name == "1"


def test_a_suppression_of_another_newsletter_does_not_matter(session: Session, double: List) -> None:
    other = newsletters.create_newsletter(
        session, slug="life", title="生活", sender_name="生活", sender_address="life@example.org"
    )
    suppressing.suppress(session, email_key="ann@example.org", reason=SuppressionReason.MANUAL, newsletter_id=other.id)
    assert run(session, double, "ann@example.org").counts == ZERO | {"new": 1}


@pytest.mark.parametrize(
    ("content", "error"), [("", UnreadableError), ("name\nAnn\n", RuleError), ("PK\x03\x04", UnreadableError)]
)
def test_a_file_that_cannot_be_read_is_refused_at_once_and_nothing_is_stored(
    session: Session, double: List, content: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        start_import(session, list_id=double.id, filename="x.csv", content=content.encode(), basis="consent", by=None)
    assert session.scalars(select(ImportRun)).all() == []


def test_a_basis_and_an_open_list_are_asked_for(session: Session, double: List) -> None:
    with pytest.raises(RuleError):
        start_import(session, list_id=double.id, filename="x.csv", content=b"a@example.org", basis=" ", by=None)
    with pytest.raises(NotFoundError):
        start_import(session, list_id=9999, filename="x.csv", content=b"a@example.org", basis="consent", by=None)
    newsletters.archive_list(session, double, at=now(session))
    with pytest.raises(RuleError):
        start_import(session, list_id=double.id, filename="x.csv", content=b"a@example.org", basis="x", by=None)


def test_a_file_broken_in_the_middle_changes_nothing_and_says_where(session: Session, double: List) -> None:
    people = "".join(f"r{number}@example.org,Ann\n" for number in range(10))
    done = run(session, double, f'email,name\n{people}"' + "x" * 200_000)
    assert (done.state, done.counts) == ("failed", {})
    assert session.scalars(select(ImportChunk)).all() == []
    assert "Line" in done.error
    assert session.scalars(select(Subscriber)).all() == []


def test_a_crash_between_copy_and_merge_leaves_nothing_and_is_run_again(
    session: Session, double: List, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = start_import(
        session, list_id=double.id, filename="x.csv", content=b"ann@example.org", basis="consent", by=None
    )
    session.commit()
    with monkeypatch.context() as patch:
        patch.setattr(staging, "_MERGE", (*staging._MERGE, "SELECT 1 / 0"))
        with pytest.raises(DataError):
            run_import(started.id)
    session.expire_all()
    assert session.get_one(ImportRun, started.id).state == "running"
    assert session.scalars(select(Subscriber)).all() == []
    run_import(started.id)
    session.expire_all()
    assert session.get_one(ImportRun, started.id).counts == ZERO | {"new": 1}


def test_two_workers_with_the_same_import_do_it_once(session: Session, double: List) -> None:
    started = start_import(
        session, list_id=double.id, filename="x.csv", content=b"ann@example.org\nbob@example.org", basis="x", by=None
    )
    session.commit()
    threads = [threading.Thread(target=run_import, args=(started.id,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    session.expire_all()
    assert session.get_one(ImportRun, started.id).counts == ZERO | {"new": 2}
    assert session.scalar(select(func.count()).select_from(Consent)) == 2
    run_import(started.id)
    assert session.scalar(select(func.count()).select_from(Consent)) == 2


def test_a_lost_hint_is_given_again_after_two_minutes(session: Session, double: List, redis: str) -> None:
    started = start_import(session, list_id=double.id, filename="x.csv", content=b"ann@example.org", basis="x", by=None)
    session.commit()
    assert enqueue_lost() == 0
    session.execute(update(ImportRun).values(progressed_at=func.now() - func.make_interval(0, 0, 0, 0, 0, 3)))
    session.commit()
    assert enqueue_lost() == 1
    run_import(started.id)
    assert enqueue_lost() == 0


def test_control_characters_in_names_are_blanks(session: Session, double: List) -> None:
    run(session, double, "email,name\nann@example.org,A\x07nn\tLee\n" + "x" * 0)
    assert reader(session).name == "A nn Lee"


def test_who_imported_is_kept_in_the_audit_trail(session: Session, double: List) -> None:
    account = accounts.invite(session, email="root@example.org", name="Root", roles=["admin"], by=None)
    start_import(session, list_id=double.id, filename="x.csv", content=b"ann@example.org", basis="consent", by=account)
    session.commit()
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "import.started")).one()
    assert (entry.account_id, entry.subject_id, entry.details["basis"]) == (account.id, double.id, "consent")
    assert [each.account_id for each in list_imports(session, list_id=double.id)] == [account.id]
    assert list_imports(session, list_id=double.id + 1) == []


def test_sign_ups_during_an_import_of_the_same_people_break_neither(session: Session, double: List) -> None:
    people = [f"r{number}@example.org" for number in range(60)]
    started = start_import(
        session, list_id=double.id, filename="x.csv", content="\n".join(people).encode(), basis="x", by=None
    )
    session.commit()
    failures: list[BaseException] = []
    barrier = threading.Barrier(3)

    def sign_everybody_up(order: list[str]) -> None:
        try:
            barrier.wait(10)
            for email in order:
                with session_scope() as own:
                    sign_up(own, email=email, list_ids=[double.id], wording="x")
        except BaseException as error:  # noqa: BLE001  (shown by the assertion below)
            failures.append(error)

    threads = [threading.Thread(target=sign_everybody_up, args=(order,)) for order in (people, people[::-1])]
    for thread in threads:
        thread.start()
    barrier.wait(10)
    run_import(started.id)
    for thread in threads:
        thread.join(60)
    assert failures == []
    session.expire_all()
    counts = session.get_one(ImportRun, started.id).counts
    assert counts["new"] + counts["changed"] == 60
    # Whoever came first, everybody is on the list, once, on the basis that the import has.
    assert session.scalars(select(Subscription.state)).all() == ["confirmed"] * 60
    assert session.scalar(select(func.count()).where(Consent.act == "imported")) == 60
