"""Checks on a compiled edition: what an editor should see before anybody signs it."""

import re
from urllib.parse import urlsplit

from mailer.i18n import N_
from mailer.press.bodies import Body
from mailer.press.compiling import Compiled, Link
from mailer.press.content import Content
from mailer.press.drafting import BUDGET_BYTES
from mailer.press.plaintext import width
from mailer.press.proofreading import ARTICLE, PREHEADER, SUBJECT, Finding, Severity, check_content
from mailer.press.themes import get_theme

__all__ = ["Finding", "Severity", "check_edition"]

SIZE, LINKS, CONTENTS = N_("Size"), N_("Links"), N_("Contents")
# A phone's inbox shows some 20 Chinese characters of a subject, a desktop's some 40.
SUBJECT_COLUMNS = 80
PREHEADER_COLUMNS = 200
_LOOKS_LIKE_ADDRESS = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[/:?#]|$)", re.IGNORECASE)
# Names that only answer inside one's own house.
_PRIVATE_HOSTS = re.compile(r"[^.]*|.*\.(?:local|lan|internal|intranet)|(?:10|127|192\.168)\..*")


def check_edition(content: Content, compiled: Compiled) -> tuple[Finding, ...]:
    """Findings on content and result, the gravest first. No finding is made twice."""
    findings = [
        *check_content(content),
        *_check_subject(content),
        *_check_articles(content),
        *_check_size(content, compiled),
        *(finding for link in compiled.links for finding in _check_link(link, content)),
    ]
    order = list(Severity)
    unique = {(finding.place, finding.message, str(finding.params)): finding for finding in findings}
    return tuple(sorted(unique.values(), key=lambda finding: order.index(finding.severity)))


def _check_subject(content: Content) -> list[Finding]:
    findings = []
    if width(content.subject) > SUBJECT_COLUMNS:
        message = N_("The subject is long: inboxes show about 40 Chinese characters of it. Put what matters first.")
        findings.append(Finding(Severity.WARNING, SUBJECT, message))
    marks = [mark for mark in (content.number, content.total_number) if mark]
    if marks and content.subject.strip() and not any(mark in content.subject for mark in marks):
        message = N_("The subject does not name the issue. Give each issue its own subject, such as its number.")
        findings.append(Finding(Severity.HINT, SUBJECT, message))
    if not content.preheader.strip():
        message = N_("There is no preheader. One sentence shows beside the subject in the inbox.")
        findings.append(Finding(Severity.HINT, PREHEADER, message))
    elif width(content.preheader) > PREHEADER_COLUMNS:
        message = N_("The preheader is long: inboxes show about 50 Chinese characters of it.")
        findings.append(Finding(Severity.HINT, PREHEADER, message))
    return findings


def _check_articles(content: Content) -> list[Finding]:
    findings = []
    own_host = urlsplit(content.web_url).hostname or ""
    for article in content.articles:
        params = {"title": article.title}
        body = Body(article.body, language=content.language, own_host=own_host)
        if body.is_empty:
            message = N_("The contents list names this article, but it has no text.")
            findings.append(Finding(Severity.WARNING, ARTICLE, message, params))
        if body.pictures_without_words:
            message = N_("A picture has no description. Readers with images off, or who cannot see, get nothing.")
            findings.append(Finding(Severity.WARNING, ARTICLE, message, params))
        for address in body.foreign_pictures:
            message = N_("A picture lies on another host and was made a link: %(address)s. Upload it here instead.")
            findings.append(Finding(Severity.WARNING, ARTICLE, message, {**params, "address": address}))
    return findings + _check_titles(content)


def _check_titles(content: Content) -> list[Finding]:
    titles = [article.title for article in content.articles]
    message = N_("Two articles have the same title: “%(title)s”.")
    return [
        Finding(Severity.WARNING, CONTENTS, message, {"title": title})
        for title in sorted({title for title in titles if titles.count(title) > 1})
    ]


def _check_size(content: Content, compiled: Compiled) -> list[Finding]:
    size = len(compiled.html.encode())
    params = {"size": size // 1000, "budget": BUDGET_BYTES // 1000}
    if size > BUDGET_BYTES:
        message = N_("The mail has %(size)s KB, Gmail cuts it off after 100. Shorten it or make two issues of it.")
        return [Finding(Severity.WARNING, SIZE, message, params)]
    if compiled.abridged and not get_theme(content.theme, content.theme_options).is_abstract:
        names = [article.title for article in content.articles if article.key in compiled.abridged]
        message = N_("To stay below %(budget)s KB these articles are abstracts that link to the full text: %(titles)s")
        return [Finding(Severity.HINT, SIZE, message, {**params, "titles": "; ".join(names)})]
    return []


def _check_link(link: Link, content: Content) -> list[Finding]:
    parts = urlsplit(link.url)
    host = (parts.hostname or "").lower()
    params = {"address": link.url, "label": link.label}
    findings = []
    shown = _LOOKS_LIKE_ADDRESS.match(link.label.strip())
    if shown and not _is_same_site(shown[1].lower(), host):
        message = N_("The link reads “%(label)s” but leads to %(address)s. Filters take that for fraud.")
        findings.append(Finding(Severity.WARNING, LINKS, message, params))
    own_host = urlsplit(content.web_url).hostname
    if host != own_host and (not host or _PRIVATE_HOSTS.fullmatch(host)):
        findings.append(Finding(Severity.WARNING, LINKS, N_("Readers cannot reach %(address)s from outside."), params))
    if parts.username:
        message = N_("The address %(address)s holds a user name. Leave it out.")
        findings.append(Finding(Severity.WARNING, LINKS, message, params))
    if not link.label:
        findings.append(Finding(Severity.WARNING, LINKS, N_("The link to %(address)s has no words."), params))
    return findings


def _is_same_site(shown: str, host: str) -> bool:
    shown, host = shown.removeprefix("www."), host.removeprefix("www.")
    return shown == host or host.endswith(f".{shown}") or shown.endswith(f".{host}")
