"""Whether a relay would take our mail: connect, greeting, EHLO, TLS, sign in, NOOP; with a verdict in words."""

import asyncio
import time
from dataclasses import dataclass, field

from mailer.dispatch.smtp.relay import RelayAddress, Timeouts
from mailer.dispatch.smtp.session import Session, open_session
from mailer.dispatch.smtp.transmission import new_event_loop
from mailer.errors import DeferredError
from mailer.i18n import N_, translate

# A person waits for the answer: seconds, not the minutes that mail itself may take.
PROBE_TIMEOUTS = Timeouts(connect=10, tls=10, greeting=15, command=15, quit=2)

WORKS = N_("The relay %(relay)s takes mail.")
ADVICE = {
    "connect": N_("Check the host name and the port, and whether a firewall lies between."),
    "greeting": N_("Something listens there, but it does not let this machine in: ask who runs the relay."),
    "ehlo": N_("Check that it is an SMTP server, and set MAILER_EHLO_NAME to this machine's full host name."),
    "starttls": N_("Check the port, the security setting, and that the certificate is valid for this host name."),
    "auth": N_("Check the user name and the password, and that the relay allows signing in this way."),
    "noop": N_("The relay let us in and then broke off: try again, and ask who runs it."),
}
FAILURES = {
    "connect": N_("The relay %(relay)s cannot be reached: %(reply)s"),
    "greeting": N_("The relay %(relay)s does not greet: %(reply)s"),
    "ehlo": N_("The relay %(relay)s does not accept our introduction: %(reply)s"),
    "starttls": N_("TLS with the relay %(relay)s fails: %(reply)s"),
    "auth": N_("The relay %(relay)s does not let us sign in: %(reply)s"),
    "noop": N_("The relay %(relay)s stopped answering: %(reply)s"),
}


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found. `verdict` and `advice` are gettext ids, filled with `params` by `in_words`.

    `stage` is the step that failed, or ``noop`` where all went well; `offers` are the EHLO keywords.
    """

    is_ok: bool
    stage: str
    verdict: str
    advice: str
    params: dict[str, str]
    code: int | None = None
    reply: str = ""
    is_tls: bool = False
    greeting: str = ""
    offers: frozenset[str] = field(default_factory=frozenset)
    seconds: float = 0.0

    def in_words(self, locale: str) -> str:
        """The verdict and, where it failed, what to do."""
        said = translate(locale, self.verdict, **self.params)
        return f"{said} {translate(locale, self.advice)}" if self.advice else said


async def probe(relay: RelayAddress, *, timeouts: Timeouts = PROBE_TIMEOUTS) -> ProbeResult:
    """Knocks at `relay` without sending anything. Whatever the relay does is a result, not an error."""
    began = time.monotonic()
    session: Session | None = None
    try:
        session = await open_session(relay, timeouts)
        reply = await session.ask(b"NOOP", timeouts.command, "noop")
    except DeferredError as fault:
        return _failed(relay, fault.stage, _words(fault), fault.code, session, time.monotonic() - began)
    finally:
        if session is not None:
            await session.connection.quit(timeouts.quit)
    return ProbeResult(
        is_ok=True,
        stage="noop",
        verdict=WORKS,
        advice="",
        params={"relay": relay.name},
        code=reply.code,
        reply=reply.text,
        is_tls=session.is_tls,
        greeting=session.greeting,
        offers=session.offers.keywords,
        seconds=time.monotonic() - began,
    )


def probe_now(relay: RelayAddress, *, timeouts: Timeouts = PROBE_TIMEOUTS) -> ProbeResult:
    """As `probe`, where no event loop runs: a page, a command, the doctor."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(probe(relay, timeouts=timeouts))


def _words(fault: DeferredError) -> str:
    return f"{fault.code} {fault.reply}" if fault.code else fault.reply


def _failed(
    relay: RelayAddress, stage: str, words: str, code: int | None, session: Session | None, seconds: float
) -> ProbeResult:
    return ProbeResult(
        is_ok=False,
        stage=stage,
        verdict=FAILURES[stage],
        advice=ADVICE[stage],
        params={"relay": relay.name, "reply": words},
        code=code,
        reply=words,
        is_tls=session is not None and session.is_tls,
        greeting=session.greeting if session else "",
        offers=session.offers.keywords if session else frozenset(),
        seconds=seconds,
    )
