import email
import email.policy
from email.message import EmailMessage
from typing import Any

import lxml.html
import pytest

from mailer.errors import CompositionError
from mailer.press.letters import KINDS, compose_letter
from mailer.press.message import Sender
from tests.press.samples import DATE

SENDER = Sender(sender_name="水利信息摘编", sender_address="bulletin@example.org", reply_to="editors@example.org")
PARAMETERS: dict[str, dict[str, Any]] = {
    "confirm": {
        "newsletter": "水利信息摘编",
        "lists": ["全文版", "要目版"],
        "confirm_url": "https://news.example.org/confirm/token",
        "expires_days": 7,
    },
    "welcome": {
        "newsletter": "水利信息摘编",
        "lists": ["全文版"],
        "preferences_url": "https://news.example.org/preferences/token",
        "unsubscribe_url": "https://news.example.org/u/token",
        "latest_issue": {"title": "2025年第7期", "url": "https://news.example.org/n/water/issues/7"},
    },
    "invite": {
        "inviter": "王小明",
        "name": "李雷",
        "url": "https://news.example.org/account/invite/token",
        "hours": 72,
        "service": "Mailer",
    },
    "reset": {"name": "李雷", "url": "https://news.example.org/account/reset/token", "hours": 1},
    "notice": {
        "subject": "发送已暂停",
        "lines": ["中继拒绝了所有收件人。", "请检查设置。"],
        "url": "https://news.example.org/desk/mailings/1",
    },
}


def compose(kind: str, locale: str = "zh_CN", sender: Sender = SENDER, **changes: Any) -> EmailMessage:
    raw = compose_letter(
        kind, locale, {**PARAMETERS[kind], **changes}, sender, "lilei@example.com", "9@example.org", DATE
    )
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    return email.message_from_bytes(raw, policy=email.policy.default)  # type: ignore[return-value]


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content()  # type: ignore[no-any-return]


def urls_of(parameters: dict[str, Any]) -> list[str]:
    return [value for name, value in parameters.items() if name.endswith("url")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_every_letter_carries_its_links_in_both_parts(kind: str, locale: str) -> None:
    message = compose(kind, locale)
    page = lxml.html.document_fromstring(part(message, "html"))
    for address in urls_of(PARAMETERS[kind]):
        assert address in part(message, "plain").splitlines()
        assert address in [anchor.get("href") for anchor in page.iter("a")]
    assert page.get("lang") == {"zh_CN": "zh-CN", "en": "en"}[locale]
    assert len(page.xpath("//h1")) == 1
    assert "style=" in part(message, "html")
    assert "{{" not in part(message, "html") + part(message, "plain")


@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_is_automatic_and_of_no_list(kind: str) -> None:
    message = compose(kind)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"
    assert message["From"].addresses[0].display_name == "水利信息摘编"
    assert message["Reply-To"] == "editors@example.org"
    assert message["To"] == "lilei@example.com"
    assert message["Message-ID"] == "<9@example.org>"
    for name in ("List-Unsubscribe", "List-Id", "Precedence", "Feedback-ID"):
        assert message[name] is None


@pytest.mark.parametrize(
    ("kind", "chinese", "english"),
    [
        ("confirm", "请确认订阅《水利信息摘编》", "Please confirm your subscription to 水利信息摘编"),
        ("welcome", "您已订阅《水利信息摘编》", "You are subscribed to 水利信息摘编"),
        ("invite", "王小明 邀请您使用 Mailer", "王小明 invites you to Mailer"),
        ("reset", "重新设置密码", "Set a new password"),
        ("notice", "发送已暂停", "发送已暂停"),
    ],
)
def test_subjects_speak_the_readers_language(kind: str, chinese: str, english: str) -> None:
    assert compose(kind)["Subject"] == chinese
    assert compose(kind, "en")["Subject"] == english


def test_a_locale_we_do_not_have_is_answered_in_chinese() -> None:
    assert compose("reset", "fr")["Subject"] == "重新设置密码"


def test_what_may_be_left_out_leaves_no_trace() -> None:
    welcome = compose("welcome", latest_issue=None, unsubscribe_url=None)
    assert "最新一期" not in part(welcome, "plain")
    assert "None" not in part(welcome, "html")
    assert "打开页面" not in part(compose("notice", url=None), "html")
    assert part(compose("reset", name=""), "plain").startswith("您好：")


def test_one_day_is_not_days() -> None:
    assert "The link works for 1 day." in part(compose("confirm", "en", expires_days=1), "plain")
    assert "for 2 hours." in part(compose("invite", "en", hours=2), "plain")


def test_values_are_never_markup() -> None:
    html = part(compose("invite", name="<b>李</b>", inviter="<script>x</script>"), "html")
    assert "<script" not in html
    assert "&lt;b&gt;李&lt;/b&gt;" in html


def test_a_line_break_in_a_subject_cannot_begin_a_header() -> None:
    message = compose("notice", subject="暂停\r\nBcc: x@example.org")
    assert message["Subject"] == "暂停 Bcc: x@example.org"
    assert message["Bcc"] is None


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(CompositionError, match="confirm_url"):
        compose_letter(
            "confirm", "en", {"newsletter": "a", "lists": []}, SENDER, "a@example.org", "9@example.org", DATE
        )


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(CompositionError):
        compose_letter("../bulletin", "en", {}, SENDER, "a@example.org", "9@example.org", DATE)


def test_a_sender_with_a_line_break_is_refused() -> None:
    with pytest.raises(CompositionError):
        compose("reset", sender=Sender(sender_name="a\r\nBcc: b@example.org", sender_address="a@example.org"))
