import pytest

from mailer.errors import RuleError
from mailer.newsletters.rules import check_origin


@pytest.mark.parametrize(
    ("pasted", "origin"),
    [
        ("https://www.example.org", "https://www.example.org"),
        (" https://WWW.Example.org/ ", "https://www.example.org"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_an_origin_is_scheme_host_and_port(pasted: str, origin: str) -> None:
    assert check_origin(pasted) == origin


@pytest.mark.parametrize(
    "pasted",
    ["", "example.org", "http://www.example.org", "https://a@example.org", "https://example.org/page", "null", "*",
     "https://example.org?x", "javascript:alert(1)", "https://example.org:x", "https://[x"],
)  # fmt: skip
def test_what_names_no_site_or_more_than_one_is_refused(pasted: str) -> None:
    with pytest.raises(RuleError):
        check_origin(pasted)
