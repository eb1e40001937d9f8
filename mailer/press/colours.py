"""Colours that can be read: contrast as WCAG counts it, and a colour made light enough for a dark page."""

import re
from colorsys import hls_to_rgb, rgb_to_hls

# WCAG 2.2, success criterion 1.4.3: for text of ordinary size.
CONTRAST = 4.5
WHITE, NIGHT = "#ffffff", "#1c1c1e"
# The quiet lines at both ends of a page stand on its ground.
QUIET = "#595959"


def is_colour(text: str) -> bool:
    """Whether `text` is ``#rrggbb``, in small letters."""
    return re.fullmatch(r"#[0-9a-f]{6}", text) is not None


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
