from sqlalchemy.orm import Session

from mailer.dispatch.models import Mailing
from mailer.newsroom import approval
from mailer.reports.issues import count_recipients
from tests.newsroom.making import make_issue, make_newsletter


def test_the_readers_of_all_mailings_of_an_issue_are_added_up(session: Session) -> None:
    newsletter = make_newsletter(session)
    sent, unsent = make_issue(session, newsletter), make_issue(session, newsletter)
    approval.submit(session, sent, by=None)
    edition = approval.approve(session, sent, by=None)
    for key, roster in (("a", 120), ("b", 30), ("c", None)):
        session.add(
            Mailing(
                newsletter_id=newsletter.id,
                issue_id=sent.id,
                edition_id=edition.id,
                message_key=key,
                message_domain="example.org",
                roster_size=roster,
            )
        )
    session.flush()
    assert count_recipients(session, [sent.id, unsent.id]) == {sent.id: 150}
    assert count_recipients(session, []) == {}
