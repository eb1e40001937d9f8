import datetime as dt

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account, AuditEntry
from mailer.accounts.rules import Role
from mailer.db import now
from mailer.dispatch import launching
from mailer.errors import NotFoundError, RuleError
from mailer.letters.models import Letter
from mailer.newsletters import change_newsletter, create_list
from mailer.newsroom import approval, archiving, deputies, editions, house, house_writing
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Deputy, Issue
from mailer.newsroom.preflight import IF_YOU_SUBMIT, NOBODY, NOBODY_LEFT, TOO_FEW, inspect
from mailer.newsroom.rules import IssueState
from mailer.newsroom.signatories import list_signatories
from tests.newsroom.making import make_account, make_issue, make_newsletter

DAY = dt.timedelta(days=1)


class House:
    """A newsletter whose issues are checked by one and signed by another."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.anna = make_account(session, "Anna", "editor")
        self.bao = make_account(session, "Bao", "approver")
        self.chen = make_account(session, "Chen", "approver")
        self.deng = make_account(session, "Deng", "editor")
        self.newsletter = make_newsletter(session)
        self.write(steps=[SigningStep("审核"), SigningStep("签发", Role.APPROVER, (self.chen.id,))])
        self.issue = make_issue(session, self.newsletter, by=self.anna)
        approval.submit(session, self.issue, by=self.anna)

    def write(self, **values: object) -> None:
        rules = house.get_house_rules(self.session, self.newsletter.id)
        house_writing.change_house_rules(
            self.session,
            self.newsletter.id,
            **{  # type: ignore[arg-type]
                "by": None,
                "steps": [SigningStep()],
                "approval_days": rules.approval_days,
                "sender_ids": rules.sender_ids,
                "sensitive_words": rules.sensitive_words,
                "proofreaders": rules.proofreaders,
                **values,
            },
        )

    def sign(self, account: Account) -> Edition | None:
        return approval.sign(self.session, self.issue, by=account, revision=self.issue.revision)


@pytest.fixture
def home(session: Session) -> House:
    return House(session)


def test_the_last_of_the_signatures_approves(home: House, session: Session) -> None:
    assert home.sign(home.bao) is None
    assert (home.issue.state, home.issue.signed_steps) == (IssueState.IN_REVIEW, 1)
    edition = home.sign(home.chen)
    assert edition is not None
    assert home.issue.state == IssueState.APPROVED
    history = [(review.act, name, review.step) for review, name, _ in approval.list_reviews(session, home.issue.id)]
    assert history == [("approved", "Chen", "签发"), ("passed", "Bao", "审核"), ("submitted", "Anna", "")]
    hashes = {review.content_hash for review, *_ in approval.list_reviews(session, home.issue.id)}
    assert hashes == {edition.content_hash}


def test_nobody_signs_out_of_turn_twice_or_their_own_issue(home: House, session: Session) -> None:
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.deng)
    home.issue.submitted_by = home.bao.id
    session.flush()
    with pytest.raises(RuleError, match="another pair of eyes"):
        home.sign(home.bao)
    home.issue.submitted_by = home.anna.id
    session.flush()
    # The one who is named for the last step may give the first, as any approver; then not the last as well.
    assert home.sign(home.chen) is None
    with pytest.raises(RuleError, match="signed an earlier step"):
        home.sign(home.chen)
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.bao)
    change_newsletter(home.session, home.newsletter, is_four_eyes=False)
    assert home.sign(home.chen) is not None


def test_a_change_begins_the_round_again(home: House, session: Session) -> None:
    home.sign(home.bao)
    approval.return_(session, home.issue, by=home.chen, note="缺来源")
    approval.submit(session, home.issue, by=home.anna)
    assert home.issue.signed_steps == 0
    # Who signed in the last round has not signed in this one.
    assert home.sign(home.bao) is None


def test_only_the_one_whose_turn_it_is_returns_an_issue(home: House, session: Session) -> None:
    with pytest.raises(RuleError, match="not your turn"):
        approval.return_(session, home.issue, by=home.deng, note="不好")
    home.sign(home.bao)
    # Who has signed may think better of it.
    approval.return_(session, home.issue, by=home.bao, note="看漏了")
    assert home.issue.state == IssueState.DRAFT


def test_the_last_signature_is_not_given_before_the_first(home: House, session: Session) -> None:
    with pytest.raises(RuleError, match="comes before the last"):
        approval.approve(session, home.issue, by=home.chen)
    assert editions.list_editions(session, home.issue.id) == []
    # The service itself (the demo) gives all of them.
    assert approval.approve(session, home.issue, by=None).ordinal == 1


def test_a_newsletter_changed_between_two_signatures_does_not_slip_through(home: House, session: Session) -> None:
    change_newsletter(session, home.newsletter, contact="另一个地址")
    with pytest.raises(RuleError, match="would differ from what was submitted"):
        home.sign(home.bao)


def test_each_is_told_when_it_is_their_turn(home: House, session: Session) -> None:
    home.sign(home.bao)
    home.sign(home.chen)
    told = [
        (letter.address, letter.parameters["lines"]) for letter in session.scalars(select(Letter).order_by(Letter.id))
    ]
    assert [address for address, _ in told] == [
        "bao@example.org", "chen@example.org", "chen@example.org", "anna@example.org",
    ]  # fmt: skip
    assert "审核" in told[0][1][1]
    assert "Bao" in told[2][1][0]
    assert "签发" in told[2][1][1]


def test_a_deputy_signs_while_the_approver_is_away_and_the_history_says_for_whom(home: House, session: Session) -> None:
    home.sign(home.bao)
    moment = now(session)
    deputies.appoint(session, home.chen, home.deng, starts_at=moment - DAY, ends_at=moment + DAY, by=home.chen)
    assert home.sign(home.deng) is not None
    review, name, principal = approval.list_reviews(session, home.issue.id)[0]
    assert (review.act, name, principal) == ("approved", "Deng", "Chen")
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "issue.approved")).one()
    assert entry.details["on_behalf_of"] == home.chen.id


@pytest.mark.parametrize(("begins", "ends"), [(-2, -1), (1, 2)])
def test_a_deputy_of_another_time_signs_nothing(home: House, session: Session, begins: int, ends: int) -> None:
    home.sign(home.bao)
    moment = now(session)
    session.add(
        Deputy(
            account_id=home.chen.id,
            deputy_id=home.deng.id,
            starts_at=moment + begins * DAY,
            ends_at=moment + ends * DAY,
        )
    )
    session.flush()
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.deng)


def test_a_deputy_is_dismissed_at_once_and_only_by_whom_it_concerns(home: House, session: Session) -> None:
    moment = now(session)
    made = deputies.appoint(session, home.chen, home.deng, starts_at=moment - DAY, ends_at=moment + DAY, by=home.chen)
    with pytest.raises(NotFoundError):
        deputies.dismiss(session, made.id, by=home.bao, only_of=home.bao.id)
    deputies.dismiss(session, made.id, by=home.chen, only_of=home.chen.id)
    assert deputies.list_principals(session, home.deng.id) == []
    for values, problem in (
        ({"deputy": home.chen}, "Somebody else"),
        ({"ends_at": moment - DAY}, "last day"),
        ({"ends_at": moment + 500 * DAY}, "a year"),
    ):
        with pytest.raises(RuleError, match=problem):
            deputies.appoint(
                session,
                home.chen,
                values.get("deputy", home.deng),  # type: ignore[arg-type]
                starts_at=moment,
                ends_at=values.get("ends_at", moment + DAY),  # type: ignore[arg-type]
                by=home.chen,
            )


def test_a_disabled_approver_lends_no_right(home: House, session: Session) -> None:
    home.sign(home.bao)
    moment = now(session)
    deputies.appoint(session, home.chen, home.deng, starts_at=moment - DAY, ends_at=moment + DAY, by=None)
    accounts.disable(session, home.chen, by=None)
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.deng)


def approve_days_ago(home: House, days: float) -> Edition:
    edition = approval.approve(home.session, home.issue, by=None)
    at = now(home.session) - dt.timedelta(days=days)
    home.session.execute(update(Issue).values(approved_at=at))
    home.session.commit()
    return edition


def test_an_approval_that_nobody_used_in_time_runs_out(home: House, session: Session) -> None:
    home.write(approval_days=3)
    edition = approve_days_ago(home, 3.1)
    with pytest.raises(RuleError, match="has expired"):
        editions.get_sendable_edition(session, edition.id)
    assert [issue.id for issue in approval.expire_due(session)] == [home.issue.id]
    assert home.issue.state == IssueState.DRAFT
    assert approval.list_reviews(session, home.issue.id)[0][0].act == "expired"
    assert session.scalars(select(Letter.address).order_by(Letter.id.desc())).first() == "anna@example.org"
    assert approval.expire_due(session) == []


def test_an_approval_in_time_or_without_a_term_stays(home: House, session: Session) -> None:
    edition = approve_days_ago(home, 2.9)
    assert approval.expire_due(session) == []
    home.write(approval_days=3)
    assert approval.expire_due(session) == []
    assert editions.get_sendable_edition(session, edition.id).id == edition.id


def test_a_sent_issue_stays_approved_but_is_not_sent_once_more_on_an_old_approval(
    home: House, session: Session
) -> None:
    home.write(approval_days=3)
    edition = approve_days_ago(home, 10)
    archiving.mark_sent(session, edition.id, now(session))
    assert approval.expire_due(session) == []
    assert home.issue.state == IssueState.APPROVED
    with pytest.raises(RuleError, match="has expired"):
        editions.get_sendable_edition(session, edition.id)


def test_no_mailing_is_scheduled_beyond_its_approval(home: House, session: Session) -> None:
    home.write(approval_days=3)
    made = create_list(session, home.newsletter, slug="all", name="全体")
    edition = approve_days_ago(home, 1)
    mailing = launching.create_mailing(session, edition_id=edition.id, list_ids=[made.id], by=home.bao)
    with pytest.raises(RuleError, match="runs out before that time"):
        launching.schedule(session, mailing, now(session) + 2.1 * DAY, by=home.bao)
    launching.schedule(session, mailing, now(session) + 1.9 * DAY, by=home.bao)
    assert mailing.scheduled_at is not None


def test_those_who_are_to_send_it_are_told_of_the_approval(home: House, session: Session) -> None:
    home.write(steps=[SigningStep("审核"), SigningStep("签发")], sender_ids=[home.deng.id])
    home.sign(home.bao)
    home.sign(home.chen)
    told = session.execute(select(Letter.address, Letter.parameters["subject"].astext).order_by(Letter.id)).all()
    assert [address for address, subject in told if subject.startswith("已签发")] == [
        "anna@example.org", "deng@example.org",
    ]  # fmt: skip


def test_only_those_who_are_named_send(home: House, session: Session) -> None:
    made = create_list(session, home.newsletter, slug="all", name="全体")
    edition = approval.approve(session, home.issue, by=None)
    assert house.may_send(session, home.newsletter.id, home.deng)
    home.write(sender_ids=[home.bao.id])
    assert not house.may_send(session, home.newsletter.id, home.deng)
    with pytest.raises(RuleError, match="may not send"):
        launching.create_mailing(session, edition_id=edition.id, list_ids=[made.id], by=home.deng)
    mailing = launching.create_mailing(session, edition_id=edition.id, list_ids=[made.id], by=home.bao)
    with pytest.raises(RuleError, match="may not send"):
        launching.send_now(session, mailing, by=home.deng)
    with pytest.raises(RuleError, match="may not send"):
        launching.schedule(session, mailing, now(session) + DAY, by=home.deng)
    launching.send_now(session, mailing, by=home.bao)


def test_house_rules_refuse_what_nobody_could_follow(home: House, session: Session) -> None:
    accounts.disable(session, home.deng, by=None)
    for values, problem in (
        ({"sender_ids": [home.deng.id]}, "cannot sign in"),
        ({"steps": [SigningStep("", Role.APPROVER, (9999,))]}, "cannot sign in"),
        ({"approval_days": 0}, "between 1 and"),
        ({"proofreaders": "no address"}, "address"),
        ({"proofreaders": " ".join(f"a{n}@example.org" for n in range(11))}, "at most 10"),
    ):
        with pytest.raises(RuleError, match=problem):
            home.write(**values)
    home.write(sensitive_words=" 机密 \n\n绝密 ", proofreaders="a@example.org；B@example.org,a@example.org")
    rules = house.get_house_rules(session, home.newsletter.id)
    assert house.list_words(rules) == ["机密", "绝密"]
    assert rules.proofreaders.splitlines() == ["a@example.org", "B@example.org"]


def test_letters_go_only_to_who_may_still_sign(home: House, session: Session) -> None:
    # Three signatures of any approver: Bao has given the first, and four eyes ask for another pair each time.
    home.write(steps=[SigningStep("初审"), SigningStep("审核"), SigningStep("签发")])
    elsa = make_account(session, "Elsa", "approver")
    home.sign(home.bao)
    session.execute(delete(Letter))
    home.sign(home.chen)
    assert session.scalars(select(Letter.address)).all() == [elsa.email]
    assert list_signatories(session, home.issue, home.newsletter) == [elsa]


def test_a_signature_that_nobody_can_give_is_seen(home: House, session: Session) -> None:
    said = {finding.message for finding in inspect(session, home.issue).findings}
    assert said.isdisjoint({NOBODY, NOBODY_LEFT})
    accounts.disable(session, home.chen, by=None)
    found = next(finding for finding in inspect(session, home.issue).findings if finding.message == NOBODY_LEFT)
    assert (found.place_in("zh_CN"), found.params) == ("审签", {"step": "签发"})
    # The only one who may approve has submitted: four eyes leave nobody, and without them it goes on.
    home.write(steps=[SigningStep("签发", Role.APPROVER, (home.bao.id,))])
    approval.withdraw(session, home.issue, by=home.anna)
    approval.submit(session, home.issue, by=home.bao)
    assert list_signatories(session, home.issue, home.newsletter) == []
    change_newsletter(session, home.newsletter, by=None, is_four_eyes=False)
    assert list_signatories(session, home.issue, home.newsletter) == [home.bao]


def test_a_draft_says_beforehand_that_four_eyes_will_leave_nobody(home: House, session: Session) -> None:
    def said(by: Account | None) -> set[str]:
        found = inspect(session, home.issue, by=by).findings
        return {finding.message for finding in found} & {IF_YOU_SUBMIT, TOO_FEW, NOBODY, NOBODY_LEFT}

    approval.withdraw(session, home.issue, by=home.anna)
    home.bao.roles = ["editor", "approver"]
    accounts.disable(session, home.chen, by=None)
    home.write(steps=[SigningStep()])
    # Bao is the only approver, and could submit it too.
    assert said(home.bao) == {IF_YOU_SUBMIT}
    assert said(home.anna) == set()
    assert said(None) == set()
    home.write(steps=[SigningStep("审核"), SigningStep("签发")])
    assert said(home.anna) == {TOO_FEW}
    change_newsletter(session, home.newsletter, is_four_eyes=False)
    assert said(home.bao) == said(home.anna) == set()
    change_newsletter(session, home.newsletter, is_four_eyes=True)
    # With a second approver Anna may submit it, Bao must not.
    make_account(session, "Elsa", "approver")
    assert said(home.anna) == set()
    assert said(home.bao) == {IF_YOU_SUBMIT}


def test_who_may_not_sign_lends_the_right_to_nobody(home: House, session: Session) -> None:
    """The submitter's deputy, and the deputy of who has signed: four eyes would be two with a borrowed hand."""
    moment = now(session)
    for away in (home.bao, home.chen):
        deputies.appoint(session, away, home.deng, starts_at=moment - DAY, ends_at=moment + DAY, by=away)
    home.write(steps=[SigningStep("审核", Role.APPROVER, (home.bao.id,)), SigningStep("签发")])
    approval.withdraw(session, home.issue, by=home.anna)
    approval.submit(session, home.issue, by=home.bao)
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.deng)
    assert list_signatories(session, home.issue, home.newsletter) == []
    home.write(steps=[SigningStep("签发", Role.APPROVER, (home.bao.id, home.chen.id))])
    # Chen has seen nothing of it: in Chen's right Deng may.
    assert list_signatories(session, home.issue, home.newsletter) == [home.chen, home.deng]
    assert home.sign(home.deng) is not None
    assert approval.list_reviews(session, home.issue.id)[0][2] == "Chen"


def test_without_four_eyes_a_deputy_signs_for_who_submitted(home: House, session: Session) -> None:
    moment = now(session)
    deputies.appoint(session, home.bao, home.deng, starts_at=moment - DAY, ends_at=moment + DAY, by=home.bao)
    change_newsletter(session, home.newsletter, is_four_eyes=False)
    home.write(steps=[SigningStep("签发", Role.APPROVER, (home.bao.id,))])
    approval.withdraw(session, home.issue, by=home.anna)
    approval.submit(session, home.issue, by=home.bao)
    assert home.sign(home.deng) is not None
