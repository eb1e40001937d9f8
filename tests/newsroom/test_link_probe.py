import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.networks import is_public
from mailer.newsroom.link_probe import Probe, Verdict, probe


class Site:
    """A web server on loopback that answers by the path, and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                site.asked.append((self.command, self.path, self.headers["Host"]))
                kind, _, rest = self.path.lstrip("/").partition("/")
                if kind == "to":
                    self.send_response(302)
                    self.send_header("Location", rest if "://" in rest else f"/{rest}")
                else:
                    is_shy = kind == "shy" and self.command == "HEAD"
                    self.send_response(405 if is_shy else int(kind) if kind.isdigit() else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_GET = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://example.org:{self.port}"

    def resolve(self, host: str, _port: int) -> list[str]:
        return {"example.org": ["127.0.0.1"], "inside.example.org": ["127.0.0.2"]}.get(host, [host])

    def probe(self, path: str) -> Probe:
        return probe(self.url + path, may_ask=lambda number: number == "127.0.0.1", find=self.resolve, is_any_port=True)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever)
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


@pytest.mark.parametrize(
    ("path", "verdict", "status"),
    [
        ("/", Verdict.GOOD, 200), ("/404", Verdict.BROKEN, 404), ("/410", Verdict.BROKEN, 410),
        ("/403", Verdict.UNKNOWN, 403), ("/500", Verdict.UNKNOWN, 500), ("/429", Verdict.UNKNOWN, 429),
        ("/shy", Verdict.GOOD, 200), ("/to/to/200", Verdict.GOOD, 200), ("/to/404", Verdict.BROKEN, 404),
    ],
)  # fmt: skip
def test_the_answer_says_what_became_of_the_page(site: Site, path: str, verdict: Verdict, status: int) -> None:
    assert site.probe(path) == Probe(verdict, status)
    assert {host for _, _, host in site.asked} == {f"example.org:{site.port}"}


def test_a_page_is_asked_for_without_reading_it(site: Site) -> None:
    site.probe("/200")
    assert [method for method, *_ in site.asked] == ["HEAD"]


def test_a_circle_of_redirects_ends(site: Site) -> None:
    circle = "/" + "to/" * 12
    assert site.probe(circle).verdict is Verdict.BROKEN
    assert len(site.asked) == 6


def test_a_redirect_into_the_house_is_not_followed(site: Site) -> None:
    assert site.probe(f"/to/http://inside.example.org:{site.port}/secret").verdict is Verdict.FORBIDDEN
    assert site.probe(f"/to/http://127.0.0.2:{site.port}/secret").verdict is Verdict.FORBIDDEN
    assert site.probe("/to/file:///etc/passwd").verdict is Verdict.FORBIDDEN
    assert all(path.startswith("/to/") for _, path, _ in site.asked)


def test_a_name_with_one_number_inside_is_refused(site: Site) -> None:
    found = probe(
        site.url, may_ask=lambda number: number == "127.0.0.1", find=lambda *_: ["127.0.0.1", "127.0.0.2"],
        is_any_port=True,
    )  # fmt: skip
    assert found.verdict is Verdict.FORBIDDEN
    assert site.asked == []


def test_it_connects_to_the_number_that_was_judged_and_asks_for_no_second(site: Site) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    found = probe(
        site.url, may_ask=lambda number: number == "127.0.0.1", find=lambda *_: next(answers), is_any_port=True
    )
    assert found.verdict is Verdict.GOOD
    assert next(answers) == ["127.0.0.2"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://10.0.0.8/",
        "http://192.168.1.1/", "http://172.16.0.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
        "http://[::ffff:127.0.0.1]/", "http://[fe80::1]/", "http://[fc00::1]/", "http://[64:ff9b::7f00:1]/",
        "http://2130706433/", "http://0x7f.1/", "http://224.0.0.1/", "ftp://example.org/", "file:///etc/passwd",
        "gopher://127.0.0.1:70/", "http://user:pass@example.org/", "http://8.8.8.8:22/", "http://8.8.8.8:6379/",
        "http:///nothing", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_must_not_be_asked_is_not_asked(url: str) -> None:
    assert probe(url).verdict is Verdict.FORBIDDEN


@pytest.mark.parametrize("number", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_public_numbers_are_public(number: str) -> None:
    assert is_public(number)


@pytest.mark.parametrize(
    "number", ["2002:7f00:1::", "2002:a00:1::1", "::ffff:10.0.0.1", "fe80::1%eth0", "ff02::1", "::", "240.0.0.1"]
)
def test_an_inner_number_in_another_coat_is_not_public(number: str) -> None:
    assert not is_public(number)


def test_a_name_that_does_not_exist_is_broken_and_a_closed_port_too() -> None:
    import socket

    def nobody(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    def silent(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    assert probe("https://gone.example/", find=nobody).verdict is Verdict.BROKEN
    assert probe("https://gone.example/", find=silent).verdict is Verdict.UNKNOWN
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    closed = probe(f"http://127.0.0.1:{port}/", may_ask=lambda _: True, is_any_port=True)
    assert closed.verdict is Verdict.BROKEN


def _no_number(_host: str, _port: int) -> list[str]:
    return ["10.0.0.1"]


@given(st.text(max_size=60))
def test_whatever_an_editor_links_to_there_is_a_verdict(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        assert probe(url, find=_no_number).verdict in {Verdict.FORBIDDEN, Verdict.UNKNOWN}
