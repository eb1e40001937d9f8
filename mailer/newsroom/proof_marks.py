"""What tells a test from the mail that it shows: words before everything else, in both parts, and a footer that does
not say that whoever reads the test has subscribed.
"""

from dataclasses import dataclass
from html import escape

from mailer.i18n import N_, translate
from mailer.newsroom.rules import IssueState
from mailer.press.plaintext import COLUMNS, wrap
from mailer.press.slots import ADDRESS, slot

TEST = N_("Test of %(issue)s (%(state)s), sent by %(sender)s to %(receiver)s for a look. Nothing of it is counted.")
TEST_OF_THE_SERVICE = N_("Test of %(issue)s (%(state)s), sent to %(receiver)s for a look. Nothing of it is counted.")
AS_A_READER = N_("Personal fields are filled in as for one reader of the newsletter.")
NO_SUBSCRIPTION = N_(
    "This is a test, sent to %(receiver)s. It belongs to no subscription; its links to leave one lead nowhere."
)
# The theme's own sentence at the end of both parts (`email/shared`), which a test must not say.
CLAIM = "You receive this mail at %(address)s because you subscribed to %(title)s."
STATES = {
    IssueState.DRAFT: N_("as a draft"),
    IssueState.IN_REVIEW: N_("in review"),
    IssueState.APPROVED: N_("approved"),
}
# Inlined: the mail is compiled already. Dark ink on light yellow, whatever a client makes of the colours around it.
_STYLE = (
    "padding:10px 16px;background-color:#fff3bf;color:#3d2f00;border-bottom:2px solid #b08900;"
    "font-size:14px;line-height:1.6;text-align:left"
)


@dataclass(frozen=True, slots=True)
class ProofWords:
    """What a test says of itself, in the issue's language; `title` is the issue's, as its footer names it."""

    language: str
    title: str
    issue: str
    state: IssueState
    sender: str
    is_as_reader: bool

    def head(self, receiver: str) -> str:
        """Whose test it is, of what, and how far that has come."""
        said = translate(
            self.language,
            TEST if self.sender else TEST_OF_THE_SERVICE,
            issue=self.issue,
            state=translate(self.language, STATES[IssueState(self.state)]),
            sender=self.sender,
            receiver=receiver,
        )
        # A full-width full stop brings its own room.
        between = "" if said.endswith("。") else " "
        return f"{said}{between}{translate(self.language, AS_A_READER)}" if self.is_as_reader else said

    def foot(self, receiver: str) -> str:
        return translate(self.language, NO_SUBSCRIPTION, receiver=receiver)

    @property
    def claim(self) -> str:
        return translate(self.language, CLAIM, address=slot(ADDRESS), title=self.title)


def mark_html(html: str, words: ProofWords, receiver: str) -> str:
    """`html` with its words on top, behind the preheader, so that the inbox shows what it will show its readers."""
    band = f'<div role="note" style="{_STYLE}">{escape(words.head(receiver))}</div>\n'
    before, table, after = html.partition('<table role="presentation"')
    return (before + band + table + after).replace(escape(words.claim, quote=False), escape(words.foot(receiver)))


def mark_text(text: str, words: ProofWords, receiver: str) -> str:
    """The same for the text part."""
    line = "=" * COLUMNS
    head = f"{line}\n{wrap(words.head(receiver))}\n{line}\n\n"
    return head + text.replace(wrap(words.claim), wrap(words.foot(receiver)))
