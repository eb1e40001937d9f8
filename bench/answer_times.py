"""Whether the time of an answer tells strangers what an address is to us: every page that takes one, for addresses we
know in every way there is, against addresses nobody has ever given us.

``python bench/answer_times.py [--each 300] [--pages sign-up,reading-link] [--bare] [--json]``

Starts a PostgreSQL, a Redis and the web server (gunicorn) of its own. The requests of one page go out one after the
other over one connection, known and unknown in turn, so that whatever the machine does besides is the same to both. The
pages are asked side by side, unless answers do not wait for the beat (`--bare`: what `mailer.web.even_times` hides).
For each kind of address: median and p95 beside those of the unknown, and how often it took longer (Mann-Whitney's U as
a share: 0.5 is never to be told apart), with the distance from 0.5 in standard deviations (`z`); beyond 4 it can be
told. The answers themselves are compared, too, byte for byte, once each one's own address and tokens are taken out.
"""

import argparse
import http.client
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

# Beyond this many standard deviations chance is no explanation any more: one in 16,000 for each comparison.
TOLD_APART = 4.0
WARM_UP = 20
UNKNOWN = "unknown"
NOTHING_KNOWN = (UNKNOWN, "unknown, once more")


@dataclass
class Site:
    """A connection to the web server, as one browser keeps it, and what its forms carry."""

    port: int
    network: int = 10
    connection: http.client.HTTPConnection = field(init=False)
    cookie: str = ""
    token: str = ""
    stamp: str = ""
    asked: int = 0

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None
    ) -> tuple[float, http.client.HTTPResponse, str]:
        """(milliseconds, answer, its text). Every request comes from another network, so that no bound is met."""
        self.asked += 1
        ip = f"{self.network}.{self.asked >> 8 & 255}.{self.asked & 255}.1"
        sent = {"X-Forwarded-For": ip, "Accept-Language": "en", "Cookie": self.cookie} | dict(headers or {})
        started = time.perf_counter()
        self.connection.request(method, path, body.encode() or None, sent)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        return (time.perf_counter() - started) * 1000, answer, text

    def open(self, path: str) -> None:
        """Looks at the page of a form and keeps what it carries."""
        _, answer, text = self.ask("GET", path)
        cookie = answer.getheader("Set-Cookie")
        if cookie:
            self.cookie = cookie.partition(";")[0]
        for name in ("csrf_token", "stamp"):
            found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', text)
            setattr(self, name.removeprefix("csrf_"), found[1] if found else "")

    def send(self, path: str, **fields: object) -> tuple[float, http.client.HTTPResponse, str]:
        body = urlencode({"csrf_token": self.token, "stamp": self.stamp} | fields, doseq=True)
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})


def main() -> None:
    options = _options()
    names = [name for name in PAGES if options.pages is None or name in options.pages]
    with _service(is_bare=options.bare) as port, ThreadPoolExecutor(1 if options.bare else len(names)) as pool:
        sites = [Site(port, network) for network in range(10, 10 + len(names))]
        report = dict(zip(names, pool.map(partial(_measure, options.each), sites, names), strict=True))
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        _tell(report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=300, help="requests of each kind")
    parser.add_argument("--pages", type=lambda said: said.split(","), help=", ".join(PAGES))
    parser.add_argument("--bare", action="store_true", help="without waiting for the beat")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


