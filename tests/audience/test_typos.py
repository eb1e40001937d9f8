import pytest

from mailer.addresses import parse_address
from mailer.audience.typos import KNOWN, suggest


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ann@gmial.com", "ann@gmail.com"),
        ("Ann@163.con", "Ann@163.com"),
        ("ann@qq.cn", "ann@qq.com"),
        ("ann@hotmail.con", "ann@hotmail.com"),
        ("ann@outlook.co", "ann@outlook.com"),
        ("ann@foxmal.com", "ann@foxmail.com"),
    ],
)
def test_a_slip_of_the_finger_is_noticed(typed: str, meant: str) -> None:
    assert suggest(parse_address(typed)) == meant


@pytest.mark.parametrize(
    "email", ["ann@example.org", "ann@165.com", "ann@mail.example.com", "ann@mq.com", "a@例子.test", "a@most.gov.cn"]
)
def test_what_may_well_be_meant_is_left_alone(email: str) -> None:
    assert suggest(parse_address(email)) is None


@pytest.mark.parametrize("domain", KNOWN)
def test_what_is_known_is_right(domain: str) -> None:
    assert suggest(parse_address(f"ann@{domain}")) is None
