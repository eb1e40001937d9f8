"""Articles as their readers meet them: text, pictures, sections, and the contents that name them."""

import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from urllib.parse import urlsplit

from mailer.i18n import N_
from mailer.press.bodies import Body
from mailer.press.content import ArticleContent, Content
from mailer.press.proofreading import ARTICLE, Finding, Severity

CONTENTS = N_("Contents")
# A camera's or a program's name for a picture, which tells nobody what it shows.
_FILE_NAME = re.compile(
    r".*\.(?:png|jpe?g|gif|webp|bmp|tiff?)|(?:img|dsc|image|picture|photo|图片|微信图片|截图)[\s_-]*[0-9]*",
    re.IGNORECASE,
)
# What is left of text that was read in the wrong encoding.
_BROKEN = re.compile("\ufffd|锟斤拷|烫烫烫|屯屯屯|[\ue000-\uf8ff]")


def check_articles(content: Content) -> list[Finding]:
    own_host = urlsplit(content.web_url).hostname or ""
    bodies = [
        (article, Body(article.body, language=content.language, own_host=own_host)) for article in content.articles
    ]
    findings = [finding for article, body in bodies for finding in _check_article(article, body)]
    return [*findings, *_check_contents(content.articles), *_check_sections(bodies)]


def _check_article(article: ArticleContent, body: Body) -> list[Finding]:
    params = {"title": article.title}
    messages = []
    if body.is_empty:
        messages.append(N_("The contents list names this article, but it has no text."))
    elif not body.words:
        messages.append(N_("It is nothing but pictures: readers of the text part, or with images off, get nothing."))
    if body.pictures_without_words:
        messages.append(N_("A picture has no description. Readers with images off, or who cannot see, get nothing."))
    if _BROKEN.search(article.title + body.words):
        messages.append(N_("It holds broken characters, as of a file read in the wrong encoding. Type them anew."))
    findings = [Finding(Severity.WARNING, ARTICLE, message, params) for message in messages]
    for words in body.picture_words:
        if _FILE_NAME.fullmatch(words):
            message = N_("A picture is described as “%(words)s”, which is only a file's name. Say what it shows.")
            findings.append(Finding(Severity.HINT, ARTICLE, message, {**params, "words": words}))
    for address in body.foreign_pictures:
        message = N_("A picture lies on another host and was made a link: %(address)s. Upload it here instead.")
        findings.append(Finding(Severity.WARNING, ARTICLE, message, {**params, "address": address}))
    return findings


def _check_contents(articles: Sequence[ArticleContent]) -> list[Finding]:
    """What the contents list says against what follows."""
    findings = []
    titles = [article.title for article in articles]
    for title in sorted({title for title in titles if titles.count(title) > 1}):
        message = N_("Two articles have the same title: “%(title)s”.")
        findings.append(Finding(Severity.WARNING, CONTENTS, message, {"title": title}))
    pages = [(article.page, article.title) for article in articles if article.page is not None]
    for (before, _), (page, title) in pairwise(pages):
        if page < before:
            message = N_("“%(title)s” is said to be on page %(page)s, before the article above it.")
            findings.append(Finding(Severity.WARNING, CONTENTS, message, {"title": title, "page": page}))
    if pages and len(pages) < len(articles):
        missing = next(article.title for article in articles if article.page is None)
        message = N_("“%(title)s” has no page number, though others have. Give one to all or to none.")
        findings.append(Finding(Severity.HINT, CONTENTS, message, {"title": missing}))
    return findings


def _check_sections(bodies: Sequence[tuple[ArticleContent, Body]]) -> list[Finding]:
    groups = [(section, list(group)) for section, group in groupby(bodies, key=lambda pair: pair[0].section)]
    names = [section for section, _ in groups if section]
    findings = []
    for name in sorted({name for name in names if names.count(name) > 1}):
        message = N_("The section “%(section)s” stands in two places. Put its articles together.")
        findings.append(Finding(Severity.WARNING, CONTENTS, message, {"section": name}))
    for at, (section, group) in enumerate(groups):
        if section and all(body.is_empty for _, body in group):
            message = N_("The section “%(section)s” is empty. Fill it or take it out.")
            findings.append(Finding(Severity.WARNING, CONTENTS, message, {"section": section}))
        if not section and at:
            message = N_("“%(title)s” has no section and would seem to belong to “%(section)s”.")
            params = {"title": group[0][0].title, "section": groups[at - 1][0]}
            findings.append(Finding(Severity.HINT, CONTENTS, message, params))
    return findings
