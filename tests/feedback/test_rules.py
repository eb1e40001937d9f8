import datetime as dt

import pytest

from mailer.feedback.rules import BURST_LINKS, Fetch, Verdict, judge

ACCEPTED = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_4) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
)


def fetch(**changes: object) -> Fetch:
    values: dict[str, object] = {
        "at": ACCEPTED + dt.timedelta(minutes=10),
        "method": "GET",
        "user_agent": SAFARI,
        "accepted_at": ACCEPTED,
        **changes,
    }
    return Fetch(**values)  # type: ignore[arg-type]


def test_a_browser_minutes_after_acceptance_is_a_person() -> None:
    assert judge(fetch()).verdict == Verdict.HUMAN


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"method": "HEAD"}, Verdict.MACHINE, "method"),
        (
            {"user_agent": "Mozilla/5.0 (Windows NT 5.1) Firefox/11.0 (via ggpht.com GoogleImageProxy)"},
            Verdict.MACHINE,
            "image_proxy",
        ),
        ({"user_agent": "Mozilla/5.0"}, Verdict.MACHINE, "mail_privacy"),
        ({"user_agent": ""}, Verdict.MACHINE, "scanner"),
        ({"user_agent": "python-requests/2.31"}, Verdict.MACHINE, "scanner"),
        ({"links_at_once": BURST_LINKS}, Verdict.MACHINE, "burst"),
        ({"links_at_once": BURST_LINKS - 1}, Verdict.HUMAN, ""),
        ({"accepted_at": None}, Verdict.MACHINE, "before_acceptance"),
        ({"at": ACCEPTED - dt.timedelta(seconds=1)}, Verdict.MACHINE, "too_soon"),
        ({"at": ACCEPTED + dt.timedelta(seconds=1)}, Verdict.MACHINE, "too_soon"),
        ({"at": ACCEPTED + dt.timedelta(seconds=3)}, Verdict.UNSURE, "soon"),
        ({"user_agent": "SomethingElse 1.0"}, Verdict.UNSURE, "unknown_client"),
        ({"user_agent": "Microsoft Outlook 16.0"}, Verdict.HUMAN, ""),
    ],
)
def test_each_rule_decides_and_says_which_it_was(changes: dict[str, object], verdict: Verdict, reason: str) -> None:
    judgement = judge(fetch(**changes))
    assert (judgement.verdict, judgement.reason) == (verdict, reason)
