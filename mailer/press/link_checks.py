"""What is suspicious about a link: to readers, or to the filters that read before them."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from mailer.i18n import N_
from mailer.press.linking import Link
from mailer.press.proofreading import Finding, Severity

LINKS = N_("Links")
_LOOKS_LIKE_ADDRESS = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[/:?#]|$)", re.IGNORECASE)
# Names that only answer inside one's own house.
_HOUSE_NAMES = re.compile(r"[^.]*|.*\.(?:local|lan|internal|intranet|localdomain)")
# They hide where a link leads, so block lists name them whole.
_SHORTENERS = frozenset({
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "t.ly",
    "t.cn", "url.cn", "w.url.cn", "dwz.cn", "dwz.mk", "suo.im", "sourl.cn", "u.nu", "6du.in", "mrw.so",
})  # fmt: skip
# Read out alone, as screen readers list links, they say nothing.
_EMPTY_WORDS = frozenset({
    "这里", "此处", "点击", "点击这里", "点击此处", "请点击", "点这里", "戳这里",
    "here", "click", "click here", "this", "link",
})  # fmt: skip


def check_link(link: Link, own_host: str) -> list[Finding]:
    """Findings on one link of an edition; `own_host` is our own site, whose addresses we know."""
    parts = urlsplit(link.url)
    host = (parts.hostname or "").lower()
    params = {"address": link.url, "label": link.label}
    warnings = list(_warnings(link.label, host, own_host))
    if parts.username:
        warnings.append(N_("The address %(address)s holds a user name. Leave it out."))
    findings = [Finding(Severity.WARNING, LINKS, message, params) for message in warnings]
    if not warnings and parts.scheme == "http" and host != own_host:
        message = N_("The link to %(address)s is not encrypted. Write https where the site answers to it.")
        findings.append(Finding(Severity.HINT, LINKS, message, params))
    if link.label.strip(" 。.>»→").lower() in _EMPTY_WORDS:
        message = N_("The link “%(label)s” does not say where it leads (%(address)s). Let it be words of the sentence.")
        findings.append(Finding(Severity.HINT, LINKS, message, params))
    return findings


def _warnings(label: str, host: str, own_host: str) -> list[str]:
    warnings = []
    shown = _LOOKS_LIKE_ADDRESS.match(label.strip())
    if shown and not _is_same_site(shown[1].lower(), host):
        warnings.append(
            N_(
                "The link reads “%(label)s” but leads to %(address)s. Filters take that for fraud: "
                "let both be the same."
            )
        )
    if host != own_host:
        warnings += _check_host(host)
    if not label:
        warnings.append(N_("The link to %(address)s has no words."))
    return warnings


def _check_host(host: str) -> list[str]:
    try:
        number = ip_address(host)
    except ValueError:
        if not host or _HOUSE_NAMES.fullmatch(host):
            return [
                N_("Readers cannot reach %(address)s from outside. Link to a public address, or take the link out.")
            ]
        if host.removeprefix("www.") in _SHORTENERS:
            return [N_("%(address)s hides where it leads, and filters block it. Use the address it stands for.")]
        return []
    if not number.is_global:
        return [N_("Readers cannot reach %(address)s from outside. Link to a public address, or take the link out.")]
    return [N_("%(address)s is a bare number, which filters take for fraud. Use the site's name.")]


def _is_same_site(shown: str, host: str) -> bool:
    shown, host = shown.removeprefix("www."), host.removeprefix("www.")
    return shown == host or host.endswith(f".{shown}") or shown.endswith(f".{host}")
