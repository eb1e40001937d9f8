"""Whether a person or a machine opened a mail or followed a link: a decision from plain values.

Machines fetch far more than people: image proxies, privacy relays and security gateways touch most of what arrives.
A robot counted as a reader is a lie to the editor, so what looks like one is set apart, with the rule that said so.
"""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The raw event is always kept; the verdict can be scored again."""

    HUMAN = "human"
    MACHINE = "machine"
    UNSURE = "unsure"


# A gateway looks at a mail before its reader can: within this long of acceptance nobody has read anything.
MACHINE_SECONDS = 2.0
# A phone lights up and is tapped within moments; a scanner may also be slow. In between nobody can tell.
UNSURE_SECONDS = 5.0
# A person follows one link, reads, and comes back; a scanner follows them all at once.
BURST_LINKS = 3
BURST_WINDOW = dt.timedelta(seconds=10)

# Fetches pictures for Gmail, whether or not anybody looks at them (again).
_IMAGE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|OutlookImageProxy|BingPreview", re.IGNORECASE)
_SCANNERS = re.compile(
    r"bot\b|crawler|spider|scan|preview|proofpoint|mimecast|barracuda|forcepoint|safelinks|symantec|trendmicro|"
    r"python|curl/|wget/|go-http-client|java/|okhttp|libwww|headless|phantom|axios|node-fetch|urllib|httpx",
    re.IGNORECASE,
)
# Apple Mail Privacy Protection says exactly this and no more.
_APPLE_PRIVACY = "Mozilla/5.0"


@dataclass(frozen=True, slots=True)
class Fetch:
    """One fetch of a pixel or a link: `accepted_at` is when the server took the mail (`None`: it has not yet)."""

    at: dt.datetime
    method: str
    user_agent: str
    accepted_at: dt.datetime | None
    # Distinct links of the same delivery fetched within `BURST_WINDOW` before this, this one included.
    links_at_once: int = 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and the name of the rule that gave it."""

    verdict: Verdict
    reason: str


def judge(fetch: Fetch) -> Judgement:
    """The first rule that applies decides; certain ones come first."""
    if fetch.method != "GET":
        return Judgement(Verdict.MACHINE, "method")
    if _IMAGE_PROXIES.search(fetch.user_agent):
        return Judgement(Verdict.MACHINE, "image_proxy")
    if fetch.user_agent.strip() == _APPLE_PRIVACY:
        return Judgement(Verdict.MACHINE, "mail_privacy")
    if not fetch.user_agent.strip() or _SCANNERS.search(fetch.user_agent):
        return Judgement(Verdict.MACHINE, "scanner")
    if fetch.links_at_once >= BURST_LINKS:
        return Judgement(Verdict.MACHINE, "burst")
    if fetch.accepted_at is None:
        return Judgement(Verdict.MACHINE, "before_acceptance")
    seconds = (fetch.at - fetch.accepted_at).total_seconds()
    if seconds < MACHINE_SECONDS:
        return Judgement(Verdict.MACHINE, "too_soon")
    if seconds < UNSURE_SECONDS:
        return Judgement(Verdict.UNSURE, "soon")
    if "Mozilla/" not in fetch.user_agent and "Mail" not in fetch.user_agent and "Outlook" not in fetch.user_agent:
        return Judgement(Verdict.UNSURE, "unknown_client")
    return Judgement(Verdict.HUMAN, "")
