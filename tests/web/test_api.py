"""Signing up from elsewhere: by JSON, and with a plain form on another site."""

import time

import altcha
import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience import proofs
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.letters.models import Letter
from mailer.web import stamps
from tests.conftest import forget_settings
from tests.web.portal_scene import Scene, set_scene

SITE = "https://www.example.org"


@pytest.fixture
def scene(session: Session) -> Scene:
    scene = set_scene(session)
    newsletters.change_newsletter(session, scene.tech, allowed_origins=[SITE, "https://example.com/"])
    session.commit()
    return scene


@pytest.fixture
def client(app: Flask, scene: Scene) -> FlaskClient:
    return app.test_client(use_cookies=False)


def ask(client: FlaskClient) -> dict[str, object]:
    answer = client.get("/api/newsletters/tech", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return dict(answer.get_json())


def body(client: FlaskClient, **values: object) -> dict[str, object]:
    known = {
        "email": "ann@example.org",
        "lists": ["weekly"],
        "agree": True,
        "wording": ask(client)["wording"]["id"],  # type: ignore[index]
        "stamp": stamps.make_stamp(time.time() - 10),
    }
    return {name: value for name, value in (known | values).items() if value is not None}


def sign_up(client: FlaskClient, **values: object):  # type: ignore[no-untyped-def]
    headers = {"Accept-Language": "en"}
    return client.post("/api/newsletters/tech/subscriptions", json=body(client, **values), headers=headers)


def letters(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Letter)) or 0


