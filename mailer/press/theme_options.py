"""What a newsletter may choose about its theme: the keys of ``theme_options``, the same for every theme.

=============  =====================================================================================================
``colour``     ``#rrggbb``, dark enough on white for WCAG's 4.5:1
``ground``     ``#rrggbb`` behind the sheet, light enough for the quiet lines on it
``width``      480 to 640, pixels
``fonts``      a key of `fontstacks.STACKS`: ``sans``, ``serif``, ``fangsong``
``logo_url``   the address of a picture on our own site; with it ``logo_alt``, its words, and ``logo_width``, 24 to 416
``header``     HTML between masthead and contents, at most 5,000 characters, sanitised like an article
``footer``     HTML before the colophon, likewise
``articles``   ``full`` or ``abstract``: the first paragraphs, with a link to the whole on the web
=============  =====================================================================================================

An empty value means the theme's own; unknown keys are ignored, so that an older edition's options still do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from mailer.i18n import N_
from mailer.press.colours import CONTRAST, QUIET, WHITE, contrast, is_colour
from mailer.press.fontstacks import STACKS
from mailer.press.sanitising import sanitise_body

NARROWEST, WIDEST = 480, 640
# The narrowest sheet less its two margins.
SMALLEST_LOGO, LARGEST_LOGO, USUAL_LOGO = 24, 416, 160
LONGEST_BLOCK = 5_000
ARTICLES = ("full", "abstract")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeOptions:
    """The options, checked. Empty or 0 where a newsletter leaves it to the theme."""

    colour: str = ""
    ground: str = ""
    width: int = 0
    fonts: str = ""
    logo_url: str = ""
    logo_alt: str = ""
    logo_width: int = USUAL_LOGO
    header: str = ""
    footer: str = ""
    articles: str = "full"


def check_options(options: Mapping[str, Any], *, own_host: str | None = None) -> tuple[ThemeOptions, tuple[str, ...]]:
    """The options as they can be used, and what is wrong with them: gettext ids without places to fill."""
    text = {key: str(options.get(key) or "").strip() for key in ThemeOptions.__slots__}
    text["colour"], text["ground"] = text["colour"].lower(), text["ground"].lower()
    problems = [*_check_colours(text), *_check_logo(text, own_host), *_check_blocks(text)]
    width, logo_width = options.get("width") or 0, options.get("logo_width") or USUAL_LOGO
    if not isinstance(width, int) or not (width == 0 or NARROWEST <= width <= WIDEST):
        problems.append(N_("The theme's width must be between 480 and 640 pixels."))
    if not isinstance(logo_width, int) or not SMALLEST_LOGO <= logo_width <= LARGEST_LOGO:
        problems.append(N_("The logo's width must be between 24 and 416 pixels."))
    if text["fonts"] not in {"", *STACKS}:
        problems.append(N_("There is no such choice of fonts."))
    if text["articles"] not in {"", *ARTICLES}:
        problems.append(N_("Articles go in full or as abstracts."))
    if problems:
        return ThemeOptions(), tuple(problems)
    texts: dict[str, Any] = {key: value for key, value in text.items() if key not in {"width", "logo_width"}}
    for block in ("header", "footer"):
        texts[block] = sanitise_body(text[block])
    texts["articles"] = text["articles"] or ARTICLES[0]
    return ThemeOptions(**texts, width=width, logo_width=logo_width), ()


def _check_colours(text: Mapping[str, str]) -> list[str]:
    problems = []
    if text["colour"] and not is_colour(text["colour"]):
        problems.append(N_("The theme's colour must look like #c8102e."))
    elif text["colour"] and contrast(text["colour"], WHITE) < CONTRAST:
        problems.append(N_("The theme's colour is too light to be read on white."))
    if text["ground"] and not is_colour(text["ground"]):
        problems.append(N_("The theme's ground must look like #f2efe9."))
    elif text["ground"] and contrast(text["ground"], QUIET) < CONTRAST:
        problems.append(N_("The theme's ground is too dark: the small print on it could not be read."))
    return problems


def _check_logo(text: Mapping[str, str], own_host: str | None) -> list[str]:
    if not text["logo_url"]:
        return []
    problems = []
    try:
        parts = urlsplit(text["logo_url"])
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
    except ValueError:
        is_usable = False
    if not is_usable:
        problems.append(N_("The logo needs a web address."))
    elif own_host is not None and parts.hostname != own_host:
        problems.append(
            N_("The logo lies on another site. Upload it here: nothing in a mail is loaded from elsewhere.")
        )
    if not text["logo_alt"]:
        problems.append(N_("The logo needs words for readers who do not see it, such as the publisher's name."))
    return problems


def _check_blocks(text: Mapping[str, str]) -> list[str]:
    if any(len(text[block]) > LONGEST_BLOCK for block in ("header", "footer")):
        return [N_("The block at the head or foot is too long: 5,000 characters at most.")]
    return []
