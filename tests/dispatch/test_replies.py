import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.dispatch.replies import (
    NAMED,
    About,
    get_table,
    is_about_address,
    is_providers_limit,
    is_quota,
    judge,
    judge_silence,
    meaning,
    read_table,
)
from mailer.dispatch.rules import Outcome

STAGES = ("connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "content")

# What servers have been seen to say: step, code, text, and the class it is.
SEEN = [
    # QQ, Foxmail, Tencent Exmail
    ("content", 550, "Ip frequency limited. http://service.mail.qq.com/cgi-bin/help?no=1000725", "rate"),
    ("content", 550, "Domain frequency limited", "rate"),
    ("rcpt", 550, "Sender frequency limited.", "rate"),
    ("greeting", 550, "Connection frequency limited", "rate"),
    ("rcpt", 550, "Mailbox unavailable or access denied", "busy_recipient"),
    ("rcpt", 550, "Mailbox not found. http://service.exmail.qq.com/cgi-bin/help", "no_such_user"),
    ("content", 550, "Mail content denied. http://service.mail.qq.com", "content"),
    ("content", 550, "Suspected spam", "content"),
    ("content", 550, "Mail is rejected by recipients", "refused"),
    ("content", 550, "Connection denied", "policy"),
    ("content", 550, "DMARC check failed http://service.mail.qq.com", "authentication"),
    ("content", 550, "SPF check failed", "authentication"),
    # NetEase
    ("greeting", 421, "HL:REP 163 mx1,xyz", "policy"),
    ("greeting", 421, "HL:ICC 163 mx1,xyz", "connections"),
    ("greeting", 421, "HL:IFC 163 mx1,xyz", "rate"),
    ("greeting", 554, "HL:ITC 163 mx1", "quota"),
    ("rcpt", 550, "RP:ORQ 163 mx9", "quota"),
    ("mail", 450, "MI:DMC 163 mx1", "rate"),
    ("mail", 451, "MI:DMC 163 mx1", "rate"),
    ("mail", 451, "MI:SFQ 163 mx1", "rate"),
    ("rcpt", 450, "RP:DRC 163 mx1", "rate"),
    ("content", 554, "DT:SPM 163 mx30,xyz http://mail.163.com/help/help_spam_16.htm", "content"),
    ("content", 451, "DT:SPM ,please try again", "content"),
    ("mail", 550, "MI:SPF 163 mx4", "authentication"),
    ("rcpt", 550, "User not found: reader@example.org", "no_such_user"),
    ("rcpt", 550, "Invalid User: reader@example.org", "no_such_user"),
    ("rcpt", 550, "User suspended", "mailbox_disabled"),
    ("content", 552, "Requested mail action aborted: exceeded mailsize limit", "too_large"),
    # Google
    ("rcpt", 550, "5.1.1 The email account that you tried to reach does not exist. Please try", "no_such_user"),
    ("rcpt", 550, "5.2.1 The email account that you tried to reach is inactive.", "no_such_user"),
    ("rcpt", 552, "5.2.2 The recipient's inbox is out of storage space.", "mailbox_full"),
    ("rcpt", 450, "4.2.1 The user you are trying to contact is receiving mail at a rate that", "busy_recipient"),
    ("content", 550, "5.7.26 This mail has been blocked because the sender is unauthenticated.", "authentication"),
    (
        "content",
        550,
        "5.7.1 [192.0.2.1] Our system has detected that this message is\nlikely unsolicited mail.",
        "content",
    ),
    ("content", 421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail", "rate"),
    ("content", 550, "5.4.5 Daily user sending limit exceeded.", "quota"),
    # Outlook.com and Microsoft 365
    ("content", 550, "5.7.515 Access denied, sending domain example.org does not meet the required", "authentication"),
    ("rcpt", 550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", "protocol"),
    ("mail", 550, "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. S3140", "policy"),
    ("rcpt", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "no_such_user"),
    ("rcpt", 550, "5.4.1 Recipient address rejected: Access denied. [x.protection.outlook.com]", "refused"),
    ("mail", 451, "4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections.", "relay_busy"),
    ("content", 554, "5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException", "mailbox_full"),
    # Yahoo, iCloud
    ("mail", 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume", "rate"),
    ("content", 554, "5.7.9 Message not accepted for policy reasons.", "policy"),
    ("rcpt", 554, "delivery error: dd This user doesn't have a yahoo.com account (reader@example.org)", "no_such_user"),
    ("content", 550, "5.7.1 [CS01] Message rejected due to local policy.", "policy"),
    # Postfix, Exim, Sendmail, qmail and their like
    (
        "rcpt",
        550,
        "5.1.1 <r@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        "no_such_user",
    ),
    ("rcpt", 550, "Unrouteable address", "no_such_user"),
    ("rcpt", 550, "No such user here", "no_such_user"),
    ("rcpt", 554, "5.7.1 <r@example.org>: Relay access denied", "relay_access"),
    ("rcpt", 550, "relay not permitted", "relay_access"),
    ("rcpt", 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "relay_access"),
    ("mail", 530, "5.7.0 Authentication required", "relay_access"),
    ("auth", 535, "5.7.8 Error: authentication failed", "relay_access"),
    ("rcpt", 450, "4.2.0 <r@example.org>: Recipient address rejected: Greylisted, see http://postgrey", "greylist"),
    ("rcpt", 451, "Temporarily rejected. Try again in 5 minutes.", "greylist"),
    ("rcpt", 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "policy"),
    (
        "greeting",
        554,
        "Your access to this mail system has been rejected due to the sending MTA's poor reputation",
        "policy",
    ),
    ("rcpt", 450, "4.1.8 <b@example.org>: Sender address rejected: Domain not found", "sender"),
    ("mail", 553, "5.7.1 <b@example.org>: Sender address rejected: not owned by user", "sender"),
    ("rcpt", 550, "5.4.4 Host or domain name not found. Name service error for name=example.org", "no_such_domain"),
    ("rcpt", 556, "5.1.10 Recipient domain example.org has null MX", "no_such_domain"),
    ("rcpt", 452, "4.2.2 The email account that you tried to reach is over quota", "mailbox_full"),
    ("rcpt", 552, "5.2.2 Mailbox full", "mailbox_full"),
    ("content", 552, "5.3.4 Message size exceeds fixed limit", "too_large"),
    ("mail", 552, "5.3.4 Message size exceeds fixed maximum message size (10485760)", "too_large"),
    ("content", 552, "", "too_large"),
    ("content", 554, "5.7.1 Blocked by SpamAssassin", "content"),
    ("content", 451, "4.3.0 Error: queue file write error", "temporary"),
    ("mail", 452, "4.3.1 Insufficient system storage", "relay_busy"),
    ("mail", 451, "4.3.0 Temporary lookup failure", "relay_busy"),
    ("rcpt", 421, "4.3.2 Service shutting down", "temporary"),
    ("rcpt", 421, "4.7.0 Too many connections from your host", "rate"),
    ("rcpt", 551, "User not local; please try another", "unknown"),
    ("rcpt", 550, "5.6.7 SMTPUTF8 required", "unsupported"),
    ("rcpt", 501, "5.1.3 Bad recipient address syntax", "bad_address"),
    ("rcpt", 503, "5.5.1 Bad sequence of commands", "protocol"),
    ("rcpt", 550, "5.7.1 You are not allowed to post to this list", "refused"),
    ("content", 554, "Transaction failed", "unknown"),
]


def enhanced_of(text: str) -> str | None:
    first = text.split(" ", maxsplit=1)[0]
    return first if first[:2] in {"4.", "5."} else None


@pytest.mark.parametrize(("stage", "code", "text", "reply_class"), SEEN)
def test_what_servers_have_been_seen_to_say_is_understood(stage: str, code: int, text: str, reply_class: str) -> None:
    verdict = judge(stage, code, enhanced_of(text), text)
    assert verdict.reply_class == reply_class, verdict


@pytest.mark.parametrize(
    "text",
    [
        "Ip frequency limited",
        "Sender frequency limited",
        "Domain frequency limited",
        "Connection frequency limited",
        "Mailbox unavailable or access denied",
        "Mail content denied",
        "Suspected spam",
        "DT:SPM",
        "RP:ORQ",
        "HL:ITC",
        "5.7.26 unauthenticated",
        "5.7.515 Access denied",
    ],
)
@pytest.mark.parametrize("code", [550, 552, 554])
@pytest.mark.parametrize("stage", ["rcpt", "content"])
def test_a_5xx_that_is_not_about_the_address_never_suppresses_it(stage: str, code: int, text: str) -> None:
    assert not is_about_address(judge(stage, code, enhanced_of(text), text).reply_class)


@pytest.mark.parametrize(
    "text", ["", "exceeded storage allocation", "5.3.4 too big", "5.2.2 Mailbox full", "User unknown", "5.1.1 No"]
)
def test_552_never_suppresses(text: str) -> None:
    assert not is_about_address(judge("content", 552, enhanced_of(text), text).reply_class)


def test_rate_replies_wait_whatever_their_first_digit() -> None:
    for code in (421, 450, 550, 554):
        verdict = judge("content", code, None, "Ip frequency limited")
        assert (verdict.outcome, verdict.is_relay_fault) == (Outcome.DEFERRED, True)
        assert is_providers_limit(verdict.reply_class)


def test_a_daily_quota_is_told_from_a_rate() -> None:
    assert is_quota(judge("rcpt", 550, None, "RP:ORQ").reply_class)
    assert not is_quota(judge("rcpt", 550, None, "Ip frequency limited").reply_class)


def test_a_connection_that_is_used_up_is_told_from_a_provider_that_is_cross() -> None:
    assert judge("mail", 450, None, "MI:DMC 163").is_connection_used_up
    assert not judge("mail", 421, None, "HL:IFC 163").is_connection_used_up


@pytest.mark.parametrize("stage", STAGES)
def test_silence_is_nobodys_refusal(stage: str) -> None:
    verdict = judge_silence(stage)
    assert (verdict.outcome, verdict.is_relay_fault) == (Outcome.DEFERRED, True)
    assert not is_about_address(verdict.reply_class)


words = st.one_of(st.text(max_size=80), st.sampled_from([text for _, _, text, _ in SEEN]))
codes = st.integers(min_value=400, max_value=599)
statuses = st.one_of(
    st.none(), st.builds("{}.{}.{}".format, st.sampled_from("45"), st.integers(0, 7), st.integers(0, 60))
)


@given(st.sampled_from(STAGES), codes, statuses, words)
def test_no_reply_suppresses_that_is_not_about_the_address(
    stage: str, code: int, enhanced: str | None, text: str
) -> None:
    verdict = judge(stage, code, enhanced, text)
    found = get_table().classes[verdict.reply_class]
    if is_about_address(verdict.reply_class):
        assert found.about is About.ADDRESS
        assert stage in NAMED
        assert code != 552
    if code < 500:
        assert verdict.outcome is Outcome.DEFERRED
    if stage not in NAMED:
        assert found.about is not About.ADDRESS
    if verdict.is_relay_fault:
        assert verdict.outcome is Outcome.DEFERRED
        assert found.about in {About.PROVIDER, About.RELAY}


@given(st.integers(min_value=200, max_value=399), words)
def test_a_reply_that_is_no_refusal_is_a_conversation_gone_wrong(code: int, text: str) -> None:
    verdict = judge("rcpt", code, None, text)
    assert (verdict.reply_class, verdict.outcome) == ("protocol", Outcome.DEFERRED)


def test_long_hostile_text_is_judged_quickly() -> None:
    began = time.process_time()
    for text in ("a" * 1000, "user " * 200, "exceeds " * 125, "message size " * 77, " " * 1000, "mailbox is " * 90):
        judge("content", 550, None, text)
    assert time.process_time() - began < 2


# --- the table itself ---


def test_every_class_has_its_meaning_in_both_languages() -> None:
    for name, found in get_table().classes.items():
        assert meaning(name, "zh_CN") == found.zh
        assert meaning(name, "en") == found.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in found.zh)
        assert found.en.isascii()
        assert len(name) <= 32  # the column's width
    assert meaning("forgotten", "en") == "forgotten"


def test_every_class_that_code_names_is_in_the_table() -> None:
    named = {
        "accepted", "lost_reply", "journal", "withheld", "connection", "tls", "relay_access", "protocol", "temporary",
        "unknown", "bad_address", "composition", "too_large", "unsupported",
    }  # fmt: skip
    assert named <= set(get_table().classes)


def test_every_class_is_used_and_rules_have_names_of_their_own() -> None:
    table = get_table()
    names = [rule.name for rule in table.rules]
    assert len(names) == len(set(names))
    ours = {"accepted", "lost_reply", "journal", "withheld", "connection", "tls", "composition", "temporary", "unknown"}
    assert {rule.reply_class.name for rule in table.rules} | ours == set(table.classes)


BASE = {"class": {"rate": {"about": "provider", "zh": "快", "en": "fast"}}, "rule": []}


@pytest.mark.parametrize(
    "broken",
    [
        {**BASE, "class": {"rate": {"about": "provider", "zh": "快", "en": "fast", "suppresses": True}}},
        {**BASE, "class": {"rate": {"about": "nobody", "zh": "快", "en": "fast"}}},
        {**BASE, "class": {"rate": {"about": "provider", "zh": "快", "en": "fast", "color": "red"}}},
        {**BASE, "rule": [{"name": "x", "class": "other", "action": "retry"}]},
        {**BASE, "rule": [{"name": "x", "class": "rate", "action": "shout"}]},
        {**BASE, "rule": [{"name": "x", "class": "rate", "action": "retry", "patern": "x"}]},
        {**BASE, "rule": [{"name": "x", "class": "rate", "action": "retry", "pattern": "("}]},
        {**BASE, "rule": [{"class": "rate", "action": "retry"}]},
    ],
)
def test_a_table_that_is_not_sound_is_refused(broken: dict[str, object]) -> None:
    assert read_table(BASE).rules == ()
    with pytest.raises((ValueError, KeyError, TypeError, re.error)):
        read_table(broken)
