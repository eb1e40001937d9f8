"""Translations by Babel, without Flask: mail, workers and the terminal need them too.

Source strings are English message ids; catalogues live in `mailer/translations/<locale>/LC_MESSAGES/<domain>.po`, one
domain per part of the product, and are read as one. `gettext` of a locale without an entry gives the English id.
"""

import gettext as _gettext
from functools import lru_cache

from mailer.resources import TRANSLATIONS

# Chinese first: what a reader gets when nothing says otherwise.
LOCALES: tuple[str, ...] = ("zh_CN", "en")
DEFAULT_LOCALE = "zh_CN"
DOMAINS: tuple[str, ...] = (
    "shared",
    "mail",
    "portal",
    "archive",
    "desk",
    "parse",
    "reports",
    "dispatch",
    "admin",
    "audience",
)


def N_(message: str) -> str:  # noqa: N802  (the gettext world's own name)
    """Marks a message id for extraction where it is not translated yet."""
    return message


@lru_cache(maxsize=8)
def get_translations(locale: str) -> _gettext.NullTranslations:
    """The merged catalogues of `locale`."""
    merged: _gettext.NullTranslations = _gettext.NullTranslations()
    if locale == "en":
        return merged
    for domain in DOMAINS:
        found = _gettext.translation(domain, TRANSLATIONS, languages=[locale], fallback=True)
        if isinstance(found, _gettext.GNUTranslations):
            found.add_fallback(merged)
            merged = found
    return merged


def translate(locale: str, message: str, **params: object) -> str:
    """`message` in `locale`, its ``%(name)s`` places filled."""
    text = get_translations(locale).gettext(message)
    return text % params if params else text


def negotiate(accept_language: str | None) -> str:
    """The best of `LOCALES` for an Accept-Language header (RFC 9110 section 12.5.4); Chinese when it says nothing."""
    best, best_quality = DEFAULT_LOCALE, 0.0
    for part in (accept_language or "").split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        language = tag.split("-")[0].lower()
        match = {"zh": "zh_CN", "en": "en"}.get(language)
        if match and weight > best_quality:
            best, best_quality = match, weight
    return best
