"""The proof of consent to be printed, the sign-up on other sites, and what a list asks and wants."""

import datetime as dt
import io

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mailer import links
from mailer.accounts.models import Account, AuditEntry
from mailer.audience.adding import add_subscriber
from mailer.audience.confirming import confirm
from mailer.audience.deciding import Decision
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import run_import, start_import
from mailer.audience.models import Consent, Subscriber
from mailer.audience.subscribing import sign_up
from mailer.letters.models import Letter
from mailer.newsletters.models import List, Newsletter
from tests.web.conftest import Visitor
from tests.web.portal_scene import Scene, send_issue, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def ann(session: Session, scene: Scene) -> Subscriber:
    sign_up(
        session, email="ann@example.org", list_ids=[scene.weekly.id], wording="I agree.", ip="192.0.2.7",
        user_agent="Firefox 1", locale="en",
    )  # fmt: skip
    letter = session.scalars(select(Letter)).one()
    confirm(session, letter.parameters["confirm_url"].rpartition("/")[2], wording="Confirm", ip="192.0.2.8")
    session.commit()
    return session.scalars(select(Subscriber)).one()


def test_the_page_proves_what_was_shown_answered_and_mailed(
    session: Session, signed_in: Visitor, ann: Subscriber
) -> None:
    page = signed_in.get(f"/admin/subscribers/{ann.id}")
    [link] = [a.get("href") for a in page.tree.xpath("//main//a") if a.get("href").endswith("/consent")]
    proof = signed_in.get(link)
    assert (proof.status, proof.heading) == (200, "Proof of consent")
    letter = session.scalars(select(Letter)).one()
    for told in ("ann@example.org", "I agree.", "version 1", "192.0.2.7", "Firefox 1", "192.0.2.8", letter.message_id):
        assert told in proof.text, told


def test_who_decided_for_a_reader_is_named_with_the_legal_basis(
    session: Session, signed_in: Visitor, scene: Scene, admin: Account
) -> None:
    added = add_subscriber(
        session, email="bob@example.org", list_id=scene.weekly.id, basis="duty", wording="Decree 7",
        decision=Decision(" 办公厅 ", dt.date(2026, 3, 2)), by=admin,
    )  # fmt: skip
    session.commit()
    told_all = signed_in.get(f"/admin/subscribers/{added.id}/consent").text
    for told in ("Legal duty or public task", "Decree 7", "Decided by 办公厅 ·", "2026", f"Entered by {admin.name}"):
        assert told in told_all, told


def test_the_file_and_the_decision_behind_an_import_stand_in_each_readers_proof(
    session: Session, signed_in: Visitor, scene: Scene, admin: Account
) -> None:
    run = start_import(
        session, list_id=scene.weekly.id, filename="名单.csv", content=b"bob@example.org",
        basis="official_distribution",
        decision=Decision("办公厅", dt.date(2026, 3, 2)), by=admin,
    )  # fmt: skip
    session.commit()
    run_import(run.id)
    session.rollback()
    bob = session.scalars(select(Subscriber)).one()
    consent = session.scalars(select(Consent)).one()
    assert (consent.decided_by, consent.decided_on) == ("办公厅", dt.date(2026, 3, 2))
    assert (consent.account_id, consent.import_id) == (admin.id, run.id)
    told_all = signed_in.get(f"/admin/subscribers/{bob.id}/consent").text
    for told in ("Official distribution", "Decided by 办公厅 ·", f"Entered by {admin.name} File 名单.csv"):
        assert told in told_all, told
    assert "Decided by 办公厅" in signed_in.get(f"/admin/imports/{run.id}").text


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "decided_by"),
        ({"decided_by": "办公厅"}, "decided_on"),
        ({"decided_by": "办公厅", "decided_on": "2999-01-01"}, "decided_on"),
        ({"decided_by": "办公厅", "decided_on": "yesterday"}, "decided_on"),
    ],
)
@pytest.mark.parametrize("address", ["/admin/imports/new", "/admin/subscribers/new"])
def test_without_consent_it_is_asked_who_decided_and_when(
    session: Session, signed_in: Visitor, scene: Scene, address: str, given: dict[str, str], field: str
) -> None:
    data: dict[str, object] = {"list_id": str(scene.weekly.id), "basis": "duty", "wording": "Decree 7"}
    if "imports" in address:
        data |= {"has_right": "y", "file": (io.BytesIO(b"bob@example.org"), "x.csv")}
    else:
        data["email"] = "bob@example.org"
    page = signed_in.submit(address, data | given)
    assert page.status == 422
    assert page.errors()[field]
    session.rollback()
    assert session.scalars(select(Subscriber)).all() == []
    assert session.scalars(select(ImportRun)).all() == []


def test_who_decided_cannot_be_changed_afterwards(session: Session, scene: Scene, admin: Account) -> None:
    add_subscriber(
        session, email="bob@example.org", list_id=scene.weekly.id, basis="duty",
        decision=Decision("办公厅", dt.date(2026, 3, 2)), by=admin,
    )  # fmt: skip
    session.commit()
    for column in ("decided_by", "decided_on", "account_id", "import_id"):
        with pytest.raises(DBAPIError):
            session.execute(text(f"UPDATE consents SET {column} = NULL"))
        session.rollback()


