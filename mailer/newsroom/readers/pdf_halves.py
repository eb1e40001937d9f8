"""The pages of a long PDF, read by two processes: most of the time goes to pdfium, which reads one after the other.

The second one is a copy of the reading process, with the same limits. It answers in JSON and never returns.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mailer.newsroom.readers.pdf_links import Link
from mailer.newsroom.readers.pdf_text import Run

# Below that a copy costs as much as it saves.
_WORTHWHILE = 16


@dataclass(frozen=True, slots=True)
class PdfPage:
    """What is on a page: runs of text, its number of characters, links, its width in points, and whether it has
    pictures that nobody looked at yet.
    """

    runs: Sequence[Run] = ()
    length: int = 0
    links: Sequence[Link] = ()
    width: float = 0
    has_pictures: bool = False


def pages_in_halves(count: int, read: Callable[[int], PdfPage]) -> tuple[int, Iterator[PdfPage]]:
    """How many of `count` pages this process reads, and all of them in order; the others come when these are done.

    `read` is given a page's number, from 0. Raises `ChildProcessError` when the other process did not come through.
    """
    half = count // 2 if count >= _WORTHWHILE and _processors() > 1 else count
    if half == count:
        return count, map(read, range(count))
    return half, _pages(half, count, read)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "fork") and hasattr(os, "sched_getaffinity") else 1


def _pages(half: int, count: int, read: Callable[[int], PdfPage]) -> Iterator[PdfPage]:
    receiving, sending = os.pipe()
    process = os.fork()
    if process == 0:
        _answer(sending, half, count, read)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        for number in range(half):
            yield read(number)
        said = stream.read()
    _, status = os.waitpid(process, 0)
    if status:
        raise ChildProcessError(status)
    yield from map(_page, json.loads(said))


def _answer(sending: int, start: int, end: int, read: Callable[[int], PdfPage]) -> None:
    """Writes the pages and ends this process, come what may."""
    try:
        said = json.dumps([_said(read(number)) for number in range(start, end)]).encode("ascii")
        with os.fdopen(sending, "wb") as stream:
            stream.write(said)
        os._exit(0)
    finally:
        os._exit(1)


def _said(page: PdfPage) -> list[Any]:
    runs = [[r.text, r.left, r.right, r.y, r.size, r.is_bold, r.holes, r.order] for r in page.runs]
    links = [[one.left, one.bottom, one.right, one.top, one.address, one.words] for one in page.links]
    return [runs, page.length, links, page.width, page.has_pictures]


def _page(values: list[Any]) -> PdfPage:
    runs, length, links, width, has_pictures = values
    return PdfPage([_run(*run) for run in runs], length, [Link(*link) for link in links], width, has_pictures)


def _run(text: str, left: float, right: float, y: float, size: float, *rest: Any) -> Run:
    is_bold, holes, order = rest
    return Run(text, left, right, y, size, is_bold, tuple((at, start, end) for at, start, end in holes), order)
