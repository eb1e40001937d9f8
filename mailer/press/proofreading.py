"""What is wrong with an issue's content: findings for editors, and the errors that stop a compile."""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit

from mailer.errors import CompositionError
from mailer.i18n import LOCALES, N_, translate
from mailer.press.content import ArticleContent, Content
from mailer.press.sanitising import sanitise_body
from mailer.press.slots import EDITORS_SLOTS, FALLBACK_LENGTH, MARK, find_foreign_braces
from mailer.press.themes import get_theme

_TAG = re.compile(r"<[^>]*>")
# Braces in an address or in the words of a picture, as typed or percent-encoded: no slot is looked for there.
_BRACES_IN_TAG = re.compile(r"(?:\{\{|%7B%7B).{0,40}?(?:\}\}|%7D%7D)", re.IGNORECASE | re.DOTALL)


class Severity(StrEnum):
    """An error stops the compile, a warning wants a decision, a hint is advice."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `place` and `message`, which says what to do, are gettext ids over the same `params`."""

    severity: Severity
    place: str
    message: str
    params: dict[str, Any] = field(default_factory=dict)

    def place_in(self, locale: str) -> str:
        return translate(locale, self.place, **self.params)

    def message_in(self, locale: str) -> str:
        return translate(locale, self.message, **self.params)


SUBJECT, PREHEADER, MASTHEAD = N_("Subject"), N_("Preheader"), N_("Masthead")
ARTICLES, ARTICLE, THEME = N_("Articles"), N_("Article “%(title)s”"), N_("Theme")


def check_content(content: Content) -> tuple[Finding, ...]:
    """Everything that stands against compiling `content`, or would be seen by its readers."""
    findings = [*_check_heading(content), *_check_theme(content)]
    if not content.articles:
        findings.append(Finding(Severity.ERROR, ARTICLES, N_("The issue has no articles. Add at least one.")))
    keys = [article.key for article in content.articles]
    if len(set(keys)) != len(keys):
        findings.append(Finding(Severity.ERROR, ARTICLES, N_("Two articles have the same number.")))
    for number, article in enumerate(content.articles, 1):
        findings += _check_article(article, number, content.attributes)
    return tuple(findings)


def require_compilable(content: Content) -> None:
    """Raises `CompositionError` with every error of `check_content`, in the issue's language."""
    language = content.language if content.language in LOCALES else "en"
    problems = [
        f"{finding.place_in(language)}: {finding.message_in(language)}"
        for finding in check_content(content)
        if finding.severity is Severity.ERROR
    ]
    if problems:
        raise CompositionError(problems)


def _check_heading(content: Content) -> list[Finding]:
    findings = []
    if content.language not in LOCALES:
        findings.append(Finding(Severity.ERROR, MASTHEAD, N_("The language must be zh_CN or en.")))
    if not content.title.strip():
        findings.append(Finding(Severity.ERROR, MASTHEAD, N_("The issue has no title.")))
    if not content.subject.strip():
        findings.append(Finding(Severity.ERROR, SUBJECT, N_("The subject is empty. Write one that names this issue.")))
    if not _is_web_address(content.web_url):
        findings.append(Finding(Severity.ERROR, MASTHEAD, N_("The issue has no address on the web.")))
    lines = ((SUBJECT, content.subject), (PREHEADER, content.preheader), (MASTHEAD, content.title))
    for place, text in lines:
        if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
            findings.append(Finding(Severity.ERROR, place, N_("Line breaks and control characters cannot stand here.")))
    imprint = " ".join((
        content.title, content.number or "", content.total_number or "", content.volume or "", content.publisher,
        content.editor, content.phone, content.colophon, content.contact, content.web_url, content.archive_url,
    ))  # fmt: skip
    for place, text in ((SUBJECT, content.subject), (PREHEADER, content.preheader), (MASTHEAD, imprint)):
        findings += _check_slots(place, text, {}, None)
    return findings


def _check_theme(content: Content) -> list[Finding]:
    try:
        own_host = urlsplit(content.web_url).hostname
    except ValueError:
        own_host = None
    try:
        theme = get_theme(content.theme, content.theme_options, own_host=own_host)
    except CompositionError as error:
        return [Finding(Severity.ERROR, THEME, problem) for problem in error.problems]
    logo = f"{theme.logo_url} {theme.logo_alt}"
    blocks = " ".join(_as_read(html) for html in (theme.header, theme.footer))
    return [
        *_check_slots(THEME, logo, {}, None),
        *_check_slots(THEME, blocks, {}, content.attributes),
    ]


def _check_article(article: ArticleContent, number: int, attributes: tuple[str, ...]) -> list[Finding]:
    title = article.title.strip() or str(number)
    params = {"title": title}
    findings = []
    if not article.title.strip():
        findings.append(Finding(Severity.ERROR, ARTICLE, N_("The article has no title."), params))
    if not _is_web_address(article.url):
        findings.append(Finding(Severity.ERROR, ARTICLE, N_("The article has no address on the web."), params))
    for text in (article.title, article.section, article.source, article.url):
        findings += _check_slots(ARTICLE, text, params, None)
    body = sanitise_body(article.body)
    message = N_("“%(braces)s” stands in a link or in the words of a picture, where it is not filled in. Take it out.")
    for tag in _TAG.findall(body):
        for braces in _BRACES_IN_TAG.findall(unescape(tag)):
            findings.append(Finding(Severity.WARNING, ARTICLE, message, {**params, "braces": unquote(braces)}))
    return findings + _check_slots(ARTICLE, _as_read(body), params, attributes)


def _as_read(html: str) -> str:
    """Sanitised HTML as it will stand in the mail: a character reference or a tag may hide what is looked for."""
    return f"{unescape(_TAG.sub('', html))} {html}"


def _check_slots(place: str, text: str, params: dict[str, Any], attributes: tuple[str, ...] | None) -> list[Finding]:
    """`attributes` are what may stand in braces besides name and address; `None` where nothing may."""
    if MARK in text:
        return [
            Finding(
                Severity.ERROR,
                place,
                N_("“%(mark)s” is reserved and cannot stand in an issue."),
                {**params, "mark": MARK},
            )
        ]
    if attributes is None:
        if "{{" not in text:
            return []
        message = N_("“%(braces)s” would reach readers as typed: personal fields work in the text of articles only.")
        return [Finding(Severity.WARNING, place, message, {**params, "braces": text[text.index("{{") :][:40]})]
    message = N_(
        "“%(braces)s” would reach readers as typed. What works is %(known)s, with at most %(most)s plain characters "
        "after a bar for readers who have not told it."
    )
    known = " ".join(f"{{{{ {key} }}}}" for key in (*EDITORS_SLOTS, *attributes))
    said = {**params, "known": known, "most": FALLBACK_LENGTH}
    return [
        Finding(Severity.WARNING, place, message, {**said, "braces": braces[:60]})
        for braces in find_foreign_braces(text, attributes)
    ]


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # such as "http://[": no IPv6 address either
        return False
