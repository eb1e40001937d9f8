"""A test: the issue as it stands now, mailed to colleagues for a look. It is no mailing and counts nowhere."""

import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import accounts, letters
from mailer.accounts.models import Account
from mailer.addresses import parse_address
from mailer.audience.models import Subscriber, Subscription
from mailer.audience.rules import SubscriptionState
from mailer.errors import RuleError
from mailer.i18n import N_, translate
from mailer.letters.models import Letter
from mailer.newsletters.models import List
from mailer.newsroom.compiling import compile_issue, get_content
from mailer.newsroom.models import Issue
from mailer.newsroom.proof_marks import ProofWords, mark_html, mark_text
from mailer.newsroom.wording import issue_name

# A test is for colleagues; whoever wants to reach more makes a list.
MOST = 10


def send_proof(
    session: Session, issue: Issue, addresses: str, *, by: Account | None, reader: Subscriber | None = None
) -> list[Letter]:
    """Mails the issue to `addresses`, parted by commas, semicolons or blanks, marked as a test in its subject and above
    everything else (`proof_marks`). Links are plain and there is no pixel: a test leaves no trace in the figures.
    Personal slots show what `reader` has told; their id alone is kept, so that a letter keeps nothing of them.

    Raises `RuleError` for an address that is none, for none at all and for more than ten; `CompositionError` where
    the issue cannot be compiled.
    """
    parts = [part for part in re.split(r"[\s,;，；、]+", addresses) if part]
    receivers = list({parsed.key: parsed.email for parsed in map(parse_address, parts)}.values())
    if not receivers:
        raise RuleError(N_("Say where the test is to go."))
    if len(receivers) > MOST:
        raise RuleError(N_("A test goes to at most %(most)s addresses."), most=str(MOST))
    content, compiled = get_content(session, issue), compile_issue(session, issue)
    words = ProofWords(
        language=compiled.language,
        title=content.title,
        issue=issue_name(issue, compiled.language),
        state=issue.state,
        sender=by.name if by else "",
        is_as_reader=reader is not None,
    )
    parameters: dict[str, Any] = {
        "subject": translate(compiled.language, N_("[Test] %(subject)s"), subject=compiled.subject),
        "language": compiled.language,
        "web_url": content.web_url,
    }
    if reader is not None:
        parameters["reader_id"] = reader.id
    written = [
        letters.write(
            session,
            letters.LetterKind.PROOF,
            address=receiver,
            locale=compiled.language,
            parameters=parameters
            | {
                "html": mark_html(compiled.html, words, receiver),
                "text": mark_text(compiled.text, words, receiver),
            },
            newsletter_id=issue.newsletter_id,
        )
        for receiver in receivers
    ]
    accounts.record(
        session, by=by, action="issue.proof_sent", subject_type="issue", subject_id=issue.id, count=len(written)
    )
    return written


def find_reader(session: Session, newsletter_id: int, address: str) -> Subscriber | None:
    """Who reads the newsletter at `address`, for a preview as they get it. Raises `RuleError` for what is none."""
    return session.scalar(
        select(Subscriber)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .join(List, List.id == Subscription.list_id)
        .where(
            Subscriber.email_key == parse_address(address).key,
            Subscriber.erased_at.is_(None),
            Subscription.state == SubscriptionState.CONFIRMED,
            List.newsletter_id == newsletter_id,
        )
        .limit(1)
    )