class TestJson:
    def test_what_there_is_to_sign_up_for(self, client: FlaskClient, scene: Scene) -> None:
        told = ask(client)
        assert told["newsletter"]["title"] == "科技参考"  # type: ignore[index]
        assert [each["slug"] for each in told["lists"]] == ["weekly", "express"]  # type: ignore[attr-defined]
        assert "I agree to receive" in told["wording"]["text"]  # type: ignore[index]
        assert told["proof_required"] is False
        assert ask(client)["wording"] == told["wording"]

    def test_a_sign_up_is_taken_with_its_evidence(self, session: Session, client: FlaskClient) -> None:
        answer = sign_up(client, name=" Ann ", locale="zh_CN")
        assert answer.status_code == 202
        assert answer.get_json() == {"message": "We are writing to ann@example.org.", "suggestion": None}
        assert "Set-Cookie" not in answer.headers
        reader = session.scalars(select(Subscriber)).one()
        assert (reader.name, reader.locale) == ("Ann", "zh_CN")
        assert session.scalars(select(Subscription.state)).all() == ["unconfirmed"]
        proof = session.scalars(select(Consent)).one()
        assert proof.wording.startswith("I agree to receive")
        assert proof.wording_id == ask(client)["wording"]["id"]  # type: ignore[index]
        assert letters(session) == 1

    def test_nobody_learns_whether_an_address_is_known(self, session: Session, client: FlaskClient) -> None:
        answers = [sign_up(client).get_json() for _ in range(5)]
        assert answers == [answers[0]] * 5
        # The mailbox's own bound is kept in silence.
        assert letters(session) == 3

    def test_a_slip_of_the_finger_is_suggested_and_taken(self, session: Session, client: FlaskClient) -> None:
        answer = sign_up(client, email="ann@gmial.com")
        assert (answer.status_code, answer.get_json()["suggestion"]) == (202, "ann@gmail.com")
        assert letters(session) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("agree", False),
            ("agree", "yes"),
            ("wording", 4711),
            ("wording", "1"),
            ("wording", True),
            ("wording", 2**70),
            ("lists", []),
            ("lists", ["board"]),
            ("lists", ["none"]),
            ("lists", "weekly"),
            ("lists", [1]),
            ("email", "ann@"),
            ("email", 7),
            ("email", "a\x00@example.org"),
            ("name", "\ud800"),
            ("stamp", "\udfff"),
            ("name", ["x"]),
            ("altcha", {"a": 1}),
        ],
    )
    def test_what_cannot_be_is_named(self, session: Session, client: FlaskClient, field: str, value: object) -> None:
        answer = sign_up(client, **{field: value})
        assert (answer.status_code, answer.get_json()["field"]) == (422, field)
        assert letters(session) == 0

    def test_too_long_a_name_is_refused(self, session: Session, client: FlaskClient) -> None:
        assert sign_up(client, name="x" * 121).status_code == 422
        assert session.scalars(select(Subscriber)).all() == []

    def test_what_is_no_json_is_refused(self, client: FlaskClient) -> None:
        where = "/api/newsletters/tech/subscriptions"
        assert client.post(where, data={"email": "ann@example.org"}).status_code == 415
        for odd in ("{", "[" * 60_000, '{"a":' * 10_000):
            assert client.post(where, data=odd, content_type="application/json").status_code == 400
        assert client.post(where, json=[1]).status_code == 422
        assert client.post(where, json={"email": "x" * 70_000}).status_code == 413
        assert client.get(where).status_code == 405
        missing = client.post("/api/newsletters/none/subscriptions", json={})
        assert (missing.status_code, missing.is_json) == (404, True)

    def test_the_defences_of_the_form_hold_here(self, session: Session, client: FlaskClient) -> None:
        assert sign_up(client, website="x").status_code == 202
        assert sign_up(client, stamp=stamps.make_stamp(time.time())).status_code == 422
        assert sign_up(client, stamp=None).status_code == 422
        assert letters(session) == 0

    def test_under_pressure_work_opens_the_door(
        self, session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAILER_SIGN_UPS_PER_HOUR", "1")
        monkeypatch.setenv("MAILER_SIGN_UPS_WITHOUT_PROOF", "0")
        monkeypatch.setattr(proofs, "COST", 10)
        forget_settings()
        try:
            assert sign_up(client).status_code == 202
            refused = sign_up(client, email="bob@example.org")
            assert (refused.status_code, refused.get_json()["proof_required"]) == (429, True)
            assert ask(client)["proof_required"] is True
            held = client.get("/api/newsletters/tech/challenge").get_json()
            challenge = altcha.Challenge.from_dict(held)
            payload = altcha.Payload(challenge, altcha.solve_challenge(challenge)).to_base64()  # type: ignore[arg-type]
            assert sign_up(client, email="bob@example.org", altcha=payload).status_code == 202
            assert sign_up(client, email="carl@example.org", altcha=payload).status_code == 429
            assert letters(session) == 2
        finally:
            monkeypatch.undo()
            forget_settings()


class TestOrigins:
    def test_pages_of_allowed_sites_may_ask_and_no_others(self, client: FlaskClient) -> None:
        for path, method in (("", "GET"), ("/challenge", "GET"), ("/subscriptions", "POST")):
            where = f"/api/newsletters/tech{path}"
            allowed = client.options(where, headers={"Origin": SITE, "Access-Control-Request-Method": method})
            assert allowed.status_code == 204
            assert allowed.headers["Access-Control-Allow-Origin"] == SITE
            assert method in allowed.headers["Access-Control-Allow-Methods"]
            assert "Access-Control-Allow-Credentials" not in allowed.headers
            for other in (
                "https://evil.example",
                "null",
                "https://www.example.org.evil.example",
                "http://www.example.org",
            ):
                refused = client.options(where, headers={"Origin": other})
                assert refused.status_code == 403
                assert "Access-Control-Allow-Origin" not in refused.headers
                assert "Origin" in refused.headers["Vary"]

    def test_the_answer_may_be_read_by_the_site_that_asked(self, session: Session, client: FlaskClient) -> None:
        where = "/api/newsletters/tech/subscriptions"
        answer = client.post(where, json=body(client), headers={"Origin": SITE})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (202, SITE)
        mended = client.post(where, json={}, headers={"Origin": "https://example.com"})
        assert (mended.status_code, mended.headers["Access-Control-Allow-Origin"]) == (422, "https://example.com")
        assert client.post(where, json=body(client), headers={"Origin": "https://evil.example"}).status_code == 403
        assert letters(session) == 1

    def test_another_newsletter_has_its_own(self, client: FlaskClient) -> None:
        assert client.get("/api/newsletters/harbour", headers={"Origin": SITE}).status_code == 403


class TestForm:
    def post(self, client: FlaskClient, origin: str | None = SITE, **values: object):  # type: ignore[no-untyped-def]
        data = {"email": "ann@example.org", "list": "weekly", "agree": "yes"} | values
        headers = {"Accept-Language": "en"} | ({"Origin": origin} if origin else {})
        return client.post("/api/newsletters/tech/form", data=data, headers=headers)

    def test_it_works_from_another_site_without_a_cookie(self, session: Session, client: FlaskClient) -> None:
        wording = ask(client)["wording"]
        answer = self.post(client, wording=wording["id"])  # type: ignore[index]
        assert answer.status_code == 200
        assert "We are writing to ann@example.org" in answer.get_data(as_text=True)
        assert "Set-Cookie" not in answer.headers
        assert session.scalars(select(Consent)).one().wording == wording["text"]  # type: ignore[index]
        assert letters(session) == 1

    def test_old_browsers_that_name_no_origin_may_use_it(self, session: Session, client: FlaskClient) -> None:
        assert self.post(client, origin=None).status_code == 200
        for origin in ("https://evil.example", "null"):
            refused = self.post(client, origin=origin)
            assert refused.status_code == 403
            assert "takes no sign-ups from that site" in refused.get_data(as_text=True)
        assert letters(session) == 1

    @pytest.mark.parametrize("wrong", [{"email": "ann@"}, {"agree": ""}, {"list": "board"}, {"list": "none"}])
    def test_what_is_refused_leads_to_the_whole_form(
        self, session: Session, client: FlaskClient, wrong: dict[str, object]
    ) -> None:
        answer = self.post(client, **wrong)
        assert answer.status_code == 422
        page = html.fromstring(answer.get_data(as_text=True))
        assert page.xpath("//main//a/@href")[0] == "/n/tech/subscribe"
        assert letters(session) == 0

    def test_robots_and_too_many_get_nothing(
        self, session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.post(client, website="x").status_code == 200
        assert letters(session) == 0
        monkeypatch.setenv("MAILER_SIGN_UPS_PER_IP", "1")
        forget_settings()
        try:
            assert [self.post(client, email=f"r{number}@example.org").status_code for number in range(2)] == [200, 429]
        finally:
            monkeypatch.undo()
            forget_settings()
        assert letters(session) == 1


class TestQuestions:
    @pytest.fixture(autouse=True)
    def asking(self, session: Session, scene: Scene) -> None:
        rank = {"key": "rank", "label": "职级", "kind": "choice", "choices": ["处长", "科长"]}
        staff = {"key": "staff", "label": "人数", "kind": "number", "is_required": True}
        newsletters.change_list(session, scene.weekly, required_attributes=[rank, staff])
        session.commit()

    def waiting(self, session: Session) -> dict[str, str]:
        session.rollback()
        return session.scalars(select(Subscription)).one().answers

    def test_a_program_is_told_what_is_asked_and_its_answers_wait(self, session: Session, client: FlaskClient) -> None:
        [weekly, express] = ask(client)["lists"]  # type: ignore[misc]
        assert express["questions"] == []
        assert weekly["questions"] == [
            {"key": "rank", "label": "职级", "kind": "choice", "choices": ["处长", "科长"], "is_required": False},
            {"key": "staff", "label": "人数", "kind": "number", "choices": [], "is_required": True},
        ]
        assert sign_up(client, answers={"rank": "科长", "staff": 12}).status_code == 202
        assert self.waiting(session) == {"rank": "科长", "staff": "12"}

    @pytest.mark.parametrize(
        ("answers", "field"),
        [
            (None, "answers.staff"),
            ({"staff": "12", "rank": "x"}, "answers.rank"),
            ({"staff": ["12"]}, "staff"),
            (["12"], "answers"),
            ({"staff": True}, "staff"),
        ],
    )
    def test_what_cannot_be_is_told_with_its_question(
        self, session: Session, client: FlaskClient, answers: object, field: str
    ) -> None:
        answer = sign_up(client, answers=answers)
        assert (answer.status_code, answer.get_json()["field"]) == (422, field)
        assert letters(session) == 0

    def test_a_form_on_another_site_asks_as_well(self, session: Session, client: FlaskClient) -> None:
        data = {"email": "ann@example.org", "list": "weekly", "agree": "yes", "attribute-staff": "１２"}
        post = {"headers": {"Origin": SITE, "Accept-Language": "en"}}
        old = client.post("/api/newsletters/tech/form", data=data | {"attribute-staff": ""}, **post)
        assert old.status_code == 422
        assert "Please answer “人数”." in old.get_data(as_text=True)
        assert client.post("/api/newsletters/tech/form", data=data, **post).status_code == 200
        assert self.waiting(session) == {"staff": "12"}
