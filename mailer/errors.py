"""Every error Mailer raises on purpose, in one tree.

::

    MailerError
    ├── RuleError            the caller asked for what the rules forbid     -> 409, or a message on the page
    ├── NotFoundError        no such thing                                  -> 404
    │   └── GoneError              it was there and has been retracted          -> 410, which says so
    ├── LinkError            bad, expired or foreign token                  -> 404, tells nothing more
    ├── UnreadableError      a file that cannot be read: where, and why     -> shown with line or page
    │   └── UnreadableFilesError   of several files, each that cannot be read
    ├── CompositionError     an edition that cannot be compiled: the list of problems
    ├── TransportError       (code, enhanced status, reply) of an SMTP conversation
    │   ├── DeferredError          try again later; nothing was taken
    │   ├── RejectedError          refused for good
    │   └── UnknownOutcomeError    the connection died between the final dot and its reply
    ├── ServiceError         a program of `mailer run` that cannot be found, started or kept running
    └── SettingsError        refuse to start, naming every bad setting

A message meant for a person is a `gettext` message id (English) with named `params`, so that the page, the mail or
the terminal translates it; `str(error)` is the English sentence.
"""

from collections.abc import Sequence


class MailerError(Exception):
    """Base of every error raised on purpose. `message` is a gettext id; `params` fill its ``%(name)s`` places."""

    def __init__(self, message: str, **params: object) -> None:
        self.message = message
        self.params = params
        super().__init__(message % params if params else message)


class RuleError(MailerError):
    """What was asked for is against the rules in the present state; nothing was changed."""


class NotFoundError(MailerError):
    """There is no such thing, or the caller may not know of it."""


class GoneError(NotFoundError):
    """It was there for everybody to read, and has been taken back in the open."""

    def __init__(self, message: str, *, issue_id: int) -> None:
        super().__init__(message)
        self.issue_id = issue_id


class LinkError(MailerError):
    """A public link's token is malformed, forged, expired, or made for another purpose."""


class UnreadableError(MailerError):
    """A file that cannot be read. `place` says where (a line, a page, a sheet), when that is known."""

    def __init__(self, message: str, *, place: str | None = None, **params: object) -> None:
        super().__init__(message, **params)
        self.place = place


class UnreadableFilesError(UnreadableError):
    """Several files of which some cannot be read: `problems` are (name, error), in their order; at least one. The
    first of them is what the error itself says, its `place` the file's name.
    """

    def __init__(self, problems: Sequence[tuple[str, UnreadableError]]) -> None:
        self.problems = tuple(problems)
        name, first = self.problems[0]
        super().__init__(first.message, place=name, **first.params)


class CompositionError(MailerError):
    """An edition that cannot be compiled; `problems` are sentences, each naming one thing to mend."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class TransportError(MailerError):
    """What an SMTP server said, or that it said nothing.

    `code` is the three-digit reply code (RFC 5321 section 4.2) or `None` where there was no reply; `enhanced` the
    enhanced status code ``class.subject.detail`` (RFC 3463) or `None`; `reply` the text, lines joined by a newline;
    `stage` the command it answered: ``connect``, ``greeting``, ``ehlo``, ``starttls``, ``auth``, ``mail``, ``rcpt``,
    ``data`` or ``content``.
    """

    def __init__(
        self, reply: str, *, code: int | None = None, enhanced: str | None = None, stage: str = "connect"
    ) -> None:
        self.code = code
        self.enhanced = enhanced
        self.reply = reply
        self.stage = stage
        super().__init__(reply)


class DeferredError(TransportError):
    """Try again later: nothing was taken."""


class RejectedError(TransportError):
    """Refused for good."""


class UnknownOutcomeError(TransportError):
    """The connection died between the final dot and its reply: only a person may decide to send again."""


class ServiceError(MailerError):
    """PostgreSQL, Redis or a process of ours cannot be found, started or kept running on this machine, and why."""


class SettingsError(MailerError):
    """The settings are wrong. `problems` names every bad one, never with a secret's value."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))
