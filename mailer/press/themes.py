"""Themes: a folder of `templates/email/` each, described by its `theme.toml` (`docs/themes.md` says how to add one)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mailer.errors import CompositionError
from mailer.i18n import DEFAULT_LOCALE, N_
from mailer.press.colours import NIGHT, lighten
from mailer.press.fontstacks import STACKS, TITLE_STACKS
from mailer.press.theme_options import check_options
from mailer.resources import TEMPLATES


@dataclass(frozen=True, slots=True, kw_only=True)
class ThemeDescription:
    """A theme as forms show it, with what it is when a newsletter chooses nothing.

    `mark` stands before an entry of the contents: a character, or ``number``. `width` is the sheet's and `margin` what
    is left free at either side of it where there is room, in pixels. `fonts` is a key of
    `fontstacks.STACKS`; `title_fonts` one of `TITLE_STACKS`, or empty for the same as the text.
    """

    name: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    mark: str
    colour: str
    ground: str
    width: int
    margin: int
    fonts: str
    title_fonts: str

    def title_in(self, locale: str) -> str:
        return self.titles.get(locale) or self.titles[DEFAULT_LOCALE]

    def description_in(self, locale: str) -> str:
        return self.descriptions.get(locale) or self.descriptions[DEFAULT_LOCALE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A theme with a newsletter's options, as its templates see it.

    `night_colour` is `colour` made light enough for a dark page; `header` and `footer` are sanitised HTML; `logo_url`
    is empty or an address on our own site; `is_abstract` says that articles go as abstracts with a link.
    """

    name: str
    mark: str
    colour: str
    night_colour: str
    ground: str
    width: int
    margin: int
    fonts: str
    title_fonts: str
    office_fonts: str
    office_title_fonts: str
    logo_url: str
    logo_alt: str
    logo_width: int
    header: str
    footer: str
    is_abstract: bool


@lru_cache(maxsize=1)
def list_themes() -> tuple[ThemeDescription, ...]:
    """The themes there are, by name. Read once: a new folder is seen when the program starts again."""
    return tuple(_describe(path.parent.name) for path in sorted((TEMPLATES / "email").glob("*/theme.toml")))


def _describe(name: str) -> ThemeDescription:
    with (TEMPLATES / "email" / name / "theme.toml").open("rb") as file:
        values = tomllib.load(file)
    languages = {key: values.pop(key) for key in list(values) if isinstance(values[key], dict)}
    return ThemeDescription(
        name=name,
        titles={locale: words["name"] for locale, words in languages.items()},
        descriptions={locale: words["description"] for locale, words in languages.items()},
        **values,
    )


def get_theme(
    name: str, options: Mapping[str, Any], *, own_host: str | None = None, language: str = DEFAULT_LOCALE
) -> Theme:
    """The theme `name` with a newsletter's `options` (see `theme_options`).

    `own_host` is the host a logo must lie on; without it any host will do. `language` is that of the mail, whose fonts
    depend on it. Raises `CompositionError`, naming
    everything wrong with the choice.
    """
    description = next((theme for theme in list_themes() if theme.name == name), None)
    chosen, problems = check_options(options, own_host=own_host)
    if description is None:
        raise CompositionError([N_("There is no such theme."), *problems])
    if problems:
        raise CompositionError(problems)
    colour = chosen.colour or description.colour
    fonts = STACKS[chosen.fonts or description.fonts]
    title_fonts = TITLE_STACKS.get(description.title_fonts, fonts)
    return Theme(
        name=name,
        mark=description.mark,
        colour=colour,
        night_colour=lighten(colour, NIGHT),
        ground=chosen.ground or description.ground,
        width=chosen.width or description.width,
        margin=description.margin,
        fonts=fonts.css_in(language),
        title_fonts=title_fonts.css_in(language),
        office_fonts=fonts.office_in(language),
        office_title_fonts=title_fonts.office_in(language),
        logo_url=chosen.logo_url,
        logo_alt=chosen.logo_alt,
        logo_width=chosen.logo_width,
        header=chosen.header,
        footer=chosen.footer,
        is_abstract=chosen.articles == "abstract",
    )
