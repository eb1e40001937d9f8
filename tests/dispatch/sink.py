"""A real SMTP server on a loopback socket that can defer, refuse, hang, drop and lie; it keeps what it gets.

::

    with Sink() as sink:
        sink.answer("rcpt", "550 5.1.1 No such user", when=lambda step: step.recipient == "gone@example.org")
        sink.answer("content", DROP, times=1)
        ... send to sink.url ...
        sink.wait_for(lambda: len(sink.messages) == 3)

A stage is ``greeting``, ``ehlo``, ``starttls``, ``auth``, ``mail``, ``rcpt``, ``data`` (before its 354), ``body`` (in
the midst of the content), ``content`` (the final dot), ``rset``, ``noop`` or ``quit``. An answer is a reply's text
(several lines make a multi-line reply), raw bytes, one of `DROP`, `RESET`, `HANG`, or a `Late`, `Slow`, `Flood` or
`Then`. A message whose final dot is answered with a fault was taken all the same; the client cannot know.
"""

import asyncio
import base64
import hashlib
import hmac
import itertools
import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


class Fault:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


DROP = Fault("DROP")  # closes in an orderly way (FIN)
RESET = Fault("RESET")  # closes with an RST
HANG = Fault("HANG")  # says nothing until the client goes away


@dataclass(frozen=True)
class Late:
    """The answer, after `seconds`."""

    seconds: float
    answer: "Answer | None" = None


@dataclass(frozen=True)
class Held:
    """The answer, once `until` holds: looked at on the server's own loop, so it may read what the server has taken."""

    until: Callable[[], bool]
    answer: "Answer | None" = None


@dataclass(frozen=True)
class Slow:
    """The answer, one byte every `seconds`."""

    seconds: float
    answer: "str | bytes"


@dataclass(frozen=True)
class Flood:
    """`chunk` again and again, `total` bytes in all or until the client goes away."""

    chunk: bytes
    total: int = 1_000_000_000


@dataclass(frozen=True)
class Then:
    """The answer, and then a fault: ``Then("250 taken", DROP)``."""

    answer: "str | bytes"
    fault: Fault


Answer = str | bytes | Fault | Late | Held | Slow | Flood | Then


