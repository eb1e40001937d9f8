import pytest

from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.errors import SettingsError
from mailer.settings import get_settings


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://mail.example.org", "none", 25),
        ("smtp+starttls://mail.example.org", "starttls", 587),
        ("smtps://mail.example.org", "tls", 465),
        ("smtps://mail.example.org:2465", "tls", 2465),
    ],
)
def test_the_scheme_says_the_security_and_the_usual_port(url: str, security: str, port: int) -> None:
    relay = RelayAddress.from_url(url)
    assert (relay.host, relay.security, relay.port) == ("mail.example.org", security, port)


def test_login_is_percent_decoded_and_options_are_read() -> None:
    relay = RelayAddress.from_url(
        "smtp+starttls://news%40example.org:p%3Aw%2F@mail.example.org"
        "?connections=4&messages=8&ehlo=out.example.org&ca=authorities.pem&verify=no&source=127.0.0.1",
        name="main",
    )
    assert relay == RelayAddress(
        name="main",
        host="mail.example.org",
        port=587,
        security="starttls",
        username="news@example.org",
        password="p:w/",
        ehlo_name="out.example.org",
        connections=4,
        messages_per_connection=8,
        ca_file="authorities.pem",
        is_verified=False,
        source_address="127.0.0.1",
    )


def test_fields_given_beside_the_address_win() -> None:
    assert RelayAddress.from_url("smtp://a.test?connections=3", connections=7, ehlo_name="e.test").connections == 7


def test_an_ipv6_host_is_read() -> None:
    assert RelayAddress.from_url("smtp://[::1]:2525").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.example.org",
        "smtp://",
        "mail.example.org:25",
        "smtp://a.test:99999",
        "smtp://a.test:x",
        "smtp://a.test?connections=0",
        "smtp://a.test?connections=-1",
        "smtp://a.test?connections=many",
        "smtp://a.test?conections=5",
        "smtp://a.test?verify=maybe",
    ],
)
def test_an_address_that_is_not_understood_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        RelayAddress.from_url(url)


def test_a_password_is_never_shown() -> None:
    assert "s3cret" not in repr(RelayAddress.from_url("smtp://user:s3cret@a.test"))
    with pytest.raises(SettingsError) as caught:
        RelayAddress.from_url("smtp://user:s3cret@a.test:99999")
    assert "s3cret" not in str(caught.value)


def test_authorities_that_cannot_be_read_are_named() -> None:
    relay = RelayAddress.from_url("smtps://a.test", ca_file="/nonexistent/ca.pem")
    with pytest.raises(SettingsError, match=r"/nonexistent/ca\.pem"):
        relay.tls_context()


def test_the_standard_timeouts_are_at_least_those_of_the_standard() -> None:
    # RFC 5321 section 4.5.3.2.
    timeouts = Timeouts()
    assert timeouts.greeting >= 300
    assert timeouts.mail >= 300
    assert timeouts.rcpt >= 300
    assert timeouts.data >= 120
    assert timeouts.block >= 180
    assert timeouts.content >= 600


def test_timeouts_are_the_standards_until_an_operator_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Timeouts.from_settings() == Timeouts()
    for number, name in enumerate(
        ("CONNECT", "TLS", "GREETING", "COMMAND", "MAIL", "RCPT", "DATA", "BLOCK", "CONTENT", "QUIT")
    ):
        monkeypatch.setenv(f"MAILER_SMTP_{name}_SECONDS", str(number + 1))
    get_settings.cache_clear()
    assert Timeouts.from_settings() == Timeouts(*range(1, 11))
    monkeypatch.undo()
    get_settings.cache_clear()
