"""A real web server on loopback over the test's database, a real headless Chromium, and axe-core.

Where no Chromium is found the browser tests alone are left out, said aloud; in CI its absence is a failure.
"""

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import make_server

from mailer.resources import PACKAGE
from tests.conftest import forget_settings

AXE = PACKAGE / "web" / "assets" / "node_modules" / "axe-core" / "axe.min.js"
# A new Chromium looks up its maker's hosts at every start; there are none to find here.
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
SCREENSHOTS = os.environ.get("MAILER_TEST_SCREENSHOTS")
# A condition is waited for, and a busy machine takes its time: Playwright's own five seconds are for quiet ones.
expect.set_options(timeout=20_000)


def find_chromium() -> str | None:
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if find_chromium() or os.environ.get("CI"):
        return
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine: install Debian's chromium"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    assert path is not None, "CI must have a Chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def site(database: str, redis: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Address of a running web server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("MAILER_PUBLIC_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MAILER_MAILBOX_DIR", str(tmp_path / "mailbox"))
    forget_settings()
    from mailer.web.app import create_app

    server = make_server("127.0.0.1", port, create_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join(timeout=10)
    # An answer still under way holds a connection of the engine that is let go of below.
    for handler in threading.enumerate():
        if "process_request_thread" in handler.name:
            handler.join(timeout=10)
    server.server_close()
    monkeypatch.undo()
    forget_settings()


@pytest.fixture(params=["zh-CN", "en"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def new_context(chromium: Browser, site: str) -> Iterator[Callable[..., BrowserContext]]:
    """Makes a browser of its own for each person of a test. Console errors and refused loads fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: object) -> BrowserContext:
        context = chromium.new_context(
            base_url=site, **{"locale": "zh-CN", "viewport": {"width": 1280, "height": 900}, **options}
        )  # type: ignore[arg-type]
        context.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on(
            "request",
            lambda request: (
                complaints.append(request.url)
                if not request.url.startswith((site, "data:", "about:", "blob:"))
                else None
            ),
        )
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: ConsoleMessage) -> bool:
    # A form that was refused is answered with 422 on purpose; Chromium notes that as an error of loading.
    return message.type == "error" and "status of 422" not in message.text


@pytest.fixture
def look(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Checks a page with axe-core, at desktop and phone width, and keeps a picture if MAILER_TEST_SCREENSHOTS says."""
    test = request.node.name

    def check(page: Page, name: str) -> None:
        # A click ends once its navigation is committed: there is no document to look at yet.
        page.wait_for_load_state("load")
        size = page.viewport_size
        for width in (size["width"] if size else 1280, 375):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
                f"{name} scrolls sideways at {width} px"
            )
            if SCREENSHOTS:
                Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=f"{SCREENSHOTS}/{test}-{name}-{width}.png", full_page=True)
            _axe(page, f"{name} at {width} px")
        if size:
            page.set_viewport_size(size)

    return check


def _axe(page: Page, name: str) -> None:
    # Evaluated, not added as a script: the page's policy allows no script but its own.
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    result = page.evaluate("() => axe.run(document, {resultTypes: ['violations'], iframes: false})")
    serious = [
        {
            "rule": found["id"],
            "where": [(node["target"], node.get("any") and node["any"][0]["message"]) for node in found["nodes"]][:5],
            "help": found["help"],
        }
        for found in result["violations"]
        if found["impact"] in {"serious", "critical"}
    ]
    assert serious == [], f"{name}: {json.dumps(serious, ensure_ascii=False, indent=1)}"
