"""Jinja2 and Premailer: content and theme become one HTML page with everything inline, and one text."""

import logging
import os
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from mailer.i18n import get_translations
from mailer.press import plaintext, wording
from mailer.press.content import HTML_LANGUAGES
from mailer.press.fontstacks import STACKS
from mailer.press.slots import slot
from mailer.resources import TEMPLATES

# Read by Premailer as it is imported. It keeps parsed style sheets, selectors and styles in one cache, of 128 unless it
# is told: three themes have twice as many, and each page would have its style sheet parsed anew, which is two thirds of
# the work. A parsed sheet takes 0.6 MB.
os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "512")

from premailer import Premailer

# After the preheader: keeps the first words of the page out of the inbox's preview line.
FILLER = "\u034f\u200c\xa0" * 40


@lru_cache(maxsize=4)
def get_environment(language: str) -> Environment:
    """The templates of `templates/email/`, in one language. HTML templates escape, text templates do not."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES / "email"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.install_gettext_translations(get_translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(wrap=plaintext.wrap, centre=plaintext.centre)
    environment.globals.update(
        justify=plaintext.justify,
        clauses=wording.clauses,
        slot=slot,
        html_language=HTML_LANGUAGES[language],
        is_chinese=language.startswith("zh"),
        line_height=1.75 if language.startswith("zh") else 1.6,
        filler=FILLER,
        # The letters' own; a theme brings what its newsletter chose.
        fonts=STACKS["sans"].css_in(language),
    )
    return environment


def render(template: str, language: str, *, otherwise: str = "", **values: Any) -> str:
    """The template (a path under `templates/email/`, or `otherwise` where there is none) with `values`."""
    names = [name for name in (template, otherwise) if name]
    return get_environment(language).select_template(names).render(**values)


def inline_css(html: str) -> str:
    """`html` with the rules of its style elements moved into style attributes, once and without network.

    A style element marked ``data-premailer="ignore"`` stays in the head as it is, ``!important`` included: the rules
    for phones and dark mode, which webmail that drops the head does without.
    """
    inliner = Premailer(
        html,
        allow_network=False,
        strip_important=False,
        disable_validation=True,
        disable_leftover_css=True,
        align_floating_images=False,
        # Every client reads these two from the style; as attributes they only cost bytes.
        disable_basic_attributes=["align", "height"],
        cssutils_logging_level=logging.CRITICAL,
    )
    inlined: str = inliner.transform(pretty_print=False)
    return inlined
