"""How far an import has come, told to the page that waits for it: by Redis, for a minute or two, never in the way."""

import json
import re
import time
from functools import lru_cache
from typing import Any

from flask import Response, jsonify
from redis import Redis
from redis.exceptions import RedisError

from mailer.newsroom.readers.telling import Progress, Stage
from mailer.settings import get_settings
from mailer.web.desk import blueprint
from mailer.web.desk.rights import may_edit, only
from mailer.web.locale import gettext
from mailer.web.signing_in import get_account

_KEY = re.compile(r"[A-Za-z0-9-]{8,64}")
_KEPT_SECONDS = 120
# Nobody looks more often.
_LEAST_SECONDS = 0.25
# Reading is most of the work; the rest of the bar is for arranging and keeping.
_SHARE_OF_READING = 80
_ARRANGING, _STORING = 85, 92


class Teller:
    """Tells what `key`, chosen by the page, names; of this account alone. Without a sound key it tells nobody."""

    def __init__(self, key: str) -> None:
        self._name = _name(key) if _KEY.fullmatch(key) else None
        self._last: tuple[Stage, int] | None = None
        self._at = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._name is None:
            return
        now, this = time.monotonic(), (progress.stage, progress.file)
        if this == self._last and now - self._at < _LEAST_SECONDS:
            return
        self._last, self._at = this, now
        try:
            _redis().set(self._name, json.dumps(_as_json(progress)), ex=_KEPT_SECONDS)
        except RedisError:
            # An import is worth more than word of it.
            self._name = None


@blueprint.get("/imports/<key>")
@only(may_edit)
def import_progress(key: str) -> Response:
    """`{"words", "percent"}` of the import that the page has begun; both empty while nothing is known."""
    found: Any = None
    if _KEY.fullmatch(key):
        try:
            found = _redis().get(_name(key))
        except RedisError:
            found = None
    if found is None:
        return jsonify(words="", percent=0)
    said = json.loads(found)
    return jsonify(words=_words(said), percent=said["percent"])


def _as_json(progress: Progress) -> dict[str, Any]:
    if progress.stage is Stage.READING:
        own = progress.done / progress.total if progress.total else 0.0
        percent = round(_SHARE_OF_READING * (progress.file - 1 + own) / max(1, progress.files))
    else:
        percent = _ARRANGING if progress.stage is Stage.ARRANGING else _STORING
        own = 0.0
    return {
        "stage": progress.stage,
        "name": progress.name,
        "file": progress.file,
        "files": progress.files,
        "own": round(100 * own),
        "percent": percent,
    }


def _words(said: dict[str, Any]) -> str:
    if said["stage"] == Stage.ARRANGING:
        return gettext("Looking for masthead, contents list and articles…")
    if said["stage"] == Stage.STORING:
        return gettext("Keeping the articles and their pictures…")
    if said["files"] > 1:
        return gettext(
            "Reading file %(file)s of %(files)s, “%(name)s”: %(own)s %%",
            file=said["file"],
            files=said["files"],
            name=said["name"],
            own=said["own"],
        )
    return gettext("Reading “%(name)s”: %(own)s %%", name=said["name"], own=said["own"])


def _name(key: str) -> str:
    return f"mailer.import.{get_account().id}.{key}"


def _redis() -> Redis:
    return _client(get_settings().redis_url.get_secret_value())


@lru_cache(maxsize=1)
def _client(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
