"""The golden mail of every theme in a real browser: as wide as a desktop's and a phone's, by day, by night, and as
webmail that drops the head shows it. axe-core finds nothing serious, and nothing scrolls sideways.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route

from mailer.press.previewing import Look, preview_html
from tests.press.test_golden import EDITIONS, GOLDEN, parts_of

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("view", [*Look, "night"])
@pytest.mark.parametrize("name", EDITIONS)
def test_a_theme_can_be_read_by_everybody(
    name: str, view: str, chromium: Browser, look: Callable[[Page, str], None]
) -> None:
    html = parts_of((GOLDEN / f"{name}.eml").read_bytes())["text/html"]
    context = chromium.new_context(
        viewport={"width": 700, "height": 900}, color_scheme="dark" if view == "night" else "light"
    )
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    context.route("**/*", refuse)
    page = context.new_page()
    page.set_content(preview_html(html, {}, Look.LIGHT if view == "night" else Look(view)))
    look(page, f"{name}-{view}")
    context.close()
    # The mail's own pictures are asked for, at our own site, and with pictures off not even they.
    assert not [url for url in asked if not url.startswith("https://news.example.org/")]
    assert view != Look.PICTURES_OFF or asked == []
