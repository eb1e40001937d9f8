"""Checks on a compiled edition: what an editor should see before anybody signs it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mailer.i18n import N_
from mailer.press.abridging import Length
from mailer.press.article_checks import check_articles
from mailer.press.compiling import Compiled
from mailer.press.content import Content
from mailer.press.contrast_checks import check_contrast
from mailer.press.fitting import BUDGET_BYTES
from mailer.press.link_checks import check_link
from mailer.press.proofreading import Finding, Severity, check_content
from mailer.press.slot_checks import check_own_slots
from mailer.press.subject_checks import check_subject
from mailer.press.themes import get_theme
from mailer.press.word_checks import check_words

__all__ = ["Finding", "Severity", "Surroundings", "check_edition"]

SIZE, TEXT_PART = N_("Size"), N_("Text part")
# What was done to keep within the budget: never unsaid, and graver the less is left.
_SHORTENED = {
    Length.ABSTRACT: (
        Severity.HINT,
        N_("To stay below %(budget)s KB these articles are abstracts that link to the full text: %(titles)s"),
    ),
    Length.BRIEF: (
        Severity.WARNING,
        N_(
            "To stay below %(budget)s KB only the first sentences of these articles go out, with a link to the full "
            "text. Make two issues of it to send more of them: %(titles)s"
        ),
    ),
    Length.LISTED: (
        Severity.WARNING,
        N_(
            "To stay below %(budget)s KB these articles stand in the contents only, with a link to their text on the "
            "web. Make two issues of it, or move what matters to the front: %(titles)s"
        ),
    ),
}
# How many articles are named to be shortened.
LONGEST_NAMED = 3
_MARKUP = re.compile(
    r"</?(?:p|br|div|span|b|i|strong|em|table|tr|td|a|img|font)\b[^>\n]*>|&(?:nbsp|amp|lt|gt|quot|#[0-9]+);"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the press cannot know of an issue: the institution's sensitive words, the subjects of the newsletter's
    other issues, how many `readers` it has, and how many of them have told nothing for a personal slot (`slots`), by
    its key.
    """

    sensitive_words: Collection[str] = ()
    earlier_subjects: Collection[str] = ()
    readers: int = 0
    lacking: Mapping[str, int] = field(default_factory=dict)


def check_edition(
    content: Content, compiled: Compiled, surroundings: Surroundings | None = None
) -> tuple[Finding, ...]:
    """Findings on content and result, the gravest first. No finding is made twice."""
    around = surroundings or Surroundings()
    own_host = urlsplit(content.web_url).hostname or ""
    findings = [
        *check_content(content),
        *check_subject(content, around.earlier_subjects),
        *check_articles(content),
        *check_words(content, around.sensitive_words),
        *_check_size(content, compiled),
        *_check_text(compiled),
        *check_own_slots(content, compiled, around.lacking, around.readers),
        *check_contrast(compiled.html),
        *(finding for link in compiled.links for finding in check_link(link, own_host)),
    ]
    order = list(Severity)
    unique = {(finding.place, finding.message, str(finding.params)): finding for finding in findings}
    return tuple(sorted(unique.values(), key=lambda finding: order.index(finding.severity)))


def _check_size(content: Content, compiled: Compiled) -> list[Finding]:
    size = len(compiled.html.encode())
    budget = BUDGET_BYTES // 1000
    findings = []
    if size > BUDGET_BYTES:
        message = N_(
            "The mail has %(size)s KB, Gmail cuts it off after 100. Shorten it or make two issues of it. "
            "Longest: %(titles)s"
        )
        params = {"size": size // 1000, "budget": budget, "titles": _longest(content)}
        findings.append(Finding(Severity.WARNING, SIZE, message, params))
    is_wanted = get_theme(content.theme, content.theme_options).is_abstract
    for length, (severity, message) in _SHORTENED.items():
        titles = [article.title for article in content.articles if compiled.shortened.get(article.key) is length]
        if titles and not (is_wanted and length is Length.ABSTRACT):
            params = {"budget": budget, "num": len(titles), "titles": "; ".join(titles)}
            findings.append(Finding(severity, SIZE, message, params))
    return findings


def _longest(content: Content) -> str:
    sizes = sorted(((len(article.body.encode()), article.title) for article in content.articles), reverse=True)
    return "; ".join(f"{title} ({-(-size // 1000)} KB)" for size, title in sizes[:LONGEST_NAMED])


def _check_text(compiled: Compiled) -> list[Finding]:
    """The text part is for reading: markup in it was typed as text, or pasted twice escaped."""
    found = _MARKUP.search(compiled.text)
    if found is None:
        return []
    message = N_("Readers would see the markup “%(markup)s” as it stands. Look for it in the articles and take it out.")
    return [Finding(Severity.WARNING, TEXT_PART, message, {"markup": found[0][:40]})]
