"""Personal slots on their way: each reader's own attributes, the fallback for those who have told nothing."""

import email
import email.policy
from collections.abc import Callable

import pytest
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.event import listens_for, remove

from mailer.audience.models import Subscriber
from mailer.db import get_engine
from mailer.dispatch.preparing import prepare
from mailer.dispatch.sending import send
from mailer.newsroom.edition_models import Edition
from mailer.press.slots import PREFERENCES_URL, UNSUBSCRIBE_URL, own_slot, slot
from tests.dispatch.conftest import HTML, TEXT, House
from tests.dispatch.sink import Sink

Relay = Callable[[str], None]
GREETING = f"{own_slot('department', '贵单位')}的{own_slot('name', '朋友')}：{own_slot('city')}"


@pytest.fixture
def sink(relay: Relay) -> Sink:  # type: ignore[misc]
    with Sink() as sink:
        relay(sink.url)
        yield sink


def personal_edition(house: House) -> None:
    links = f'<a href="{slot(UNSUBSCRIBE_URL)}">退订</a><a href="{slot(PREFERENCES_URL)}">设置</a>'
    edition = Edition(
        issue_id=house.issue.id,
        ordinal=2,
        subject="科技情报参考 2026年第1期",
        theme="bulletin",
        language="zh_CN",
        html=f'<html lang="zh"><body><p>{GREETING}</p>{links}</body></html>',
        text=f"{GREETING}\n\n{slot(UNSUBSCRIBE_URL)}\n",
        content_hash="0" * 64,
    )
    house.session.add(edition)
    house.session.commit()
    house.edition = edition


def arrived(sink: Sink) -> dict[str, tuple[str, str]]:
    """Address -> (text, HTML) of what it got."""
    found = {}
    for each in sink.messages:
        message = email.message_from_bytes(each.content, policy=email.policy.default)
        text_part, html_part = message.get_body(("plain",)), message.get_body(("html",))  # type: ignore[attr-defined]
        found[each.recipients[0]] = (text_part.get_content(), html_part.get_content())
    return found


def test_each_reader_gets_what_they_have_told_and_else_the_fallback(house: House, sink: Sink, redis: str) -> None:
    told, _silent, nameless, erring = house.subscribe(4)
    house.session.get_one(Subscriber, told).attributes = {"department": "研究室 <甲>", "city": "呼和浩特", "x": 1}
    house.session.get_one(Subscriber, nameless).name = " "
    house.session.get_one(Subscriber, erring).attributes = {"department": ["a"], "city": True}
    house.session.commit()
    personal_edition(house)
    mailing = house.mailing(0)
    prepare(mailing.id)
    send(mailing.id)
    assert house.states(mailing) == {"accepted": 4}
    by_address = arrived(sink)
    assert by_address["R1@example.org"][0].startswith("研究室 <甲>的读者1：呼和浩特")
    assert "<p>研究室 &lt;甲&gt;的读者1：呼和浩特</p>" in by_address["R1@example.org"][1]
    assert by_address["R2@example.org"][0].splitlines()[0] == "贵单位的读者2："
    assert "<p>贵单位的朋友：</p>" in by_address["R3@example.org"][1]
    assert "<p>贵单位的读者4：</p>" in by_address["R4@example.org"][1]


@pytest.mark.parametrize("is_personal", [True, False])
def test_attributes_are_asked_for_only_where_a_slot_shows_them(
    house: House, sink: Sink, redis: str, is_personal: bool
) -> None:
    house.subscribe(3)
    if is_personal:
        personal_edition(house)
    else:
        assert "own-" not in HTML + TEXT
    mailing = house.mailing(0)
    prepare(mailing.id)
    asked: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if "subscribers.attributes" in statement:
            asked.append(statement)

    engine: Engine = get_engine()
    listens_for(engine, "before_cursor_execute")(note)
    try:
        send(mailing.id)
    finally:
        remove(engine, "before_cursor_execute", note)
    assert house.states(mailing) == {"accepted": 3}
    assert bool(asked) is is_personal