@dataclass(frozen=True)
class Message:
    """One accepted message; `content` is what stood between DATA and the final dot, dot-stuffing undone."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    is_tls: bool
    username: str | None
    connection: int
    at: float
    parameters: str

    @property
    def recipient(self) -> str:
        return self.recipients[0]


@dataclass
class Step:
    """Where a conversation stands when it asks for an answer."""

    stage: str
    line: str
    connection: int
    messages: int  # taken on this connection so far
    sender: str = ""
    recipients: tuple[str, ...] = ()
    content: bytes = b""

    @property
    def recipient(self) -> str:
        return self.recipients[-1] if self.recipients else ""


@dataclass
class Rule:
    stage: str
    answer: Answer
    when: Callable[[Step], bool]
    times: float


class Gone(Exception):  # noqa: N818
    """The conversation is over, by the script's will or the client's."""


@dataclass
class Sink:
    """See the module. `offers` are the EHLO keywords; with `users` (login -> password) AUTH is offered and wanted."""

    offers: Iterable[str] = ("PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES")
    greeting: str = "220 sink.test ESMTP ready"
    users: dict[str, str] = field(default_factory=dict)
    mechanisms: str = "PLAIN LOGIN CRAM-MD5"
    tls: ssl.SSLContext | None = None
    is_implicit_tls: bool = False
    keeps_content: bool = True
    port: int = 0

    def __post_init__(self) -> None:
        self.messages: list[Message] = []
        self.commands: list[str] = []  # every line heard, in order
        self.segments: list[bytes] = []  # what each read gave, before it was cut into lines
        self.counts: Counter[str] = Counter()  # recipient -> messages taken
        self.connections = 0  # ever opened
        self.open = 0  # now
        self.most_open = 0
        self.written = 0  # bytes sent by floods
        self._rules: list[Rule] = []
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._is_up = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread: threading.Thread | None = None

    # --- the test's side -------------------------------------------------------------------------------------------

    def answer(
        self, stage: str, answer: Answer, *, when: Callable[[Step], bool] = lambda _: True, times: float = float("inf")
    ) -> "Sink":
        """From now on the first matching rule answers; after `times` answers a rule is spent."""
        self._rules.append(Rule(stage, answer, when, times))
        return self

    def behave(self) -> None:
        """Forgets every rule."""
        self._rules.clear()

    def wait_for(self, condition: Callable[[], bool], timeout: float = 30) -> None:
        """Until `condition` holds; looked at whenever anything happens here. Raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError("what the test waited for did not happen")

    @property
    def url(self) -> str:
        scheme = "smtps" if self.is_implicit_tls else "smtp+starttls" if self.tls else "smtp"
        login = next((f"{name}:{password}@" for name, password in self.users.items()), "")
        return f"{scheme}://{login}127.0.0.1:{self.port}"

    def start(self) -> Self:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listener,), name="sink", daemon=True)
        self._thread.start()
        self._is_up.wait()
        return self

    def stop(self) -> None:
        """Closes the port and every conversation; `start` opens the same port again."""
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._loop.close()

    # --- the server's side -----------------------------------------------------------------------------------------

    def _run(self, listener: socket.socket) -> None:
        asyncio.set_event_loop(self._loop)
        context = self.tls if self.is_implicit_tls else None
        self._server = self._loop.run_until_complete(
            # The limit is for one line; content is read in blocks.
            asyncio.start_server(self._serve, sock=listener, ssl=context, limit=1 << 20)
        )
        self._loop.call_soon(self._is_up.set)
        self._loop.run_forever()
        self._is_up.clear()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        # asyncio does this only for sockets made with their protocol's number; 40 ms a step without it.
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        conversation = Conversation(self, reader, writer, next(self._numbers))
        with self._changed:
            self.connections += 1
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self._changed.notify_all()
        try:
            await conversation.run()
        except (Gone, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with self._changed:
                self.open -= 1
                self._changed.notify_all()

    def _note(self, line: str) -> None:
        with self._changed:
            self.commands.append(line)
            self._changed.notify_all()

    def _keep(self, message: Message) -> None:
        with self._changed:
            self.messages.append(message)
            self.counts.update(message.recipients)
            self._changed.notify_all()

    def _find(self, step: Step) -> Answer | None:
        for rule in self._rules:
            if rule.stage == step.stage and rule.times > 0 and rule.when(step):
                rule.times -= 1
                return rule.answer
        return None


class Conversation:
    """One connection, from greeting to goodbye."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.sink, self.reader, self.writer, self.number = sink, reader, writer, number
        self.is_tls = sink.is_implicit_tls
        self.username: str | None = None
        self.taken = 0
        self.buffer = b""
        self.forget()

    def forget(self) -> None:
        self.sender: str | None = None
        self.parameters = ""
        self.recipients: list[str] = []

    async def run(self) -> None:
        await self.say("greeting", self.sink.greeting)
        while True:
            line = (await self.read_line()).decode("utf-8", "surrogateescape")
            self.sink._note(line)
            verb = line.split(" ")[0].upper()
            method = getattr(self, "do_" + verb.lower(), None)
            if method is None:
                await self.write("500 5.5.1 What?")
            else:
                await method(line)

    # --- reading and writing ---

    async def fill(self) -> None:
        data = await self.reader.read(1 << 16)
        if not data:
            raise Gone
        self.sink.segments.append(data)
        self.buffer += data

    async def read_line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            await self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    async def read_content(self, fault: Answer | None) -> bytes:
        if fault is not None:
            while not self.buffer:
                await self.fill()
            await self.give(fault)
        while not (self.buffer.startswith(b".\r\n") or b"\r\n.\r\n" in self.buffer):
            await self.fill()
        if self.buffer.startswith(b".\r\n"):
            self.buffer = self.buffer[3:]
            return b""
        content, self.buffer = self.buffer.split(b"\r\n.\r\n", 1)
        return re.sub(rb"(?m)^\.", b"", content + b"\r\n")

    async def say(self, stage: str, default: str | None, line: str = "", content: bytes = b"") -> Answer | None:
        """Answers by the script, else with `default`. Gives back the script's answer, if it had one."""
        answer = self.sink._find(self.step(stage, line, content))
        if answer is not None:
            await self.give(answer, default)
        elif default is not None:
            await self.write(default)
        return answer

    def step(self, stage: str, line: str = "", content: bytes = b"") -> Step:
        return Step(stage, line, self.number, self.taken, self.sender or "", tuple(self.recipients), content)

    async def give(self, answer: Answer, default: str | None = None) -> None:
        match answer:
            case str() | bytes():
                await self.write(answer)
            case Late() | Held():
                await self.linger(answer)
                await self.give(answer.answer if answer.answer is not None else default or "250 late")
            case Slow(seconds, text):
                for byte in encode(text):
                    self.writer.write(bytes([byte]))
                    await self.writer.drain()
                    await asyncio.sleep(seconds)
            case Flood(chunk, total):
                while self.sink.written < total:
                    self.writer.write(chunk)
                    await self.writer.drain()
                    self.sink.written += len(chunk)
            case Then(text, fault):
                await self.write(text)
                await self.give(fault)
            case Fault():
                await self.fail(answer)

    async def linger(self, answer: Late | Held) -> None:
        if isinstance(answer, Late):
            await asyncio.sleep(answer.seconds)
            return
        while not answer.until():  # noqa: ASYNC110  (the test's condition tells nobody when it changes)
            await asyncio.sleep(0.01)

    async def fail(self, fault: Fault) -> None:
        if fault is HANG:
            while await self.reader.read(1 << 16):
                pass
        elif fault is RESET:
            raw = self.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        raise Gone

    async def write(self, text: str | bytes) -> None:
        self.writer.write(encode(text))
        await self.writer.drain()

    # --- commands ---

    async def do_ehlo(self, line: str) -> None:
        self.forget()
        offers = list(self.sink.offers)
        if self.sink.tls and not self.is_tls:
            offers.append("STARTTLS")
        if self.sink.users:
            offers.append(f"AUTH {self.sink.mechanisms}")
        await self.say("ehlo", "\n".join(["250 sink.test", *(f"250 {offer}" for offer in offers)]), line)

    async def do_helo(self, line: str) -> None:
        self.forget()
        await self.write("250 sink.test")

    async def do_starttls(self, line: str) -> None:
        if self.sink.tls is None:
            await self.write("502 5.5.1 Not here")
        elif await self.say("starttls", "220 2.0.0 Go ahead", line) is None:
            self.buffer = b""
            await self.writer.start_tls(self.sink.tls)
            self.is_tls = True

    async def do_auth(self, line: str) -> None:
        if await self.say("auth", None, line) is not None:
            return
        _, mechanism, *initial = line.split(" ")
        name, is_right = await getattr(self, "auth_" + mechanism.lower().replace("-", "_"))(initial)
        if is_right:
            self.username = name
            await self.write("235 2.7.0 Welcome")
        else:
            await self.write("535 5.7.8 Authentication credentials invalid")

    async def auth_plain(self, initial: list[str]) -> tuple[str, bool]:
        token = initial[0] if initial else await self.challenge(b"")
        _, name, password = base64.b64decode(token).decode().split("\0")
        return name, self.sink.users.get(name) == password

    async def auth_login(self, _initial: list[str]) -> tuple[str, bool]:
        name = base64.b64decode(await self.challenge(b"Username:")).decode()
        password = base64.b64decode(await self.challenge(b"Password:")).decode()
        return name, self.sink.users.get(name) == password

    async def auth_cram_md5(self, _initial: list[str]) -> tuple[str, bool]:
        question = f"<{time.time_ns()}@sink.test>".encode()
        name, _, digest = base64.b64decode(await self.challenge(question)).decode().rpartition(" ")
        right = hmac.new(self.sink.users.get(name, "").encode(), question, hashlib.md5).hexdigest()
        return name, hmac.compare_digest(right, digest)

    async def challenge(self, question: bytes) -> str:
        await self.write(f"334 {base64.b64encode(question).decode()}")
        return (await self.read_line()).decode()

    async def do_mail(self, line: str) -> None:
        if self.sink.users and self.username is None:
            await self.write("530 5.7.0 Authentication required")
        elif self.sender is not None:
            await self.write("503 5.5.1 Nested MAIL")
        else:
            sender, self.parameters = parse_path(line)
            answer = await self.say("mail", "250 2.1.0 Sender ok", line)
            self.sender = sender if is_positive(answer) else None

    async def do_rcpt(self, line: str) -> None:
        if self.sender is None:
            await self.write("503 5.5.1 MAIL first")
            return
        self.recipients.append(parse_path(line)[0])
        if not is_positive(await self.say("rcpt", "250 2.1.5 Recipient ok", line)):
            self.recipients.pop()

    async def do_data(self, line: str) -> None:
        if not self.recipients:
            # The script may make a server that lies: RFC 2920 section 3.1 warns of those that answer 354 here.
            answer = await self.say("data", "503 5.5.1 No valid recipients", line)
            if isinstance(answer, str) and answer.startswith("354"):
                await self.read_content(None)
                await self.write("554 5.5.1 No valid recipients")
            return
        answer = await self.say("data", "354 End data with <CR><LF>.<CR><LF>", line)
        if answer is not None and not is_positive(answer):
            return
        content = await self.read_content(self.sink._find(self.step("body")))
        sender, recipients = self.sender or "", tuple(self.recipients)
        answer = self.sink._find(self.step("content", "", content))
        # Kept before it is answered: a message whose reply is lost was taken all the same.
        if is_positive(answer) or isinstance(answer, Fault):
            self.taken += 1
            kept = content if self.sink.keeps_content else b""
            self.sink._keep(
                Message(
                    sender, recipients, kept, self.is_tls, self.username, self.number, time.monotonic(), self.parameters
                )
            )
        self.forget()
        if answer is None:
            await self.write("250 2.0.0 Taken")
        else:
            await self.give(answer, "250 2.0.0 Taken")

    async def do_rset(self, line: str) -> None:
        self.forget()
        await self.say("rset", "250 2.0.0 Forgotten", line)

    async def do_noop(self, line: str) -> None:
        await self.say("noop", "250 2.0.0 Ok", line)

    async def do_quit(self, line: str) -> None:
        await self.say("quit", "221 2.0.0 Bye", line)
        raise Gone


def encode(text: str | bytes) -> bytes:
    """Several lines become a multi-line reply: ``250-first``, ``250 last``."""
    if isinstance(text, bytes):
        return text
    lines = text.split("\n")
    code = lines[0][:3]
    bodies = [line[4:] if line[:3] == code else line for line in lines]
    marks = ["-"] * (len(lines) - 1) + [" "]
    return "".join(f"{code}{mark}{body}\r\n" for mark, body in zip(marks, bodies, strict=True)).encode()


def parse_path(line: str) -> tuple[str, str]:
    path, _, parameters = line.partition(":")[2].partition(">")
    return path.strip().removeprefix("<"), parameters.strip()


def is_positive(answer: Answer | None) -> bool:
    """Whether an answer takes what was offered."""
    match answer:
        case None:
            return True
        case str():
            return answer[:1] in "23"
        case Late(_, later) | Held(_, later):
            return later is None or is_positive(later)
        case Slow(_, text) | Then(text, _):
            return encode(text)[:1] in b"23"
    return False
