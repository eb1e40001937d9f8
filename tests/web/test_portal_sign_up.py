"""Signing up and confirming, in a browser without script."""

import re
import time

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links, newsletters
from mailer.audience import admission, entrance
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.db import now
from mailer.letters.models import Letter
from mailer.web import stamps
from tests.conftest import forget_settings
from tests.web.conftest import Page, Visitor
from tests.web.portal_scene import WORDING_ZH, Scene, send_issue, set_scene


@pytest.fixture
def scene(session: Session) -> Scene:
    return set_scene(session)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are quicker than people; what is too quick has tests of its own."""
    monkeypatch.setattr(entrance, "LEAST_SECONDS", 0.0)


def fill_in(visitor: Visitor, scene: Scene, **values: object) -> Page:
    data: dict[str, object] = {"email": "Ann＠example．org", "agree": "y", "lists": [str(scene.weekly.id)]}
    return visitor.submit("/n/tech/subscribe", data | values)


def letters(session: Session) -> list[Letter]:
    session.expire_all()
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def state(session: Session) -> list[str]:
    session.expire_all()
    return [str(each) for each in session.scalars(select(Subscription.state).order_by(Subscription.list_id))]


@pytest.mark.usefixtures("patient")
def test_from_the_newsletters_page_to_a_confirmed_subscription(session: Session, app: Flask, scene: Scene) -> None:
    visitor = Visitor(app, language="zh-CN")
    home = visitor.get("/")
    assert "科技参考" in home.text
    newsletter = visitor.get("/n/tech/")
    assert newsletter.heading == "科技参考"
    page = visitor.submit(
        "/n/tech/",
        {"email": "Ann＠example．org", "name": "安娜", "agree": "y", "lists": [str(scene.weekly.id)]},
        action="/n/tech/subscribe",
    )
    assert (page.status, page.path, page.heading) == (200, "/subscribe/sent", "请查收邮件")
    assert "Ann@example.org" in page.text
    [letter] = letters(session)
    assert (letter.kind, letter.locale, letter.address) == ("confirm", "zh_CN", "Ann@example.org")
    proof = session.scalars(select(Consent)).one()
    assert proof.wording == WORDING_ZH
    address = letter.parameters["confirm_url"].removeprefix("http://127.0.0.1:8000")
    assert visitor.get(address).heading == "请确认订阅"
    assert state(session) == ["unconfirmed"]
    confirmed = visitor.submit(address)
    assert (confirmed.status, confirmed.heading) == (200, "订阅成功")
    assert state(session) == ["confirmed"]
    assert visitor.get(address).heading == "订阅成功"


@pytest.mark.usefixtures("patient")
def test_the_answer_is_the_same_whether_the_address_is_new_known_or_subscribed(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    answers = []
    for email in ("new@example.org", "known@example.org", "known@example.org", "reader@example.org"):
        if email == "reader@example.org":
            reader = Subscriber(email=email, email_key=email, domain="example.org")
            reader.subscriptions.append(
                Subscription(list_id=scene.weekly.id, state=SubscriptionState.CONFIRMED, source="test")
            )
            session.add(reader)
            session.commit()
        page = fill_in(visitor, scene, email=email)
        answers.append((page.status, page.path, page.text.replace(email, "…"), dict(page.response.headers).keys()))
    assert all(answer == answers[0] for answer in answers)
    assert [letter.kind for letter in letters(session)] == ["confirm", "confirm", "confirm", "notice"]


@pytest.mark.usefixtures("patient")
def test_several_newsletters_are_joined_with_one_form_and_one_letter(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    page = visitor.get(f"/subscribe?list={scene.letter.id}")
    ticked = [box.get("value") for box in page.tree.xpath("//input[@name='lists']") if box.get("checked") is not None]
    assert ticked == [str(scene.letter.id)]
    assert "内部" not in page.text
    wanted = [str(scene.weekly.id), str(scene.letter.id)]
    visitor.submit("/subscribe", {"email": "ann@example.org", "agree": "y", "lists": wanted})
    [letter] = letters(session)
    assert letter.parameters["lists"] == ["科技参考 · 周报", "Harbour Letter · Letter"]
    assert letter.locale == "en"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"email": ""}, "email", "Please enter an email address."),
        ({"email": "ann"}, "email", "needs an “@”"),
        ({"email": "ann@localhost"}, "email", "not a valid email address"),
        ({"agree": []}, "agree", "Please tick this box"),
        ({"lists": []}, "lists", "Please choose at least one list."),
        ({"lists": ["99999"]}, "lists", "Please choose at least one list."),
        ({"lists": ["x"]}, "lists", ""),
        ({"name": "x" * 121}, "name", "At most 120"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
    session: Session, visitor: Visitor, scene: Scene, wrong: dict[str, object], field: str, says: str
) -> None:
    page = fill_in(visitor, scene, **({"name": "Ann"} | wrong))
    assert page.status == 422
    assert says in page.errors()[field]
    if field != "email":
        assert page.tree.get_element_by_id("email").value == "Ann＠example．org"
    assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.usefixtures("patient")
def test_everything_that_is_wrong_is_said_at_once_with_links_to_it(visitor: Visitor, scene: Scene) -> None:
    page = fill_in(visitor, scene, email="ann", lists=[], agree="")
    assert {"email", "lists", "agree"} <= page.errors().keys()
    [alert] = page.tree.xpath("//*[@role='alert']")
    targets = [href.removeprefix("#") for href in alert.xpath(".//a/@href")]
    assert targets == ["lists", "email", "agree"]
    assert all(page.tree.get_element_by_id(each) is not None for each in targets)


@pytest.mark.usefixtures("patient")
def test_a_private_list_cannot_be_joined_by_its_number(session: Session, visitor: Visitor, scene: Scene) -> None:
    assert fill_in(visitor, scene, lists=[str(scene.board.id)]).status == 422
    assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.usefixtures("patient")
def test_a_robot_that_fills_the_trap_gets_the_same_answer_and_nothing_else(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    page = fill_in(visitor, scene, website="https://casino.example")
    assert (page.status, page.path) == (200, "/subscribe/sent")
    assert session.scalars(select(Subscriber)).all() == []
    assert letters(session) == []


def test_who_is_quicker_than_a_person_is_asked_once_more(session: Session, visitor: Visitor, scene: Scene) -> None:
    page = fill_in(visitor, scene)
    assert page.status == 422
    assert "That was very quick" in page.text
    assert letters(session) == []
    assert fill_in(visitor, scene, stamp="forged").status == 422
    assert fill_in(visitor, scene, stamp=stamps.make_stamp(time.time() - 10)).path == "/subscribe/sent"
    assert len(letters(session)) == 1


def test_a_form_from_elsewhere_is_refused(session: Session, app: Flask, scene: Scene) -> None:
    answer = app.test_client().post(
        "/subscribe", data={"email": "ann@example.org", "agree": "y", "lists": scene.weekly.id}
    )
    assert answer.status_code == 400
    assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.usefixtures("patient")
def test_many_sign_ups_from_one_network_address_are_slowed_down(visitor: Visitor, scene: Scene) -> None:
    statuses = [fill_in(visitor, scene, email=f"r{number}@example.org").status for number in range(11)]
    assert statuses == [200] * 10 + [429]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("has_issue", [False, True])
def test_past_issues_are_offered_to_who_has_confirmed_where_there_are_some(
    session: Session, visitor: Visitor, scene: Scene, has_issue: bool
) -> None:
    if has_issue:
        send_issue(session, scene.tech)
    fill_in(visitor, scene)
    page = visitor.submit(letters(session)[0].parameters["confirm_url"], {})
    assert page.heading == "You are subscribed"
    assert ("Read past issues" in page.text) == has_issue


@pytest.mark.usefixtures("patient")
def test_a_scanner_that_opens_the_confirmation_link_confirms_nothing(
    session: Session, app: Flask, visitor: Visitor, scene: Scene
) -> None:
    fill_in(visitor, scene)
    address = letters(session)[0].parameters["confirm_url"].removeprefix("http://127.0.0.1:8000")
    scanner = app.test_client()
    for _ in range(3):
        assert scanner.get(address).status_code == 200
        assert scanner.head(address).status_code == 200
    assert state(session) == ["unconfirmed"]


@pytest.mark.usefixtures("patient")
def test_an_expired_link_says_so_and_offers_a_new_letter(session: Session, visitor: Visitor, scene: Scene) -> None:
    fill_in(visitor, scene)
    reader = session.scalars(select(Subscriber)).one()
    address = f"/confirm/{links.make_confirm_token(reader.id, [scene.weekly.id], days=-1)}"
    page = visitor.get(address)
    assert (page.status, page.heading) == (410, "This link has done its work")
    assert visitor.client.post(address).status_code == 410
    again = visitor.submit(address)
    assert (again.status, again.heading) == (200, "Please look in your mailbox")
    assert [letter.kind for letter in letters(session)] == ["confirm", "confirm"]
    # What was shown the second time was a button, not the form's sentence.
    assert session.scalars(select(Consent.wording).order_by(Consent.id.desc())).first() == "Send me a new letter"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "I agree to receive “Harbour Letter” at this address"),
        ("zh-CN", "我同意通过上述邮箱接收《Harbour Letter》"),
    ],
)
def test_a_form_with_one_list_names_it_and_keeps_the_very_sentence(
    session: Session, app: Flask, scene: Scene, language: str, sentence: str
) -> None:
    visitor = Visitor(app, language=language)
    assert sentence in visitor.get("/n/harbour/subscribe").text
    assert sentence not in visitor.get("/n/tech/subscribe").text
    visitor.submit("/n/harbour/subscribe", {"email": "ann@example.org", "agree": "y", "lists": [str(scene.letter.id)]})
    [proof] = session.scalars(select(Consent)).all()
    assert proof.wording.startswith(sentence)


def test_an_expired_link_whose_sign_up_was_deleted_leads_to_the_form(visitor: Visitor, scene: Scene) -> None:
    address = f"/confirm/{links.make_confirm_token(4711, [scene.weekly.id, scene.letter.id], days=-1)}"
    page = visitor.submit(address)
    assert page.status == 410
    [again] = [a.get("href") for a in page.tree.xpath("//main//a") if "subscribe" in a.get("href")]
    assert again == f"/subscribe?list={scene.weekly.id}&list={scene.letter.id}"


def test_a_forged_confirmation_link_is_nothing_here(app: Flask, scene: Scene) -> None:
    for bad in ("/confirm/x", "/confirm/x/again"):
        assert app.test_client().post(bad).status_code == 404
    assert app.test_client().get("/confirm/x").status_code == 404


def test_a_newsletter_that_appears_no_more_takes_no_sign_ups(session: Session, visitor: Visitor, scene: Scene) -> None:
    newsletters.archive_newsletter(session, scene.tech, at=now(session))
    session.commit()
    page = visitor.get("/n/tech/")
    assert "appears no more" in page.text
    assert page.tree.xpath("//input[@name='email']") == []
    assert "科技参考" not in visitor.get("/").text
    assert "nothing to subscribe to" in visitor.get("/n/tech/subscribe").text


def test_a_newsletter_for_the_invited_says_so(session: Session, visitor: Visitor, scene: Scene) -> None:
    newsletters.archive_list(session, scene.letter, at=now(session))
    newsletters.create_list(session, scene.harbour, slug="crew", name="Crew", visibility="private")
    session.commit()
    page = visitor.get("/n/harbour/")
    assert "readers who are invited" in page.text
    assert "Crew" not in page.text
    assert "Harbour" not in visitor.get("/").text


def test_the_empty_house_says_so(visitor: Visitor) -> None:
    assert "Nothing is published here yet" in visitor.get("/").text
    assert "nothing to subscribe to" in visitor.get("/subscribe").text
    assert visitor.get("/subscribe/sent").path == "/"
    assert visitor.get("/n/none/").status == 404
    assert visitor.get("/n/none/subscribe").status == 404


def test_the_language_is_chosen_by_link_and_remembered(app: Flask, scene: Scene) -> None:
    visitor = Visitor(app, language="zh-CN")
    assert visitor.get("/privacy").heading == "隐私说明"
    assert visitor.get("/privacy?lang=en").heading == "Privacy notice"
    assert visitor.get("/").heading == "Newsletters"


def test_the_privacy_notice_names_who_is_responsible(visitor: Visitor, scene: Scene) -> None:
    text = visitor.get("/privacy").text
    assert "某市科技局" in text
    assert "某市某路1号" in text
    assert re.search(r"not confirmed is deleted after 7 days", text)
    assert "(network address and browser) is deleted after 3 years." in text


def test_the_privacy_notice_counts_in_days_what_is_no_whole_year(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_CONSENT_TRACE_DAYS", "400")
    forget_settings()
    assert "(network address and browser) is deleted after 400 days." in visitor.get("/privacy").text


def test_no_page_for_readers_needs_script_style_or_a_foreign_host(app: Flask, session: Session, scene: Scene) -> None:
    token = links.make_preferences_token(1)
    pages = ["/", "/n/tech/", "/subscribe", "/privacy", f"/preferences/{token}", "/n/none/"]
    for address in pages:
        page = Visitor(app).get(address)
        assert page.tree.xpath("//*[@style] | //script[not(@src)] | //style | //*[@onclick]") == []
        for reference in page.tree.xpath("//@src | //link/@href"):
            assert str(reference).startswith("/") or str(reference).startswith("http://127.0.0.1:8000/")


@pytest.mark.usefixtures("patient")
def test_a_slip_of_the_finger_is_asked_about_and_stops_nothing(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    page = fill_in(visitor, scene, email="ann@gmial.com")
    assert (page.path, len(letters(session))) == ("/subscribe/sent", 1)
    assert "Did you mean ann@gmail.com?" in page.text
    [link] = [a.get("href") for a in page.tree.xpath("//main//a") if "suggested" in a.get("href")]
    assert visitor.get(link).tree.get_element_by_id("email").value == "ann@gmail.com"
    assert link.startswith("/n/tech/subscribe?list="), "back to the same form, the same lists ticked"
    ticked = visitor.get(link).tree.xpath("//input[@name='lists'][@checked]/@value")
    assert [int(each) for each in ticked] == [scene.weekly.id]
    assert "Did you mean" not in fill_in(visitor, scene, email="ann@gmail.com").text


@pytest.mark.usefixtures("patient")
def test_too_many_from_one_network_are_told_so_whoever_they_name(
    session: Session, visitor: Visitor, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_SIGN_UPS_PER_IP", "1")
    forget_settings()
    try:
        assert fill_in(visitor, scene).status == 200
        for email in ("ann@example.org", "bob@example.org"):
            refused = fill_in(visitor, scene, email=email)
            assert refused.status == 422
            assert "Too many sign-ups came from your network" in refused.text
    finally:
        monkeypatch.undo()
        forget_settings()
    assert len(letters(session)) == 1


def test_work_is_asked_for_under_pressure_only(
    visitor: Visitor, scene: Scene, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in ("/n/tech/", "/subscribe"):
        assert visitor.get(address).tree.xpath("//altcha-widget") == []
    monkeypatch.setenv("MAILER_SIGN_UPS_PER_HOUR", "1")
    forget_settings()
    try:
        admission.admit(session, "192.0.2.1", has_proof=False)
        for address in ("/n/tech/", "/subscribe"):
            [widget] = visitor.get(address).tree.xpath("//altcha-widget")
            assert widget.get("challenge") == "/subscribe/challenge"
        assert visitor.client.get("/subscribe/challenge").get_json()["parameters"]["algorithm"] == "PBKDF2/SHA-256"
    finally:
        monkeypatch.undo()
        forget_settings()


def test_the_form_for_several_says_what_comes_and_from_whom(session: Session, visitor: Visitor, scene: Scene) -> None:
    newsletters.change_newsletter(session, scene.tech, frequency="每月一期")
    send_issue(session, scene.tech, number="3")
    text = visitor.get("/subscribe").text
    for told in ("某市科技局", "每月一期", "1 issue so far", "第3期"):
        assert told in text, told


ASKED = [
    {"key": "unit", "label": "单位", "is_required": True},
    {"key": "staff", "label": "人数", "kind": "number"},
    {"key": "since", "label": "成立日期", "kind": "date"},
    {"key": "rank", "label": "职级", "kind": "choice", "choices": ["处长", "科长"]},
]


@pytest.mark.usefixtures("patient")
def test_a_lists_questions_are_asked_checked_shown_before_confirming_and_kept(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    newsletters.change_list(session, scene.weekly, required_attributes=ASKED)
    session.commit()
    page = visitor.get("/n/tech/")
    assert page.tree.get_element_by_id("attribute-since").get("type") == "date"
    assert page.tree.get_element_by_id("attribute-staff").get("inputmode") == "decimal"
    assert page.tree.get_element_by_id("attribute-rank").value_options == ["", "处长", "科长"]
    assert "Asked for 科技参考 · 周报." in page.text
    missing = fill_in(visitor, scene, **{"attribute-staff": "7"})
    assert missing.status == 422
    assert missing.errors() == {"attribute-unit": "Please answer “单位”."}
    assert missing.tree.get_element_by_id("attribute-staff").value == "7"
    several = fill_in(visitor, scene, **{"email": "ann", "attribute-unit": "", "attribute-staff": "many"})
    assert several.errors().keys() == {"email", "attribute-unit", "attribute-staff"}, "all at once, not one by one"
    assert len(several.tree.xpath("//main//*[@role='alert']//a")) == 3
    other = fill_in(visitor, scene, **{"email": "ann", "lists": [str(scene.express.id)], "attribute-unit": ""})
    assert other.errors().keys() == {"email"}, "nothing is asked of who did not choose the list that asks"
    wrong = fill_in(visitor, scene, **{"attribute-unit": "研发处", "attribute-staff": "many"})
    assert wrong.errors()["attribute-staff"] == "“人数” asks for a number, such as 12 or 3.5."
    assert letters(session) == []
    good = {"attribute-unit": "研发处", "attribute-staff": "7", "attribute-rank": "科长", "attribute-since": ""}
    assert fill_in(visitor, scene, **good).path == "/subscribe/sent"
    url = letters(session)[0].parameters["confirm_url"].removeprefix("http://127.0.0.1:8000")
    confirming = visitor.get(url)
    assert "单位 研发处 人数 7 职级 科长" in confirming.text
    visitor.submit(url)
    session.expire_all()
    ann = session.scalars(select(Subscriber)).one()
    assert ann.attributes == {"unit": "研发处", "staff": "7", "rank": "科长"}
    settings = visitor.get(f"/preferences/{links.make_preferences_token(ann.id)}")
    assert settings.tree.get_element_by_id("attribute-rank").value == "科长"


@pytest.mark.usefixtures("patient")
def test_a_question_of_a_list_that_is_not_chosen_holds_nobody_up(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    newsletters.change_list(session, scene.weekly, required_attributes=ASKED)
    session.commit()
    page = fill_in(visitor, scene, lists=[str(scene.express.id)])
    assert page.path == "/subscribe/sent"


def test_the_sign_up_page_says_what_comes_how_often_and_who_answers(
    session: Session, visitor: Visitor, scene: Scene
) -> None:
    newsletters.change_list(session, scene.weekly, owner="li@example.org")
    newsletters.change_newsletter(session, scene.tech, frequency="每月一期")
    send_issue(session, scene.tech)
    told = visitor.get("/n/tech/subscribe").text
    for words in ("每月一期。", "How often 每月一期", "某市科技局", "某市某路1号", "Answers for 周报 li@example.org"):
        assert words in told, words
    assert "The latest issue: 2026" in told
    several = visitor.get("/subscribe").text
    for words in ("Who is responsible", "科技参考编辑部 <tech@example.org>", "Harbour <harbour@example.org>"):
        assert words in several, words
