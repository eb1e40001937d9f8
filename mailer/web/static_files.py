"""Built assets: addresses that carry a hash of their content, served compressed and kept by browsers for good."""

import json
import re
from functools import lru_cache
from wsgiref.headers import Headers

from flask import Flask, url_for
from markupsafe import Markup
from whitenoise import WhiteNoise

from mailer.resources import STATIC

HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    path = STATIC / "manifest.json"
    names: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    return names


def asset(name: str) -> str:
    """Address of the built file `name`."""
    return url_for("static", filename=_manifest().get(name, name))


def icon(name: str, css: str = "") -> Markup:
    """The icon `name` of `mailer/web/assets/src/icons.txt`, hidden from screen readers: words stand beside it."""
    return Markup('<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        css, asset("icons.svg"), name
    )


def _no_sniffing(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"


def _is_immutable(_path: str, url: str) -> bool:
    return HASHED.search(url) is not None


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, icon=icon)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(STATIC),
        prefix="static/",
        immutable_file_test=_is_immutable,
        add_headers_function=_no_sniffing,
        allow_all_origins=False,
    )
