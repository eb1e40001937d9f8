"""Readers who do not exist: they find what a mail offers, fetch it over HTTP, and go nowhere else."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from mailer.embedded.readers import AGENTS, PROXY_AGENT, SECONDS_TO_NOTICE, Mail, Visit, mail_of, plan_visits, read
from mailer.feedback.rules import Fetch, Verdict, judge

HTML = """<html><body>
<img src="http://127.0.0.1:8000/static/logo.png"><img src="http://elsewhere.example/o/abc.gif">
<a href="http://127.0.0.1:8000/c/first/reader">one</a> <a href="http://127.0.0.1:8000/c/first/reader">one again</a>
<a href="http://127.0.0.1:8000/c/second/reader?a=1&amp;b=2">two</a> <a href="http://127.0.0.1:8000/u/leave">leave</a>
<a href="https://elsewhere.example/c/x/y">foreign</a>
<img src="http://127.0.0.1:8000/o/reader.gif" alt="">
</body></html>"""


class Server(ThreadingHTTPServer):
    """Notes who asked for what."""

    seen: list[tuple[str, str]]


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.seen.append((self.path, self.headers["User-Agent"]))
            self.send_response(404 if self.path == "/missing" else 302)
            self.send_header("Location", "http://elsewhere.example/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with Server(("127.0.0.1", 0), Handler) as running:
        running.seen = []
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def verdict_on(agent: str) -> Verdict:
    """Of an open as long after acceptance as these readers wait."""
    accepted = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    return judge(Fetch(accepted + dt.timedelta(seconds=SECONDS_TO_NOTICE), "GET", agent, accepted)).verdict


def test_a_mail_offers_its_own_pixel_and_counted_links_only() -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("http://127.0.0.1:8000/c/from-the-text/reader")
    message.add_alternative(HTML, subtype="html", cte="base64")
    mail = mail_of(message.as_bytes(), "http://127.0.0.1:8000", "http://127.0.0.1:8000")
    assert mail.pixel == "http://127.0.0.1:8000/o/reader.gif"
    assert mail.links == ("http://127.0.0.1:8000/c/first/reader", "http://127.0.0.1:8000/c/second/reader?a=1&b=2")


def test_a_letter_offers_nothing() -> None:
    message = EmailMessage()
    message.set_content("no HTML at all")
    assert mail_of(message.as_bytes(), "http://127.0.0.1:8000", "http://127.0.0.1:8000") == Mail(None, ())


def test_readers_stay_on_this_machine_whatever_the_public_address_is() -> None:
    message = EmailMessage()
    message.set_content(HTML.replace("http://127.0.0.1:8000", "https://news.example.org"), subtype="html", cte="base64")
    mail = mail_of(message.as_bytes(), "https://news.example.org", "http://127.0.0.1:8123")
    assert mail.pixel == "http://127.0.0.1:8123/o/reader.gif"
    assert len(mail.links) == 2
    assert all(link.startswith("http://127.0.0.1:8123/c/") for link in mail.links)


def test_readers_open_first_follow_earlier_links_more_often_and_never_look_like_scanners() -> None:
    mails = [Mail(f"/o/{n}.gif", tuple(f"/c/{n}/{k}" for k in range(8))) for n in range(400)]
    visits = list(plan_visits(mails, clicking=0.5))
    assert [visit.addresses[0] for visit in visits] == [mail.pixel for mail in mails]
    followed = [visit.addresses[1:] for visit in visits]
    assert 120 < sum(bool(links) for links in followed) < 280
    assert max(len(links) for links in followed) == 2, "three at once would be judged a scanner's burst"
    assert all(len(set(links)) == len(links) for links in followed)
    counts = Counter(link.rpartition("/")[2] for links in followed for link in links)
    assert counts["0"] > counts["7"] > 0
    assert {verdict_on(agent) for agent in AGENTS} == {Verdict.HUMAN}


def test_the_same_seed_makes_the_same_readers_and_proxies_are_known_as_such() -> None:
    mails = [Mail(f"/o/{n}.gif", ()) for n in range(10)]
    assert list(plan_visits(mails, seed=3)) == list(plan_visits(mails, seed=3))
    visits = list(plan_visits(mails, proxies=4))
    assert sum(visit.agent == PROXY_AGENT for visit in visits) == 4
    assert verdict_on(PROXY_AGENT) == Verdict.MACHINE


def test_visits_are_carried_out_and_redirects_not_followed(server: Server) -> None:
    address = f"http://127.0.0.1:{server.server_address[1]}"
    visits = [Visit((f"{address}/o/{n}.gif", f"{address}/c/{n}?a=b"), f"Agent {n}") for n in range(20)]
    assert read(visits) == 0
    assert sorted(server.seen) == sorted(
        (f"/{kind}", f"Agent {n}") for n in range(20) for kind in (f"o/{n}.gif", f"c/{n}?a=b")
    )


def test_what_was_not_answered_well_is_counted(server: Server) -> None:
    address = f"http://127.0.0.1:{server.server_address[1]}"
    assert read([Visit((f"{address}/missing", f"{address}/found"), "A"), Visit(("http://127.0.0.1:1/",), "B")]) == 2
