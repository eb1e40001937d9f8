"""Made-up readers: Chinese names with addresses under domains that can never belong to anyone (RFC 2606)."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

DOMAINS = (
    "example.org",
    "example.com",
    "example.net",
    "mail.example",
    "post.example",
    "news.test",
    "institute.example",
)
SURNAMES = (
    ("王", "wang"), ("李", "li"), ("张", "zhang"), ("刘", "liu"), ("陈", "chen"), ("杨", "yang"), ("黄", "huang"),
    ("赵", "zhao"), ("吴", "wu"), ("周", "zhou"), ("徐", "xu"), ("孙", "sun"), ("马", "ma"), ("朱", "zhu"),
    ("胡", "hu"), ("郭", "guo"), ("何", "he"), ("林", "lin"), ("罗", "luo"), ("高", "gao"), ("欧阳", "ouyang"),
    ("司马", "sima"), ("诸葛", "zhuge"),
)  # fmt: skip
GIVEN_NAMES = (
    ("伟", "wei"), ("芳", "fang"), ("秀英", "xiuying"), ("敏", "min"), ("静", "jing"), ("丽", "li"), ("强", "qiang"),
    ("磊", "lei"), ("洋", "yang"), ("勇", "yong"), ("艳", "yan"), ("杰", "jie"), ("娟", "juan"), ("涛", "tao"),
    ("明", "ming"), ("超", "chao"), ("秀兰", "xiulan"), ("霞", "xia"), ("平", "ping"), ("刚", "gang"),
    ("桂英", "guiying"), ("文博", "wenbo"), ("雨桐", "yutong"), ("子涵", "zihan"), ("思远", "siyuan"),
    ("晓东", "xiaodong"), ("嘉怡", "jiayi"), ("梓萱", "zixuan"), ("建国", "jianguo"), ("海燕", "haiyan"),
    ("若溪", "ruoxi"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A reader who does not exist."""

    name: str
    email: str


def make_people(count: int) -> Iterator[Person]:
    """`count` of them, each with another address, always the same ones in the same order."""
    for number in range(count):
        # Coprime lengths: names, given names and domains only meet again after 4,991 people; the number does the rest.
        surname, surname_latin = SURNAMES[number % len(SURNAMES)]
        given, given_latin = GIVEN_NAMES[number % len(GIVEN_NAMES)]
        local = f"{given_latin}.{surname_latin}{number + 1}"
        yield Person(surname + given, f"{local}@{DOMAINS[number % len(DOMAINS)]}")


def make_csv(count: int) -> bytes:
    """The same people as a file to import, as a spreadsheet program writes it."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(("姓名", "邮箱"))
    writer.writerows((person.name, person.email) for person in make_people(count))
    return file.getvalue().encode("utf-8-sig")
