"""Themes: a folder of `templates/email/` each, and the few things a newsletter may choose about it.

``theme_options`` may hold ``colour`` (``#rrggbb``, dark enough on white for WCAG's 4.5:1) and ``width`` (480 to 640
pixels); other keys are another theme's and ignored.
"""

import re
from collections.abc import Mapping
from colorsys import hls_to_rgb, rgb_to_hls
from dataclasses import dataclass
from typing import Any

from mailer.errors import CompositionError
from mailer.i18n import N_
from mailer.resources import TEMPLATES

NARROWEST, WIDEST = 480, 640
CONTRAST = 4.5
WHITE, NIGHT = "#ffffff", "#1c1c1e"


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme as its templates see it. `night_colour` is `colour` made light enough for a dark page."""

    name: str
    colour: str
    night_colour: str
    width: int


def list_themes() -> tuple[str, ...]:
    """Names of the themes there are."""
    return tuple(sorted(path.parent.name for path in (TEMPLATES / "email").glob("*/edition.html")))


def get_theme(name: str, options: Mapping[str, Any]) -> Theme:
    """Raises `CompositionError`, naming everything wrong with the choice."""
    problems = []
    if name not in list_themes():
        problems.append(N_("There is no such theme."))
    colour = str(options.get("colour") or "#c8102e").lower()
    if not re.fullmatch(r"#[0-9a-f]{6}", colour):
        problems.append(N_("The theme's colour must look like #c8102e."))
    elif contrast(colour, WHITE) < CONTRAST:
        problems.append(N_("The theme's colour is too light to be read on white."))
    width = options.get("width") or WIDEST
    if not isinstance(width, int) or not NARROWEST <= width <= WIDEST:
        problems.append(N_("The theme's width must be between 480 and 640 pixels."))
    if problems:
        raise CompositionError(problems)
    return Theme(name, colour, lighten(colour, NIGHT), int(width))


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def lighten(colour: str, ground: str) -> str:
    """`colour` as much lighter, in the same hue, as makes it legible on `ground`."""
    if contrast(colour, ground) >= CONTRAST:
        return colour
    hue, lightness, saturation = rgb_to_hls(*(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)))
    for percent in range(round(lightness * 100), 100):
        lighter = hls_to_rgb(hue, max(lightness, percent / 100), saturation)
        candidate = "#" + "".join(f"{round(value * 255):02x}" for value in lighter)
        if contrast(candidate, ground) >= CONTRAST:
            return candidate
    return WHITE
