"""The process that reads one document: ``python -m mailer.newsroom.readers.child KIND LIMITS``, file in, how far
it has come and then blocks out.
"""

import gc
import json
import os
import sys
from types import ModuleType

from mailer.errors import UnreadableError
from mailer.newsroom.readers.content import DocumentContent
from mailer.newsroom.readers.kinds import Kind
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.readers.packing import packed, packed_refusal, packed_step
from mailer.newsroom.readers.telling import be_told


def confine(limits: Limits) -> None:
    """Bounds memory and time of this process, and takes from it the right to write files or leave a core behind."""
    resource: ModuleType
    try:
        import resource
    except ImportError:  # Windows has no such limits; the parent's clock still holds
        return
    wanted = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for name, value in wanted.items():
        _, hard = resource.getrlimit(name)
        soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (soft, soft))


def read(content: bytes, kind: Kind, limits: Limits) -> DocumentContent:
    """Hands a file to its reader; libraries are loaded for the format that needs them."""
    if kind is Kind.DOCX:
        from mailer.newsroom.readers.docx import read_docx

        return read_docx(content, limits)
    if kind is Kind.PDF:
        from mailer.newsroom.readers.pdf import read_pdf

        return read_pdf(content, limits)
    from mailer.newsroom.readers.html import read_html

    return read_html(content, limits)


def _say(done: int, total: int) -> None:
    sys.stdout.buffer.write(packed_step(done, total))
    sys.stdout.buffer.flush()


def main(kind: str, limits_json: str) -> int:
    limits = Limits(**json.loads(limits_json))
    confine(limits)
    content = sys.stdin.buffer.read()
    be_told(_say)
    try:
        answer = packed(read(content, Kind(kind), limits))
    except UnreadableError as error:
        answer = packed_refusal(error)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    # It lives for one document: what it made is not looked through for rubbish, nor taken apart at the end.
    gc.disable()
    os._exit(main(*sys.argv[1:]))