@contextmanager
def _service(*, is_bare: bool) -> Iterator[int]:
    """The port of a running web server with nobody else on it. No worker takes the letters away."""
    from mailer.embedded.scene import settings_of, temporary_folder
    from mailer.embedded.service import find_free_port
    from mailer.embedded.services import Postgres, Redis
    from mailer.migrations import upgrade

    port = find_free_port()
    with (
        temporary_folder("mailer-bench-") as folder,
        Postgres(folder, is_durable=False) as postgres,
        Redis(folder) as redis,
        settings_of(
            {
                "MAILER_DATABASE_URL": postgres.url,
                "MAILER_REDIS_URL": redis.url,
                "MAILER_RELAY_URL": "smtp://127.0.0.1:2525",
                "MAILER_SECRET_KEY": "a key for a bench, long enough and used nowhere else",
                "MAILER_PUBLIC_URL": f"http://127.0.0.1:{port}",
                "MAILER_DATA_DIR": str(folder),
                "MAILER_PROXIES": "1",
                "MAILER_SIGN_UPS_PER_HOUR": "100000",
            }
        ),
    ):
        upgrade()
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
                *("--pythonpath", str(Path(__file__).parent)),
                "answer_times:make_bare_app()" if is_bare else "mailer.web.app:create_app()",
                *("--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket"),
                *("--log-level", "warning", "--keep-alive", "30"),
            ],
            env=dict(os.environ),
        )
        try:
            _wait_for(port)
            yield port
        finally:
            server.terminate()
            server.wait(timeout=20)


def make_bare_app() -> Any:
    """The web application with every answer as soon as it is there."""
    from mailer.web import even_times
    from mailer.web.app import create_app

    even_times.BEAT = 1e-6
    return create_app()


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            Site(port).ask("GET", "/static/manifest.json")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web server does not answer")


# ---- addresses, by what they are to us ------------------------------------------------------------------------------


def make_addresses(kinds: tuple[str, ...], count: int, list_ids: list[int]) -> dict[str, list[str]]:
    """Kind -> addresses, each to be used once: after that it is another kind."""
    from mailer.db import session_scope

    found: dict[str, list[str]] = {}
    for kind in kinds:
        found[kind] = [f"{secrets.token_hex(6)}@example.org" for _ in range(count)]
        if kind not in NOTHING_KNOWN:
            with session_scope() as session:
                for email in found[kind]:
                    KINDS[kind](session, email, list_ids)
    return found


def _subscribed(session: Any, email: str, list_ids: list[int]) -> Any:
    from mailer.audience.models import Subscriber
    from mailer.audience.rules import Act
    from mailer.audience.subscriptions import Evidence, apply

    reader = Subscriber(email=email, email_key=email, domain="example.org", locale="en")
    session.add(reader)
    session.flush()
    apply(session, reader, list_ids, Act.CHOOSE, Evidence("yes"), source="import")
    return reader


def _left(session: Any, email: str, list_ids: list[int]) -> None:
    from mailer.audience.leaving import unsubscribe
    from mailer.links import UnsubscribeTarget

    reader = _subscribed(session, email, list_ids)
    unsubscribe(session, UnsubscribeTarget(reader.id, 0, tuple(list_ids)))


def _left_everything(session: Any, email: str, list_ids: list[int]) -> None:
    from mailer.audience.leaving import leave_all

    leave_all(session, _subscribed(session, email, list_ids).id)


def _complained(session: Any, email: str, list_ids: list[int]) -> None:
    from mailer.audience.rules import SuppressionReason
    from mailer.audience.suppressing import suppress

    _subscribed(session, email, list_ids)
    suppress(session, email_key=email, reason=SuppressionReason.COMPLAINT)


def _erased(session: Any, email: str, list_ids: list[int]) -> None:
    from mailer.privacy.erasing import erase

    erase(session, _subscribed(session, email, list_ids).id, None)


def _unconfirmed(session: Any, email: str, list_ids: list[int]) -> None:
    from mailer.audience.subscribing import sign_up

    sign_up(session, email=email, list_ids=list_ids, wording="yes")


def _written_to(session: Any, email: str, list_ids: list[int]) -> None:
    """The day's letters are used up."""
    from mailer.letters import write
    from mailer.letters.rules import LetterKind

    _subscribed(session, email, list_ids)
    for _ in range(3):
        parameters = {"subject": "A notice", "lines": ["A line."], "url": "http://127.0.0.1/"}
        write(session, LetterKind.NOTICE, address=email, locale="en", parameters=parameters)


