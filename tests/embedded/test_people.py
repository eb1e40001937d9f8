"""Made-up readers: as many as asked for, the same every time, and never anybody's address."""

import csv
import io

from mailer.addresses import parse_address
from mailer.embedded.people import DOMAINS, make_csv, make_people

RESERVED = ("example.org", "example.com", "example.net", ".example", ".test")


def test_every_address_is_different_valid_and_nobodys() -> None:
    people = list(make_people(6000))
    assert len({person.email for person in people}) == 6000
    assert {person.email.partition("@")[2] for person in people} == set(DOMAINS)
    for person in people[:: len(DOMAINS) + 1]:
        address = parse_address(person.email)
        assert address.domain.endswith(RESERVED)
        assert address.email == person.email


def test_the_same_people_come_in_the_same_order() -> None:
    assert list(make_people(50)) == list(make_people(80))[:50]


def test_the_file_has_a_header_in_chinese_and_a_line_for_each() -> None:
    content = make_csv(3)
    assert content.startswith(b"\xef\xbb\xbf"), "Excel needs the mark to read UTF-8"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["姓名", "邮箱"]
    assert [row[1] for row in rows[1:]] == [person.email for person in make_people(3)]
