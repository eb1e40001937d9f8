"""What an edition costs to compile and to print; how fast messages are filled, and how little their size matters.

Compiling is measured in a process of its own for the first time, which imports and reads everything, then warm, with
Premailer's share; an issue far too long is drawn several times to find what to abridge. The reference for filling
builds the same message with the standard library's `email.message`, from text already filled in: what a sender does
that assembles each reader's message anew. Run: ``python bench/press.py [BULLETIN]``; without a bulletin the issue is
made up, about as long as an ordinary one.
"""

import datetime as dt
import multiprocessing
import sys
import time
import timeit
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from mailer.press.content import ArticleContent, Content
from mailer.press.message import Identity, MessageTemplate, assemble
from mailer.press.slots import ADDRESS, NAME, PREFERENCES_URL, READER, UNSUBSCRIBE_URL, fill_html, fill_text, slot

IDENTITY = Identity(
    sender_name="科技情报参考编辑部",
    sender_address="bulletin@example.org",
    reply_to="editors@example.org",
    list_id="all.bulletin.example.org",
    list_name="科技情报参考",
    archive_url="https://news.example.org/n/bulletin/",
    help_url="https://news.example.org/help",
    owner_address="owner@example.org",
    feedback_id="12:34:bulletin:mailer",
)
SUBJECT = "科技情报参考 2024年第9期：深耕生物医药产业沃土"
WEB_URL = "https://news.example.org/n/bulletin/issues/9"
DATE = dt.datetime(2024, 9, 30, 8, 0, tzinfo=dt.UTC)
SENTENCE = "<p>各类创新主体积极响应、深度参与概念验证中心的建设和运营，为科技成果转化提供了有力支撑。</p>"