def _account(session: Any, email: str, _list_ids: list[int]) -> None:
    from mailer.accounts import create_account

    create_account(session, email=email, name="Li", roles=["editor"], password=secrets.token_hex(12))


KINDS: dict[str, Callable[[Any, str, list[int]], Any]] = {
    "subscribed": _subscribed,
    "has left": _left,
    "has left everything": _left_everything,
    "complained": _complained,
    "erased": _erased,
    "unconfirmed": _unconfirmed,
    "written to": _written_to,
    "account": _account,
}
READERS = ("subscribed", "has left", "has left everything", "complained", "erased", "unconfirmed", "written to")


# ---- the pages ------------------------------------------------------------------------------------------------------


def _sign_up(site: Site, path: str, list_id: int, _number: int, email: str) -> tuple[Any, ...]:
    return site.send(path, email=email, name="", lists=list_id, agree="y", website="")


def _sign_up_by_json(site: Site, slug: str, wording: int, _number: int, email: str) -> tuple[Any, ...]:
    body = {"email": email, "lists": ["double"], "agree": True, "wording": wording, "stamp": site.stamp}
    sent = {"Content-Type": "application/json"}
    return site.ask("POST", f"/api/newsletters/{slug}/subscriptions", json.dumps(body), sent)


def _sign_up_elsewhere(site: Site, slug: str, _number: int, email: str) -> tuple[Any, ...]:
    return site.send(f"/api/newsletters/{slug}/form", email=email, list="double", agree="y", website="")


def _change_address(site: Site, tokens: list[str], number: int, email: str) -> tuple[Any, ...]:
    return site.send(f"/preferences/{tokens[number]}/address", email=email)


def _post_address(site: Site, path: str, _number: int, email: str) -> tuple[Any, ...]:
    return site.send(path, email=email)


def _prepare(site: Site, page: str, count: int) -> tuple[Callable[[int, str], tuple[Any, ...]], list[int]]:
    """What asks a page (number of the request, address), and the lists that known addresses stand on."""
    from mailer import links
    from mailer.db import session_scope
    from mailer.newsletters import create_list, create_newsletter

    slug = re.sub("[^a-z]+", "-", page.lower())
    with session_scope() as session:
        made = create_newsletter(
            session,
            slug=slug,
            title=page,
            language="en",
            sender_name="Bench",
            sender_address="bench@example.org",
            archive_access="subscribers",
        )
        double = create_list(session, made, slug="double", name="Double").id
        single = create_list(session, made, slug="single", name="Single", opt_in="single").id
        tokens = []
        if page == "change of address":
            for number in range(count):
                reader = _subscribed(session, f"asker{number}@example.org", [double])
                tokens.append(links.make_preferences_token(reader.id))
    path = f"/n/{slug}/subscribe"
    site.open("/account/forgotten" if page == "forgotten password" else path)
    if page == "sign-up by JSON":
        _, _, text = site.ask("GET", f"/api/newsletters/{slug}")
        site.stamp, wording = json.loads(text)["stamp"], json.loads(text)["wording"]["id"]
        return partial(_sign_up_by_json, site, slug, wording), [double]
    asks: dict[str, Callable[[int, str], tuple[Any, ...]]] = {
        "sign-up": partial(_sign_up, site, path, double),
        "sign-up, single": partial(_sign_up, site, path, single),
        "sign-up elsewhere": partial(_sign_up_elsewhere, site, slug),
        "change of address": partial(_change_address, site, tokens),
        "reading link": partial(_post_address, site, f"/n/{slug}/reading-link"),
        "forgotten password": partial(_post_address, site, "/account/forgotten"),
    }
    return asks[page], [single if page == "sign-up, single" else double]


PAGES: dict[str, tuple[str, ...]] = {
    "sign-up": READERS,
    "sign-up, single": READERS,
    "sign-up by JSON": READERS,
    "sign-up elsewhere": READERS,
    "change of address": READERS,
    "reading link": READERS,
    "forgotten password": ("account",),
}