def test_editors_do_not_see_it(session: Session, visitor: Visitor, ann: Subscriber) -> None:
    assert visitor.get(f"/admin/subscribers/{ann.id}/consent").path == "/account/sign-in"


def test_a_form_can_be_copied_and_its_sites_are_kept(session: Session, signed_in: Visitor, scene: Scene) -> None:
    settings = f"/desk/newsletters/{scene.tech.id}/settings"
    for typed in ("https://www.example.org/page", "https://a.example.org\nnonsense", "*"):
        wrong = signed_in.submit(settings, {"allowed_origins": typed}, action=settings)
        assert wrong.status == 422
        assert wrong.errors()["allowed_origins"]
        assert wrong.tree.get_element_by_id("allowed_origins").value.split() == typed.split()
    data = {"allowed_origins": "https://WWW.example.org/\r\nhttps://example.com:8443", "frequency": "每月一期"}
    assert signed_in.submit(settings, data, action=settings).status == 200
    session.expire_all()
    tech = session.get_one(Newsletter, scene.tech.id)
    assert tech.allowed_origins == ["https://example.com:8443", "https://www.example.org"]
    assert tech.frequency == "每月一期"
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "newsletter.changed")).one()
    assert entry.details["allowed_origins"] == tech.allowed_origins
    shown = signed_in.get(settings)
    assert shown.tree.get_element_by_id("allowed_origins").value.split() == tech.allowed_origins
    # Saved as it is shown, nothing changes.
    signed_in.submit(settings, action=settings)
    session.expire_all()
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "newsletter.changed")).all()) == 1
    page = signed_in.get(f"/admin/newsletters/{scene.tech.id}/sign-up")
    assert "https://example.com:8443" in page.text
    [snippet] = page.tree.xpath("//textarea[@id='snippet']/text()")
    assert 'action="http://127.0.0.1:8000/api/newsletters/tech/form"' in snippet
    assert 'value="weekly"' in snippet
    assert "script" not in snippet
    assert 'value="board"' not in snippet
    assert "每月一期" in signed_in.get("/n/tech/").text


def test_a_list_asks_welcomes_and_invites(session: Session, signed_in: Visitor, scene: Scene) -> None:
    address = f"/admin/lists/{scene.board.id}"
    page = signed_in.submit(
        address,
        {
            "visibility": "invitation", "has_welcome": "y", "owner": "li@example.org",
            "questions-0-label": "Your department", "questions-0-key": "Unit",
            "questions-1-label": "职务", "questions-1-key": "rank", "questions-1-kind": "choice",
            "questions-1-choices": "处长\r\n科长\r\n", "questions-1-is_required": "y",
        },
    )  # fmt: skip
    assert page.path == "/admin/lists"
    session.expire_all()
    board = session.get_one(List, scene.board.id)
    assert (board.visibility, board.has_welcome, board.owner) == ("invitation", True, "li@example.org")
    asked = [
        {"key": "unit", "label": "Your department", "kind": "text", "is_required": False},
        {"key": "rank", "label": "职务", "kind": "choice", "is_required": True, "choices": ["处长", "科长"]},
    ]
    assert board.required_attributes == asked
    shown = signed_in.get(address)
    assert shown.tree.get_element_by_id("questions-1-choices").value.split() == ["处长", "科长"]
    assert len(shown.tree.xpath("//input[contains(@name, '-label')]")) == 4
    # Saved as it is shown, nothing changes; a row that is emptied is asked no more.
    signed_in.submit(address)
    session.expire_all()
    assert session.get_one(List, board.id).required_attributes == asked
    assert shown.tree.get_element_by_id("invitation").value == links.invitation_url(
        links.make_invitation_token(board.id)
    )
    wrong = signed_in.submit(address, {"questions-2-label": "Age"})
    assert wrong.status == 422
    assert wrong.tree.get_element_by_id("questions-2-label").value == "Age"
    signed_in.submit(address, {"questions-0-label": "", "questions-0-key": ""})
    session.expire_all()
    assert session.get_one(List, board.id).required_attributes == asked[1:]


def test_an_invitation_opens_its_list_and_is_greeted_with_the_latest_issue(
    session: Session, signed_in: Visitor, scene: Scene
) -> None:
    from mailer.audience import entrance

    issue = send_issue(session, scene.tech)
    scene.board.visibility, scene.board.has_welcome = "invitation", True
    session.commit()
    address = f"/invitation/{links.make_invitation_token(scene.board.id)}"
    assert "内部" not in signed_in.get("/subscribe").text
    patience, entrance.LEAST_SECONDS = entrance.LEAST_SECONDS, 0.0
    try:
        page = signed_in.submit(address, {"email": "eve@example.org", "agree": "y"})
    finally:
        entrance.LEAST_SECONDS = patience
    assert page.path == "/subscribe/sent"
    url = session.scalars(select(Letter)).one().parameters["confirm_url"].removeprefix("http://127.0.0.1:8000")
    assert signed_in.submit(url).heading == "You are subscribed"
    session.rollback()
    welcome = session.scalars(select(Letter).where(Letter.kind == "welcome")).one()
    assert welcome.parameters["latest_issue"]["url"].endswith(f"/n/tech/issues/{issue.id}")
    scene.board.visibility = "private"
    session.commit()
    assert signed_in.get(address).status == 404
    assert signed_in.get("/invitation/x").status == 404
