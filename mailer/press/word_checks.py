"""Words an institution wants to see before they are sent: its own list, found however they are spaced or widened."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from mailer.i18n import N_
from mailer.press.bodies import Body
from mailer.press.content import Content
from mailer.press.proofreading import ARTICLE, MASTHEAD, PREHEADER, SUBJECT, THEME, Finding, Severity

# How much of the sentence is shown around a word.
CONTEXT = 12
_BREAK = re.compile(r"<br\b[^>]*>", re.IGNORECASE)


def check_words(content: Content, sensitive_words: Iterable[str]) -> list[Finding]:
    """A warning for each place that holds a word of the list, once for each word, with the words around it."""
    wanted = [(word, pattern) for word in dict.fromkeys(map(str.strip, sensitive_words)) if (pattern := _pattern(word))]
    findings = []
    for place, params, text in _places(content) if wanted else ():
        plain = _plain(text)
        for word, pattern in wanted:
            if found := pattern.search(plain):
                around = " ".join(plain[max(0, found.start() - CONTEXT) : found.end() + CONTEXT].split())
                message = N_("“%(word)s” is on the list of sensitive words: “…%(around)s…”")
                findings.append(Finding(Severity.WARNING, place, message, {**params, "word": word, "around": around}))
    return findings


def _places(content: Content) -> Iterator[tuple[str, dict[str, str], str]]:
    yield SUBJECT, {}, content.subject
    yield PREHEADER, {}, content.preheader
    imprint = (content.title, content.publisher, content.editor, content.colophon, content.contact)
    yield MASTHEAD, {}, "\n".join(imprint)
    blocks = (str(content.theme_options.get(name) or "") for name in ("header", "footer"))
    yield THEME, {}, "\n".join(_words(block, content) for block in blocks)
    for article in content.articles:
        text = f"{article.title}\n{article.section}\n{article.source}\n{_words(article.body, content)}"
        yield ARTICLE, {"title": article.title}, text


def _words(html: str, content: Content) -> str:
    """A line that an editor broke by hand goes on behind the break: what it cuts is one word all the same."""
    return Body(_BREAK.sub(" ", html), language=content.language, own_host="").words


def _plain(text: str) -> str:
    """`text` as it compares: full-width forms made ordinary, letters small, what cannot be seen left out."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character) != "Cf")


def _pattern(word: str) -> re.Pattern[str] | None:
    """Chinese may be spaced out; a Latin word counts only as a whole word."""
    plain = _plain(word)
    if not plain.strip():
        return None
    if plain.isascii():
        return re.compile(rf"(?<![a-z0-9]){re.escape(plain)}(?![a-z0-9])")
    return re.compile(r"[^\S\n]*".join(map(re.escape, "".join(plain.split()))))