def _measure(each: int, site: Site, page: str) -> dict[str, Any]:
    kinds = (*NOTHING_KNOWN, *PAGES[page])
    ask, list_ids = _prepare(site, page, each * len(kinds) + WARM_UP)
    addresses = make_addresses(kinds, each, list_ids)
    time.sleep(2.1)  # A form is not sent faster than a person can.
    site.connection.close()  # It has been idle for too long meanwhile; the next request opens it again.
    for number in range(WARM_UP):
        ask(number, f"warm{number}@example.org")
    took: dict[str, list[float]] = {kind: [] for kind in kinds}
    said: dict[str, set[str]] = {kind: set() for kind in kinds}
    number = WARM_UP
    for turn in range(each):
        for place in range(len(kinds)):
            # Another one first each time: what comes after what is no difference either.
            kind = kinds[(turn + place) % len(kinds)]
            milliseconds, answer, text = ask(number, addresses[kind][turn])
            if answer.status >= 400:
                raise SystemExit(f"{page}: {answer.status} for an address that is {kind}")
            took[kind].append(milliseconds)
            said[kind].add(_plain(answer, text, addresses[kind][turn]))
            number += 1
    unknown = took[UNKNOWN]
    return {
        kind: {
            "median_ms": round(statistics.median(times), 2),
            "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
            **_compare(times, unknown),
            "same_answer": said[kind] == said[UNKNOWN],
            "another": _first_difference(said[kind], said[UNKNOWN]),
        }
        for kind, times in took.items()
    }


def _plain(answer: http.client.HTTPResponse, text: str, email: str) -> str:
    """An answer without what is each request's own: address, tokens, clock, and how long a signed cookie is."""
    headers = sorted((name, value) for name, value in answer.getheaders() if name not in {"Date", "Content-Length"})
    whole = f"{answer.status} {headers} {text}".replace(email, "ADDRESS")
    whole = re.sub(r"(/preferences/)[\w-]+", r"\1TOKEN", whole)
    whole = re.sub(r"(mailer=)[^;]+", r"\1SESSION", whole)
    whole = re.sub(r"('X-RateLimit-Reset', ')\d+", r"\1MOMENT", whole)
    whole = re.sub(r"('Retry-After', ')\d+", r"\1SECONDS", whole)
    return re.sub(r'((?:csrf_token|stamp)"[^>]*value=")[^"]+', r"\1TOKEN", whole)


def _first_difference(known: set[str], unknown: set[str]) -> list[str]:
    """Where an answer departs from all that the others are told, and what they are told there."""
    for answer in sorted(known ^ unknown):
        others = unknown if answer in known else known
        at, near = max((_common(answer, each), each) for each in others)
        return [text[max(at - 60, 0) : at + 140] for text in (answer, near)]
    return []


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _compare(known: list[float], unknown: list[float]) -> dict[str, float]:
    """How often a known one took longer than an unknown one, and how far from half of the time that is."""
    ordered = sorted(unknown)
    wins = sum(bisect_left(ordered, each) + bisect_right(ordered, each) for each in known) / 2
    pairs = len(known) * len(unknown)
    deviation = (pairs * (len(known) + len(unknown) + 1) / 12) ** 0.5
    return {"longer": round(wins / pairs, 3), "z": round((wins - pairs / 2) / deviation, 1)}


def _tell(report: dict[str, Any]) -> None:
    for page, kinds in report.items():
        print(f"\n{page}")
        for kind, found in kinds.items():
            verdict = "" if abs(found["z"]) < TOLD_APART and found["same_answer"] else "  << told apart"
            print(
                f"  {kind:22} median {found['median_ms']:7.2f} ms  p95 {found['p95_ms']:7.2f} ms"
                f"  longer {found['longer']:.3f}  z {found['z']:+5.1f}"
                f"  {'same answer' if found['same_answer'] else 'ANOTHER ANSWER'}{verdict}"
            )
            for answer in found["another"]:
                print(f"    {answer!r}")


if __name__ == "__main__":
    main()
