"""Documents of strangers are read in a process of their own: bounded time and memory, no secrets, no files written.

A crash of a library, a decompression bomb or an endless loop ends that process and nothing else. What comes back is
JSON and pictures' bytes, never a pickle: a reader that was taken over can lie about the document, and no more.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any, cast

from mailer.errors import UnreadableError
from mailer.i18n import N_
from mailer.newsroom.readers.content import DocumentContent, Notice
from mailer.newsroom.readers.kinds import Kind
from mailer.newsroom.readers.limits import Limits
from mailer.newsroom.readers.telling import Step
from mailer.newsroom.structure.blocks import Block, Inset, Picture, is_linkable

# Windows programs do not start without it; nothing else of the environment is handed on.
_KEPT = ("SYSTEMROOT", "PATH")
_LENGTH_BYTES = 8
# A step on the way, "p37 100" and a line end, begins so; the answer, with the highest byte of a length, never does.
_STEP = b"p"
_LONGEST_STEP = 64


def read_confined(content: bytes, kind: Kind, limits: Limits, tell: Step | None = None) -> DocumentContent:
    """What the reader of `kind` makes of a file; `tell` hears how far it has come. Raises `UnreadableError` for
    everything that can go wrong.
    """
    command = [sys.executable, "-I", "-m", "mailer.newsroom.readers.child", kind.value, json.dumps(asdict(limits))]
    with subprocess.Popen(  # noqa: S603  (our own program)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
    ) as process:
        clock = threading.Timer(limits.seconds + 5, process.kill)
        feeder = threading.Thread(target=_feed, args=(process.stdin, content))
        clock.start()
        feeder.start()
        try:
            # The child cannot have more in its memory than this, so what says more is no answer.
            answer = _hear(cast("IO[bytes]", process.stdout), limits.memory, tell)
            if answer is None:
                process.kill()
            process.wait()
        finally:
            process.kill()
            clock.cancel()
            feeder.join()
    if process.returncode or answer is None:
        # Killed for its time or memory, or crashed: which of them it was says nothing to an editor.
        raise _too_costly(limits)
    return _unpacked(answer)


def _feed(stdin: IO[bytes] | None, content: bytes) -> None:
    """Hands the file over; a child that has ended needs no more of it."""
    if stdin is not None:
        with suppress(OSError), stdin:
            stdin.write(content)


def _hear(stdout: IO[bytes], limit: int, tell: Step | None) -> bytes | None:
    """The answer, after the steps before it; `None` where there is none, or one longer than `limit`."""
    while (head := stdout.read(1)) == _STEP:
        done, _, total = stdout.readline(_LONGEST_STEP).partition(b" ")
        if not (done.isdigit() and total.rstrip().isdigit()):
            return None
        if tell is not None:
            tell(int(done), int(total))
    rest = stdout.read(limit + 1)
    return None if not head or len(rest) > limit else head + rest


def child_environment() -> dict[str, str]:
    """What the reading process is told of its surroundings: none of the service's settings, so none of its secrets."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def _too_costly(limits: Limits) -> UnreadableError:
    return UnreadableError(
        N_(
            "Reading the document took more than %(seconds)d seconds or %(memory)d MiB, or it is damaged. "
            "Save it again, with smaller pictures or in parts, and try that."
        ),
        seconds=limits.seconds,
        memory=limits.memory // 2**20,
    )


def packed(content: DocumentContent) -> bytes:
    """What the child says: the length of a JSON header, the header, the pictures one after the other."""
    header = {
        "blocks": [_short(block) for block in content.blocks],
        "encoding": content.encoding,
        "pictures": [[len(one.content), one.media_type, one.alt] for one in content.pictures],
        "is_furniture_known": content.is_furniture_known,
        "notices": [[one.message, one.params, one.line] for one in content.notices],
    }
    return _framed(header) + b"".join(one.content for one in content.pictures)


def packed_refusal(error: UnreadableError) -> bytes:
    """The same for a document that was refused."""
    return _framed({"refused": error.message, "params": error.params, "place": error.place})


def packed_step(done: int, total: int) -> bytes:
    """That so many pages or paragraphs of so many are done."""
    return _STEP + b"%d %d\n" % (done, total)


def _framed(header: dict[str, Any]) -> bytes:
    encoded = json.dumps(header, ensure_ascii=False).encode("utf-8", "replace")
    return len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded


def _short(block: Block) -> dict[str, Any]:
    """A block's fields that are not at their defaults: most are."""
    return {name: value for name in _FIELDS if (value := getattr(block, name)) != _DEFAULTS.get(name, ...)}


_FIELDS = tuple(Block.__dataclass_fields__)
_DEFAULTS = {name: getattr(Block("?", 1), name) for name in _FIELDS if name not in {"text", "line"}}


def _unpacked(answer: bytes) -> DocumentContent:
    start = _LENGTH_BYTES + int.from_bytes(answer[:_LENGTH_BYTES], "big")
    header = json.loads(answer[_LENGTH_BYTES:start])
    if "refused" in header:
        raise UnreadableError(header["refused"], place=header["place"], **header["params"])
    pictures = []
    for length, media_type, alt in header["pictures"]:
        pictures.append(Picture(answer[start : start + length], media_type, alt))
        start += length
    return DocumentContent(
        [_block(values) for values in header["blocks"]],
        header["encoding"],
        tuple(pictures),
        tuple(Notice(message, params, line) for message, params, line in header["notices"]),
        is_furniture_known=header["is_furniture_known"],
    )


def _block(values: dict[str, Any]) -> Block:
    if "inset" in values:
        values["inset"] = Inset(values["inset"])
    if "cells" in values:
        values["cells"] = tuple(values["cells"])
    if "links" in values:
        values["links"] = tuple((words, address) for words, address in values["links"] if is_linkable(address))
    return Block(**values)
