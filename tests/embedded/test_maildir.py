"""The Maildir: what is kept is found, what was never a message is not, and nothing outside it is ever read."""

import datetime as dt
import mailbox as standard
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailer.errors import NotFoundError
from mailer.maildir import Maildir


@pytest.fixture
def maildir(tmp_path: Path) -> Maildir:
    return Maildir(tmp_path / "mail")


def message(subject: str = "第9期", to: str = "li.fang@example.org", **headers: str) -> bytes:
    made = EmailMessage()
    made["From"] = '"科技参考" <news@example.org>'
    made["To"] = to
    made["Subject"] = subject
    for name, value in headers.items():
        made[name] = value
    made.set_content("正文")
    made.add_alternative("<p>正文</p>", subtype="html", cte="base64")
    return made.as_bytes()


def test_a_kept_message_is_read_back_in_every_form(maildir: Maildir) -> None:
    content = b"Delivered-To: wang@example.com\r\n" + message()
    key = maildir.keep(content)
    kept = maildir.get(key)
    assert kept.source == content
    assert (kept.summary.subject, kept.summary.sender) == ("第9期", "科技参考")
    assert kept.summary.sender_address == "news@example.org"
    assert kept.summary.recipient == "wang@example.com"
    assert kept.summary.size == len(content)
    assert abs(kept.summary.received_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert kept.text
    assert kept.text.strip() == "正文"
    assert kept.html
    assert "<p>正文</p>" in kept.html
    assert ("Subject", "第9期") in kept.headers


def test_messages_are_listed_newest_first_in_pages(maildir: Maildir) -> None:
    keys = [maildir.keep(message(f"No. {number}")) for number in range(7)]
    first, last = maildir.list_messages(per_page=5), maildir.list_messages(page=2, per_page=5)
    assert [each.key for each in first.messages + last.messages] == keys[::-1]
    assert (first.total, first.pages, last.number) == (7, 2, 2)
    assert maildir.list_messages(page=99, per_page=5).number == 2
    assert maildir.list_messages(page=-3, per_page=5).number == 1


def test_a_search_looks_into_subject_sender_and_recipient(maildir: Maildir) -> None:
    wanted = maildir.keep(message("ISSUE of May", to="zhao@example.org"))
    maildir.keep(message("六月", to="qian@example.org"))
    assert [each.key for each in maildir.list_messages(search=" issue OF ").messages] == [wanted]
    assert [each.key for each in maildir.list_messages(search="ZHAO@").messages] == [wanted]
    assert maildir.list_messages(search="科技参考").total == 2
    assert maildir.list_messages(search="no such words").total == 0


def test_an_empty_or_missing_maildir_has_no_messages(maildir: Maildir) -> None:
    page = maildir.list_messages()
    assert (page.messages, page.total, page.pages) == ((), 0, 1)
    assert maildir.count() == 0
    assert not maildir.folder.exists(), "looking makes nothing"


@pytest.mark.parametrize(
    "key",
    [
        "../secret",
        "..",
        ".",
        "",
        "new/1.M1.x",
        "/etc/passwd",
        "1795492524.M230054/../../secret",
        "1\x00",
        "1.M1\n",
        "x" * 300,
    ],
)
def test_a_key_that_no_message_could_have_leads_nowhere(maildir: Maildir, key: str) -> None:
    maildir.keep(message())
    (maildir.folder / "secret").write_bytes(message("secret"))
    with pytest.raises(NotFoundError):
        maildir.get(key)


def test_a_link_in_the_maildir_is_listed_by_no_name_a_message_has(maildir: Maildir, tmp_path: Path) -> None:
    maildir.keep(message())
    (tmp_path / "outside").write_bytes(message("outside"))
    (maildir.folder / "new" / "outside").symlink_to(tmp_path / "outside")
    assert maildir.list_messages().total == 1


def test_a_message_that_another_program_marked_as_seen_keeps_its_key(maildir: Maildir) -> None:
    key = maildir.keep(message())
    (maildir.folder / "new" / key).rename(maildir.folder / "cur" / f"{key}:2,S")
    assert maildir.get(key).summary.subject == "第9期"
    assert [each.key for each in maildir.list_messages().messages] == [key]


def test_any_mail_program_can_read_it(maildir: Maildir) -> None:
    maildir.keep(message())
    [read] = standard.Maildir(maildir.folder, create=False)
    assert read["To"] == "li.fang@example.org"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n\r\n",
        b"no header at all",
        b"Subject: \xff\xfe raw bytes\r\nFrom: \xe4\xbd\xa0\r\n\r\nbody",
        b"Subject: =?no-such-charset?b?5L2g?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xff",
        b"Subject: =?utf-8?b?!!!?=\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n***",
        b"From: <<<>>>,,\r\nTo: \r\n\r\n",
    ],
)
def test_whatever_arrives_can_be_shown(maildir: Maildir, content: bytes) -> None:
    kept = maildir.get(maildir.keep(content))
    assert kept.source == content
    assert maildir.list_messages(search="").total == 1
    shown = [kept.summary.subject, kept.summary.sender, kept.html or "", kept.text or "", *map(str, kept.headers)]
    "".join(shown).encode()  # lone surrogates could not be sent to a browser: this would raise


def test_a_sender_cannot_pass_for_another_by_an_encoded_name(maildir: Maildir) -> None:
    key = maildir.keep(b"From: =?utf-8?q?boss=40example=2Ecom=2C?= <stranger@example.org>\r\n\r\n")
    summary = maildir.get(key).summary
    assert summary.sender_address == "stranger@example.org"


def test_attachments_are_named(maildir: Maildir) -> None:
    made = EmailMessage()
    made["Subject"] = "with a file"
    made.set_content("see the file")
    made.add_attachment(b"12345", maintype="application", subtype="pdf", filename="简报.pdf")
    made.add_attachment("second text", filename="notes.txt")
    kept = maildir.get(maildir.keep(made.as_bytes()))
    first, second = kept.attachments
    assert (first.name, first.content_type, first.size) == ("简报.pdf", "application/pdf", 5)
    assert second.name == "notes.txt"
    assert kept.text
    assert "see the file" in kept.text


def test_clearing_deletes_messages_and_nothing_else(maildir: Maildir) -> None:
    for _ in range(3):
        maildir.keep(message())
    (maildir.folder / "notes").write_text("mine")
    assert maildir.clear() == 3
    assert maildir.count() == 0
    assert (maildir.folder / "notes").read_text() == "mine"


def test_every_message_of_two_writers_has_a_name_of_its_own(maildir: Maildir) -> None:
    script = (
        "import sys, pathlib; from mailer.maildir import Maildir\n"
        "for _ in range(200): Maildir(pathlib.Path(sys.argv[1])).keep(b'child')"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(maildir.folder)])
    keys = {maildir.keep(b"parent") for _ in range(200)}
    assert child.wait(timeout=60) == 0
    assert len(keys) == 200
    assert maildir.count() == 400
    assert list((maildir.folder / "tmp").iterdir()) == []
    assert [content for _, content in maildir.read_all()].count(b"child") == 200
