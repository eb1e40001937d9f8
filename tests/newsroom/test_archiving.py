"""What the archive shows of a sent issue: the edition that was released, and nothing of what was retracted."""

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.accounts.models import AuditEntry
from mailer.errors import GoneError, RuleError
from mailer.newsletters.models import Newsletter
from mailer.newsroom import approval, archiving, correcting, editing, editions, house_writing
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue
from mailer.newsroom.searching import search
from tests.newsroom.making import make_account, make_issue, make_newsletter

SENT = dt.datetime(2026, 3, 1, 2, tzinfo=dt.UTC)


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    return make_newsletter(session)


def approve(session: Session, issue: Issue) -> Edition:
    approval.submit(session, issue, by=None)
    edition = approval.approve(session, issue, by=None)
    session.commit()
    return edition


@pytest.fixture
def issue(session: Session, newsletter: Newsletter) -> Issue:
    """Sent."""
    issue = make_issue(session, newsletter)
    archiving.mark_sent(session, approve(session, issue).id, SENT)
    session.commit()
    return issue


def correct(session: Session, issue: Issue) -> Edition:
    correcting.begin(session, issue, "数字有误。", by=None)
    article = issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, body="<p>改正后的内容。</p>")
    return approve(session, issue)


def acts(session: Session, issue: Issue) -> list[tuple[str, int, str | None, str]]:
    return [(act.act, ordinal, name, act.note) for act, ordinal, name in archiving.list_archive_acts(session, issue.id)]


def found(session: Session, issue: Issue, words: str) -> int:
    return len(search(session, words, [issue.newsletter_id]).hits)


def test_a_correction_is_shown_when_it_is_released_and_not_before(session: Session, issue: Issue) -> None:
    anna = make_account(session, "Anna")
    right = correct(session, issue)
    assert archiving.find_waiting(session, issue) is right
    assert editions.get_published(session, issue.newsletter_id, issue.id)[1].ordinal == 1
    assert found(session, issue, "改正后") == 0
    assert archiving.release(session, issue, by=anna) is right
    assert editions.get_published(session, issue.newsletter_id, issue.id)[1] is right
    assert found(session, issue, "改正后") == 1
    assert archiving.find_waiting(session, issue) is None
    assert acts(session, issue) == [("released", 2, "Anna", ""), ("sent", 1, None, "")]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "issue.released")).one()
    assert entry.details["edition"] == right.id
    with pytest.raises(RuleError, match="no corrected edition"):
        archiving.release(session, issue, by=anna)


def test_the_first_mailing_of_a_correction_releases_it(session: Session, issue: Issue) -> None:
    right = correct(session, issue)
    archiving.mark_sent(session, right.id, SENT + dt.timedelta(days=1))
    assert issue.shown_edition_id == right.id
    assert issue.first_sent_at == SENT
    # A mailing of the older edition that starts late changes nothing any more.
    archiving.mark_sent(session, editions.list_editions(session, issue.id)[0].id, SENT + dt.timedelta(days=2))
    assert issue.shown_edition_id == right.id
    assert [act for act, *_ in acts(session, issue)] == ["sent", "sent"]


def test_what_is_not_approved_or_not_sent_is_not_released(session: Session, newsletter: Newsletter) -> None:
    draft = make_issue(session, newsletter)
    approve(session, draft)
    with pytest.raises(RuleError, match="no corrected edition"):
        archiving.release(session, draft, by=None)
    with pytest.raises(RuleError, match="has not been sent"):
        archiving.retract(session, draft, "有误", by=None)
    archiving.mark_sent(session, editions.list_editions(session, draft.id)[0].id, SENT)
    correct(session, draft)
    approval.withdraw(session, draft, by=None)
    assert archiving.find_waiting(session, draft) is None
    with pytest.raises(RuleError, match="no corrected edition"):
        archiving.release(session, draft, by=None)


