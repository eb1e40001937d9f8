import re

import pytest
from flask import Flask
from sqlalchemy import select

from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.letters.models import Letter
from tests.web.conftest import PASSWORD, Visitor

NEW_PASSWORD = "another four quiet words"


@pytest.fixture
def li(make_account) -> Account:
    return make_account("li", Role.EDITOR)


def letter(session) -> Letter | None:
    session.expire_all()
    session.rollback()
    return session.scalars(select(Letter).order_by(Letter.id.desc())).first()


def path_of(found: Letter) -> str:
    return found.parameters["url"].removeprefix("http://127.0.0.1:8000")


def acts(session) -> list[str]:
    session.rollback()
    return [entry.action for entry in list_audit_entries(session, AuditFilter())]


# ---- signing in and out ---------------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_desk(visitor, li):
    page = visitor.sign_in(li)
    assert page.status == 200
    assert page.path == "/desk/"


def test_signing_in_leads_to_the_page_that_was_wanted(visitor, li):
    refused = visitor.get("/account/profile?x=1")
    assert refused.path == "/account/sign-in"
    page = visitor.submit(refused.response.request.full_path, {"email": li.email, "password": PASSWORD})
    assert page.response.request.full_path == "/account/profile?x=1"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil",
        "/\u2028x",
        "",
    ],
)
def test_signing_in_never_leads_elsewhere(app, li, wanted):
    client = Visitor(app).client
    form = client.get("/account/sign-in", query_string={"next": wanted})
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)[1]
    answer = client.post(
        "/account/sign-in",
        query_string={"next": wanted},
        data={"email": li.email, "password": PASSWORD, "csrf_token": token},
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/desk/"


@pytest.mark.parametrize(("email", "password"), [("li@example.org", "wrong"), ("nobody@example.org", PASSWORD)])
def test_a_failed_sign_in_does_not_say_what_was_wrong(visitor, li, email, password):
    page = visitor.submit("/account/sign-in", {"email": email, "password": password})
    assert page.status == 422
    assert "Address or password is wrong" in page.text
    assert visitor.get("/account/profile").path == "/account/sign-in"


def test_empty_fields_are_named(visitor):
    page = visitor.submit("/account/sign-in", {"email": " ", "password": ""})
    assert page.status == 422
    assert page.errors() == {"email": "Please fill this in.", "password": "Please fill this in."}


def test_the_sign_in_is_recorded_with_the_place(visitor, li, session):
    visitor.submit("/account/sign-in", {"email": li.email, "password": "wrong"})
    visitor.sign_in(li)
    session.rollback()
    entries = list_audit_entries(session, AuditFilter())
    assert [entry.action for entry in entries] == ["account.signed_in", "account.sign_in_failed"]
    assert {entry.ip for entry in entries} == {"127.0.0.1"}


def test_signing_out_ends_the_session_and_needs_a_token(visitor, li, session):
    visitor.sign_in(li)
    refused = visitor.client.post("/account/sign-out")
    assert refused.status_code == 400
    page = visitor.submit("/account/profile", action="/account/sign-out")
    assert "You are signed out" in page.text
    assert visitor.get("/account/profile").path == "/account/sign-in"
    assert acts(session)[0] == "account.signed_out"


def test_a_form_without_its_token_is_refused(visitor, li):
    answer = visitor.client.post("/account/sign-in", data={"email": li.email, "password": PASSWORD})
    assert answer.status_code == 400


def test_a_disabled_account_is_out_at_its_next_click(visitor, li, session):
    visitor.sign_in(li)
    assert visitor.get("/account/profile").path == "/account/profile"
    li.state = AccountState.DISABLED
    session.commit()
    assert visitor.get("/account/profile").path == "/account/sign-in"


def test_the_session_cookie_is_kept_from_scripts(visitor, li):
    visitor.sign_in(li)
    cookie = visitor.client.get_cookie("mailer")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.expires is not None or cookie.max_age is not None


# ---- throttling -----------------------------------------------------------------------------------------------------


def fail(visitor: Visitor, email: str, times: int, password: str = "wrong") -> list[int]:
    return [visitor.submit("/account/sign-in", {"email": email, "password": password}).status for _ in range(times)]


def test_the_eleventh_wrong_password_is_not_even_tried(visitor, li, make_account):
    assert set(fail(visitor, li.email, 10)) == {422}
    # Not even the right one: a guesser must not learn that it was.
    assert visitor.sign_in(li).status == 429
    assert visitor.submit("/account/sign-in", {"email": " LI@example.org", "password": PASSWORD}).status == 429
    # Another account is not touched by that.
    assert visitor.sign_in(make_account("wang", Role.EDITOR)).status == 200


def test_a_stranger_cannot_lock_somebody_out_from_elsewhere(app, li):
    stranger, holder = Visitor(app), Visitor(app)
    stranger.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    fail(stranger, li.email, 10)
    assert stranger.sign_in(li).status == 429
    assert holder.sign_in(li).status == 200


def test_successful_sign_ins_are_not_counted_against_anybody(visitor, li):
    for _ in range(12):
        assert visitor.sign_in(li).status == 200
        visitor.submit("/account/profile", action="/account/sign-out")


def test_sign_ins_from_one_place_are_limited_whatever_the_address(visitor):
    statuses = [
        visitor.submit("/account/sign-in", {"email": f"{n}@example.org", "password": ""}).status for n in range(31)
    ]
    assert statuses == [422] * 30 + [429]


def test_sign_in_is_limited_even_while_redis_is_away(li, monkeypatch, own_app):
    """The limits live in the process then; nobody is let in unthrottled, and nobody is shut out."""
    from tests.conftest import forget_settings

    monkeypatch.setenv("MAILER_REDIS_URL", "redis://127.0.0.1:1/0")
    forget_settings()
    app = own_app()
    visitor = Visitor(app)
    assert set(fail(visitor, li.email, 10)) == {422}
    assert visitor.sign_in(li).status == 429
    other = Visitor(app)
    other.client.environ_base["REMOTE_ADDR"] = "192.0.2.8"
    assert other.sign_in(li).status == 200


# ---- invitation and forgotten password ------------------------------------------------------------------------------


def test_a_forgotten_password_is_set_anew_by_the_letters_link(visitor, li, session, app):
    page = visitor.submit("/account/forgotten", {"email": "LI@example.org "})
    assert "a letter is on its way" in page.text
    link = path_of(letter(session))
    assert link.startswith("/account/reset/")
    page = visitor.submit(link, {"password": NEW_PASSWORD, "repeated": NEW_PASSWORD})
    assert page.path == "/desk/"
    assert "you are signed in" in page.text
    assert Visitor(app).sign_in(li, NEW_PASSWORD).path == "/desk/"
    assert Visitor(app).sign_in(li).status == 422


def test_resetting_signs_out_everywhere_else(app, li, session, visitor):
    elsewhere = Visitor(app)
    elsewhere.sign_in(li)
    visitor.submit("/account/forgotten", {"email": li.email})
    visitor.submit(path_of(letter(session)), {"password": NEW_PASSWORD, "repeated": NEW_PASSWORD})
    assert elsewhere.get("/account/profile").path == "/account/sign-in"


def test_the_answer_is_the_same_for_a_stranger(visitor, li, session):
    known = visitor.submit("/account/forgotten", {"email": "li@example.org"})
    unknown = visitor.submit("/account/forgotten", {"email": "no@example.org"})
    assert known.text.replace("li@", "no@") == unknown.text
    assert known.status == unknown.status == 200
    session.rollback()
    assert len(session.scalars(select(Letter)).all()) == 1


def test_letters_to_one_address_are_limited(visitor, li, session):
    statuses = [visitor.submit("/account/forgotten", {"email": li.email}).status for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_looking_at_a_link_does_not_use_it(visitor, li, session):
    visitor.submit("/account/forgotten", {"email": li.email})
    link = path_of(letter(session))
    for _ in range(3):
        assert visitor.get(link).status == 200
    assert visitor.submit(link, {"password": NEW_PASSWORD, "repeated": NEW_PASSWORD}).path == "/desk/"
    assert visitor.get(link).status == 404


@pytest.mark.parametrize(
    ("password", "repeated", "field", "words"),
    [
        ("short", "short", "password", "at least 10"),
        ("li@example.org", "li@example.org", "password", "too easy"),
        ("password123", "password123", "password", "first to be guessed"),
        (NEW_PASSWORD, "something else", "repeated", "not the same"),
        (NEW_PASSWORD, "", "repeated", "fill this in"),
    ],
)
def test_a_password_that_will_not_do_is_said_beside_its_field(visitor, li, session, password, repeated, field, words):
    visitor.submit("/account/forgotten", {"email": li.email})
    link = path_of(letter(session))
    page = visitor.submit(link, {"password": password, "repeated": repeated})
    assert page.status == 422
    assert words in page.errors()[field]
    assert page.path == link


@pytest.mark.parametrize("token", ["x", "AAAAAAAAAAAAAAAAAAAAAAAA", "%00", "a" * 3000])
@pytest.mark.parametrize("purpose", ["invite", "reset"])
def test_a_link_that_is_not_ours_shows_nothing(visitor, purpose, token):
    assert visitor.get(f"/account/{purpose}/{token}").status == 404


# ---- profile --------------------------------------------------------------------------------------------------------


def test_name_and_language_are_changed_and_the_page_follows(visitor, li, session):
    visitor.sign_in(li)
    visitor.get("/account/profile?lang=en")
    page = visitor.submit("/account/profile", {"name": " 李  伟 ", "locale": "zh_CN"}, action="/account/profile")
    session.refresh(li)
    assert (li.name, li.locale) == ("李 伟", "zh_CN")
    # The language just chosen wins over the one picked for this browser before.
    assert page.tree.get("lang") == "zh-Hans-CN" or page.tree.get("lang").startswith("zh")


def test_an_empty_name_is_refused(visitor, li):
    visitor.sign_in(li)
    page = visitor.submit("/account/profile", {"name": "  "}, action="/account/profile")
    assert page.status == 422
    assert "name" in page.errors()


def test_changing_the_password_keeps_this_browser_and_ends_the_others(app, visitor, li):
    elsewhere = Visitor(app)
    elsewhere.sign_in(li)
    visitor.sign_in(li)
    page = visitor.submit(
        "/account/profile",
        {"current": PASSWORD, "password": NEW_PASSWORD, "repeated": NEW_PASSWORD},
        action="/account/password",
    )
    assert "Your password is changed" in page.text
    assert visitor.get("/account/profile").path == "/account/profile"
    assert elsewhere.get("/account/profile").path == "/account/sign-in"


def test_a_wrong_present_password_is_said_and_not_guessed_for_long(visitor, li):
    visitor.sign_in(li)
    wanted = {"current": "wrong", "password": NEW_PASSWORD, "repeated": NEW_PASSWORD}
    pages = [visitor.submit("/account/profile", wanted, action="/account/password") for _ in range(11)]
    assert "not your present password" in pages[0].errors()["current"]
    assert [page.status for page in pages] == [422] * 10 + [429]


@pytest.mark.parametrize("address", ["/account/profile"])
def test_a_profile_is_only_for_those_who_are_signed_in(visitor, address):
    assert visitor.get(address).path == "/account/sign-in"


def test_the_account_pages_speak_chinese(app: Flask, li):
    visitor = Visitor(app, language="zh-CN")
    page = visitor.get("/account/sign-in")
    assert page.heading == "登录"
    refused = visitor.submit("/account/sign-in", {"email": "", "password": ""})
    assert refused.errors()["email"] == "请填写此项。"
