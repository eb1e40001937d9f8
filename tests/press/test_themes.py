import pytest

from mailer.errors import CompositionError
from mailer.press.colours import CONTRAST, NIGHT, WHITE, contrast, lighten
from mailer.press.drafting import title_size
from mailer.press.themes import get_theme, list_themes


def test_every_folder_with_a_description_is_a_theme() -> None:
    assert {"bulletin", "journal", "plain"} <= {theme.name for theme in list_themes()}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#c8102e", WHITE) == contrast(WHITE, "#c8102e")


@pytest.mark.parametrize("colour", ["#c8102e", "#8a0f1f", "#000000", "#0a4d8c", "#1b5e20"])
def test_a_colour_is_made_legible_at_night(colour: str) -> None:
    night = get_theme("bulletin", {"colour": colour}).night_colour
    assert contrast(night, NIGHT) >= CONTRAST


def test_a_light_colour_stays_as_it_is_at_night() -> None:
    assert lighten("#ffb0b0", NIGHT) == "#ffb0b0"


def test_everything_wrong_with_a_choice_is_named() -> None:
    with pytest.raises(CompositionError) as caught:
        get_theme("none", {"colour": "red", "width": "wide"})
    assert len(caught.value.problems) == 3


def test_empty_options_are_the_defaults() -> None:
    assert get_theme("bulletin", {"colour": "", "width": None}) == get_theme("bulletin", {})


@pytest.mark.parametrize(
    ("title", "size"),
    [("水利", 1), ("科技情报参考", 1), ("水利科技情报参考", 2), ("内蒙古科技创新决策参考", 3), ("水" * 20, 4)],
)
def test_a_longer_title_is_set_smaller(title: str, size: int) -> None:
    assert title_size(title) == size