def test_a_retracted_issue_is_nowhere_but_leaves_its_trace(session: Session, issue: Issue) -> None:
    anna = make_account(session, "Anna")
    number = issue.newsletter_id
    assert found(session, issue, "第1篇") == 1
    with pytest.raises(RuleError, match="Say why"):
        archiving.retract(session, issue, "  \n", by=anna)
    archiving.retract(session, issue, "来源有误。", by=anna)
    with pytest.raises(RuleError, match="already"):
        archiving.retract(session, issue, "又一次", by=anna)
    with pytest.raises(GoneError):
        editions.get_published(session, number, issue.id)
    with pytest.raises(GoneError):
        editions.get_published_article(session, number, issue.id, issue.articles[0].id)
    assert found(session, issue, "第1篇") == 0
    assert editions.list_published(session, number) == []
    assert [one.id for one, _ in editions.list_published(session, number, has_retracted=True)] == [issue.id]
    assert sum(editions.count_published_by_year(session, number).values()) == 1
    assert acts(session, issue)[0] == ("retracted", 1, "Anna", "来源有误。")
    assert session.scalars(select(AuditEntry).where(AuditEntry.action == "issue.retracted")).one().details["note"]
    with pytest.raises(RuleError, match="has been retracted"):
        editions.get_sendable_edition(session, issue.shown_edition_id or 0)


def test_a_retraction_can_be_lifted_and_both_acts_are_kept(session: Session, issue: Issue) -> None:
    with pytest.raises(RuleError, match="not been retracted"):
        archiving.reinstate(session, issue, by=None)
    archiving.retract(session, issue, "来源有误。", by=None)
    archiving.reinstate(session, issue, by=None)
    assert (issue.retracted_at, issue.retraction) == (None, "")
    assert editions.get_published(session, issue.newsletter_id, issue.id)[0] is issue
    assert editions.get_sendable_edition(session, issue.shown_edition_id or 0)
    assert [act for act, *_ in acts(session, issue)] == ["reinstated", "retracted", "sent"]


@pytest.mark.parametrize("is_mailed", [True, False])
def test_a_released_correction_ends_the_retraction(session: Session, issue: Issue, is_mailed: bool) -> None:
    archiving.retract(session, issue, "来源有误。", by=None)
    right = correct(session, issue)
    assert editions.get_sendable_edition(session, right.id) is right
    with pytest.raises(GoneError):
        editions.get_published(session, issue.newsletter_id, issue.id)
    if is_mailed:
        archiving.mark_sent(session, right.id, SENT + dt.timedelta(days=1))
    else:
        archiving.release(session, issue, by=None)
    assert editions.get_published(session, issue.newsletter_id, issue.id)[1] is right


def test_neighbours_pass_over_what_was_retracted(session: Session, newsletter: Newsletter) -> None:
    issues = []
    for day in (1, 2, 3):
        made = make_issue(session, newsletter, articles=1)
        editing.change_issue(
            session, made, revision=made.masthead_revision, by=None, published_on=dt.date(2026, 3, day)
        )
        archiving.mark_sent(session, approve(session, made).id, SENT)
        issues.append(made)
    archiving.retract(session, issues[1], "有误", by=None)
    before, after = editions.find_neighbours(session, issues[0])
    assert before is None
    assert after is not None
    assert after[0] is issues[2]


def test_only_who_may_send_shows_and_retracts(session: Session, issue: Issue) -> None:
    anna, bao = make_account(session, "Anna"), make_account(session, "Bao")
    house_writing.change_house_rules(
        session, issue.newsletter_id, by=None, steps=[SigningStep()], approval_days=None, sender_ids=[bao.id],
        sensitive_words="", proofreaders="",
    )  # fmt: skip
    correct(session, issue)
    for act in (
        lambda: archiving.release(session, issue, by=anna),
        lambda: archiving.retract(session, issue, "有误", by=anna),
        lambda: archiving.reinstate(session, issue, by=anna),
    ):
        with pytest.raises(RuleError, match="may not send"):
            act()
    archiving.retract(session, issue, "有误", by=bao)
    assert issue.retracted_at is not None
