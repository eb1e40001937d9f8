"""A newsletter's theme and what it chooses about it, between the form and the press."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from mailer.errors import CompositionError, RuleError
from mailer.press.theme_options import ARTICLES, USUAL_LOGO
from mailer.press.themes import ThemeDescription, get_theme, list_themes
from mailer.settings import get_settings
from mailer.web.desk.forms import NewsletterForm
from mailer.web.locale import gettext

# Fields of the form that are options of the theme, besides its two colours.
FIELDS = ("width", "fonts", "logo_url", "logo_alt", "logo_width", "header", "footer", "articles")


def shown_options(theme: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The form's values: what was chosen, and the theme's own colours where none were."""
    own = _describe(theme)
    values = {name: options.get(name) for name in FIELDS if options.get(name)}
    return values | {
        "colour": options.get("colour") or own.colour,
        "ground": options.get("ground") or own.ground,
        "logo_width": options.get("logo_width") or USUAL_LOGO,
    }


def chosen_options(form: NewsletterForm, *, before: str) -> dict[str, Any]:
    """What the form says of its theme, without what the theme says itself: a colour that is its own (or that of the
    theme `before`, which the form showed) is no choice, so that another theme comes in its own colours. Raises
    `RuleError` with everything wrong.
    """
    options: dict[str, Any] = {name: form[name].data for name in FIELDS if form[name].data}
    for name in ("colour", "ground"):
        own = {getattr(_describe(theme), name).lower() for theme in (form.theme.data, before)}
        value = (form[name].data or "").lower()
        if value and value not in own:
            options[name] = value
    if options.get("articles") == ARTICLES[0]:
        options.pop("articles")
    if options.get("logo_width") == USUAL_LOGO or not options.get("logo_url"):
        options.pop("logo_width", None)
    try:
        get_theme(form.theme.data, options, own_host=urlsplit(get_settings().public_url).hostname)
    except CompositionError as error:
        raise RuleError("%(problems)s", problems=" ".join(gettext(problem) for problem in error.problems)) from None
    return options


def _describe(name: str) -> ThemeDescription:
    return next((theme for theme in list_themes() if theme.name == name), list_themes()[0])
