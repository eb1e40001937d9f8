"""Addresses of built assets, each with a hash of its content, so that a browser may keep them for good."""

import json
from functools import lru_cache

from flask import Flask, Response, request, url_for
from markupsafe import Markup

from mailer.resources import STATIC


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    path = STATIC / "manifest.json"
    hashes: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    return hashes


def asset(name: str) -> str:
    """Address of the built file `name`."""
    return url_for("static", filename=name, v=_manifest().get(name, "0"))


def icon(name: str, css: str = "") -> Markup:
    """The icon `name` of `mailer/web/assets/src/icons.txt`, hidden from screen readers: words stand beside it."""
    return Markup('<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
        css, asset("icons.svg"), name
    )


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, icon=icon)

    @app.after_request
    def _keep(response: Response) -> Response:
        if request.endpoint == "static" and request.args.get("v") and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