def make_parts(kilobytes: int, links: int) -> tuple[str, str]:
    """HTML of about `kilobytes` with `links` tracked links, and a text part of a third of it."""
    link = f'<a href="https://news.example.org/c/{"A" * 60}/{slot(READER)}">标题</a>'
    count = kilobytes * 1000 // len(SENTENCE.encode())
    step = max(1, count // max(1, links))
    body = "".join(SENTENCE + (link if not at % step else "") for at in range(count))
    last = f'<a href="{slot(UNSUBSCRIBE_URL)}">退订</a> <a href="{slot(PREFERENCES_URL)}">设置</a>'
    foot = f"{slot(NAME)} {slot(ADDRESS)} {last}"
    html = f'<html lang="zh-CN"><body><a href="{slot(UNSUBSCRIBE_URL)}">退订</a>{body}{foot}</body></html>'
    text = SENTENCE * (count // 3) + f"\n{slot(UNSUBSCRIBE_URL)}\n{slot(PREFERENCES_URL)}\n"
    return html, text


def values_of(number: int) -> dict[str, str]:
    return {
        READER: f"AbCdEfGhIjKlMn{number:06d}",
        UNSUBSCRIBE_URL: f"https://news.example.org/u/AbCdEfGhIjKlMnOpQrSt{number:06d}",
        PREFERENCES_URL: f"https://news.example.org/preferences/AbCdEfGhIjKlMn{number:06d}",
    }


def fill(template: MessageTemplate, number: int) -> bytes:
    pieces = template.fill(
        to=f"reader{number}@example.com",
        to_name="李雷",
        message_id=f"{number}.abcdef@example.org",
        date=DATE,
        slots=values_of(number),
    )
    return b"".join(pieces)


def build(html: str, text: str, number: int) -> bytes:
    """The reference."""
    address = f"reader{number}@example.com"
    values = {NAME: "李雷", ADDRESS: address, **values_of(number)}
    message = EmailMessage(policy=policy.SMTP.clone(max_line_length=998))
    message["From"] = Address(IDENTITY.sender_name, addr_spec=IDENTITY.sender_address)
    message["To"] = Address("李雷", addr_spec=address)
    message["Subject"] = SUBJECT
    message["Date"] = DATE
    message["Message-ID"] = f"<{number}.abcdef@example.org>"
    message["List-Unsubscribe"] = f"<{values[UNSUBSCRIBE_URL]}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["List-Id"] = "<all.bulletin.example.org>"
    message.set_content(fill_text(text, values), cte="base64")
    message.add_alternative(fill_html(html, values), subtype="html", cte="base64")
    return message.as_bytes()


def rate(work: object, count: int) -> float:
    """Calls per second, the best of three."""
    return count / min(timeit.repeat(work, number=count, repeat=3))  # type: ignore[arg-type]


def make_issue(articles: int, paragraphs: int) -> Content:
    made = tuple(
        ArticleContent(key=key, title=f"第{key}篇", body=SENTENCE * paragraphs, url=f"{WEB_URL}/articles/{key}")
        for key in range(1, articles + 1)
    )
    return Content(
        title="科技情报参考", subject=SUBJECT, number="9", year=2024, articles=made, web_url=WEB_URL,
        archive_url=IDENTITY.archive_url,
    )  # fmt: skip


def read_issue(path: Path) -> Content:
    from mailer.newsroom.parsing import parse_file
    from mailer.newsroom.sampling import content_of

    return content_of(parse_file(path), "bulletin")


def compile_once(content: Content) -> None:
    """In a new process: what the first preview after a start waits for."""
    began = time.perf_counter()
    from mailer.press.compiling import compile_edition

    imported = time.perf_counter()
    compile_edition(content)
    print(
        f"first: imports {1000 * (imported - began):.0f} ms, compile {1000 * (time.perf_counter() - imported):.0f} ms"
    )


def compile_warm(name: str, content: Content) -> None:
    from mailer.press import drafting

    spent: list[float] = []
    inline = drafting.inline_css

    def timed(html: str) -> str:
        began = time.perf_counter()
        inlined = inline(html)
        spent.append(time.perf_counter() - began)
        return inlined

    drafting.inline_css = timed
    from mailer.press.compiling import compile_edition

    compile_edition(content)
    best, share, draws = float("inf"), 0.0, 0
    for _ in range(5):
        spent.clear()
        drafting._draft.cache_clear()
        began = time.perf_counter()
        compiled = compile_edition(content)
        took = time.perf_counter() - began
        if took < best:
            best, share, draws = took, sum(spent) / took, len(spent)
    drafting.inline_css = inline
    began = time.perf_counter()
    compile_edition(content)
    again = time.perf_counter() - began
    size = len(compiled.html.encode()) / 1000
    print(
        f"{name}: {size:.0f} KB, {1000 * best:.0f} ms, Premailer {share:.0%} of it in {draws} drawings,"
        f" {len(compiled.shortened)} of {len(content.articles)} shortened; asked for again {1000 * again:.0f} ms"
    )


def print_it(name: str, content: Content) -> None:
    from mailer.press.printing import print_edition

    began = time.perf_counter()
    pdf = print_edition(content)
    print(f"{name} printed: {len(pdf) / 1000:.0f} KB of PDF, {1000 * (time.perf_counter() - began):.0f} ms")


def main() -> None:
    issue = read_issue(Path(sys.argv[1])) if len(sys.argv) > 1 else make_issue(6, 12)
    first = multiprocessing.get_context("spawn").Process(target=compile_once, args=(issue,))
    first.start()
    first.join()
    compile_warm("issue", issue)
    compile_warm("issue far too long", make_issue(40, 80))
    compile_warm("issue of sixty articles", make_issue(60, 12))
    print_it("issue", issue)
    print_it("issue of a hundred pages", make_issue(40, 80))
    print(f"{'HTML':>8} {'slots':>6} {'message':>9} {'fill':>12} {'email.message':>14} {'ratio':>7}")
    for kilobytes, links in ((5, 3), (5, 20), (36, 6), (90, 20)):
        html, text = make_parts(kilobytes, links)
        template = assemble(SUBJECT, html, text, "zh_CN", IDENTITY, WEB_URL)
        size = len(fill(template, 1))
        numbers = iter(range(10**9))
        ours = rate(lambda: fill(template, next(numbers)), 5000)  # noqa: B023
        theirs = rate(lambda: build(html, text, next(numbers)), 100)  # noqa: B023
        slots = html.count("~mailer.slot.") + text.count("~mailer.slot.")
        print(
            f"{len(html.encode()) / 1000:6.1f}KB {slots:6d} {size / 1000:7.1f}KB"
            f" {ours:10.0f}/s {theirs:12.0f}/s {ours / theirs:6.1f}x"
        )


if __name__ == "__main__":
    main()
