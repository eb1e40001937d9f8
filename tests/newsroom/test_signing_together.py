"""Several people, and the rules, act on one issue in review at the same instant: in threads, each with a session of its
own. One act wins; who was slower reads what happened meanwhile, and nothing is signed twice.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer import accounts
from mailer.accounts.models import Account, AuditEntry
from mailer.accounts.rules import Role
from mailer.db import now, session_scope
from mailer.errors import RuleError
from mailer.letters.models import Letter
from mailer.newsletters import change_newsletter
from mailer.newsroom import approval, deputies, editing, editions
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.edition_models import Edition
from mailer.newsroom.models import Issue, Review
from mailer.newsroom.rules import IssueState
from tests.newsroom.making import make_account
from tests.newsroom.test_approval_chain import DAY, House

THREE = [SigningStep("初审"), SigningStep("审核"), SigningStep("签发")]


@pytest.fixture
def home(session: Session) -> House:
    made = House(session)
    made.write(steps=THREE)
    session.commit()
    return made


def seen_by(home: House, account: Account) -> str:
    """What the form on their page carries."""
    seen = approval.get_turn(home.session, home.issue, account).seen
    home.session.commit()
    return seen


def together(*acts: Callable[[Session], object]) -> list[str]:
    """All at once, each in a transaction of its own: what became of each, "" or the refusal."""
    gate = Barrier(len(acts))

    def run(act: Callable[[Session], object]) -> str:
        with session_scope() as session:
            # The connection is there before the gate opens.
            session.execute(select(1))
            gate.wait()
            try:
                act(session)
            except RuleError as error:
                session.rollback()
                return error.message % error.params
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def signing(home: House, account: Account, seen: str | None = None) -> Callable[[Session], object]:
    issue_id, account_id, revision = home.issue.id, account.id, home.issue.revision

    def act(session: Session) -> object:
        issue, by = session.get_one(Issue, issue_id), session.get_one(Account, account_id)
        return approval.sign(session, issue, by=by, revision=revision, seen=seen)

    return act


def acts(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Review.act).order_by(Review.id)))


@pytest.mark.parametrize("attempt", range(5))
def test_two_who_sign_the_same_step_at_once_give_one_signature(home: House, session: Session, attempt: int) -> None:
    said = together(*(signing(home, who, seen_by(home, who)) for who in (home.bao, home.chen)))
    assert sorted(map(bool, said)) == [False, True]
    winner = "Bao" if said[0] == "" else "Chen"
    assert next(filter(None, said)) == (
        f"{winner} has signed “初审” meanwhile. What it waits for now is another signature: look at it again."
    )
    assert acts(session) == ["submitted", "passed"]
    signed = session.scalars(select(AuditEntry.details["step"].astext).where(AuditEntry.action == "issue.passed"))
    assert signed.all() == ["初审"]


def test_one_click_too_many_signs_no_second_step(home: House, session: Session) -> None:
    change_newsletter(session, home.newsletter, is_four_eyes=False)
    approval.withdraw(session, home.issue, by=None)
    approval.submit(session, home.issue, by=home.anna)
    seen = seen_by(home, home.bao)
    said = together(*(signing(home, home.bao, seen) for _ in range(3)))
    assert sorted(said) == ["", *["You have signed “初审” already."] * 2]
    assert acts(session).count("passed") == 1


def test_the_last_two_signatures_at_once_make_one_edition(home: House, session: Session) -> None:
    elsa = make_account(session, "Elsa", "approver")
    frank = make_account(session, "Frank", "approver")
    home.sign(home.bao)
    home.sign(home.chen)
    session.commit()
    said = together(*(signing(home, who, seen_by(home, who)) for who in (elsa, frank)))
    winner = "Elsa" if said[0] == "" else "Frank"
    assert sorted(said) == ["", f"{winner} has approved this issue meanwhile; nothing is left to sign."]
    assert acts(session) == ["submitted", "passed", "passed", "approved"]
    assert len(session.scalars(select(Edition)).all()) == 1


@pytest.mark.parametrize("attempt", range(5))
def test_a_change_and_a_signature_at_once_leave_no_signed_text_that_nobody_saw(
    home: House, session: Session, attempt: int
) -> None:
    home.write(steps=[SigningStep()])
    seen = seen_by(home, home.bao)
    article_id, anna_id = home.issue.articles[0].id, home.anna.id
    session.commit()

    def save(own: Session) -> None:
        article = editing.get_article(own, article_id)
        editing.change_article(own, article, revision=1, by=own.get_one(Account, anna_id), title="改了的题目")

    signed, saved = together(signing(home, home.bao, seen), save)
    session.expire_all()
    assert saved == ""
    assert home.issue.state == IssueState.DRAFT
    if signed:
        assert signed == "Anna has changed this issue meanwhile; it is a draft again."
        assert acts(session) == ["submitted", "changed"]
    else:
        assert acts(session) == ["submitted", "approved", "changed"]
        (edition,) = session.scalars(select(Edition)).all()
        assert [article.title for article in edition.articles] == ["第1篇", "第2篇"]


def test_who_decides_on_an_old_page_reads_who_was_faster(home: House, session: Session) -> None:
    seen = seen_by(home, home.chen)
    approval.return_(session, home.issue, by=home.bao, note="缺来源")
    session.commit()
    for act in (
        lambda: approval.sign(session, home.issue, by=home.chen, revision=home.issue.revision, seen=seen),
        lambda: approval.return_(session, home.issue, by=home.chen, note="不好", seen=seen),
    ):
        with pytest.raises(RuleError) as caught:
            act()
        assert caught.value.message % caught.value.params == "Bao has returned this issue meanwhile."
    # Handed in again unchanged: the page of the round before gives no signature of this one.
    approval.submit(session, home.issue, by=home.anna)
    with pytest.raises(RuleError, match="Look at it again"):
        approval.sign(session, home.issue, by=home.chen, revision=home.issue.revision, seen=seen)
    assert home.sign(home.chen) is None


@pytest.mark.parametrize("why", ["disabled", "demoted"])
def test_who_lost_the_right_while_waiting_signs_nothing(home: House, session: Session, why: str) -> None:
    """The page was asked for, and the account read, before an admin took the right away."""
    with session_scope() as early:
        issue, bao = early.get_one(Issue, home.issue.id), early.get_one(Account, home.bao.id)
        if why == "disabled":
            accounts.disable(session, home.bao, by=None)
        else:
            home.bao.roles = ["editor"]
        session.commit()
        with pytest.raises(RuleError, match="not your turn"):
            approval.sign(early, issue, by=bao, revision=issue.revision)
        early.rollback()
    assert acts(session) == ["submitted"]


def test_a_chain_made_shorter_goes_on_with_its_own_last_signature(home: House, session: Session) -> None:
    home.sign(home.bao)
    seen = seen_by(home, home.chen)
    home.write(steps=[SigningStep("签发")])
    with pytest.raises(RuleError, match="rules of the newsletter have been changed"):
        approval.sign(session, home.issue, by=home.chen, revision=home.issue.revision, seen=seen)
    # Who signed before the change has signed: four eyes hold.
    with pytest.raises(RuleError, match="signed an earlier step"):
        home.sign(home.bao)
    assert home.sign(home.chen) is not None


def test_a_chain_made_longer_asks_for_what_it_names(home: House, session: Session) -> None:
    home.write(steps=[SigningStep()])
    seen = seen_by(home, home.bao)
    home.write(steps=THREE)
    with pytest.raises(RuleError, match="rules of the newsletter have been changed"):
        approval.sign(session, home.issue, by=home.bao, revision=home.issue.revision, seen=seen)
    elsa = make_account(session, "Elsa", "approver")
    assert [home.sign(who) is None for who in (home.bao, home.chen, elsa)] == [True, True, False]


@pytest.mark.parametrize(
    ("chain", "next_step"),
    [
        (["审核", "签发"], "审核"),
        (["初审", "签发"], "签发"),
        (["一审", "初审", "签发"], "一审"),
        (["签发", "初审"], "签发"),
    ],
)
def test_a_signature_counts_for_the_step_it_was_given_for(
    home: House, session: Session, chain: list[str], next_step: str
) -> None:
    home.sign(home.bao)
    home.write(steps=[SigningStep(name) for name in chain])
    assert approval.get_turn(session, home.issue, home.chen).step.name == next_step


def test_who_may_sign_since_the_rules_were_changed_gets_a_letter(home: House, session: Session) -> None:
    home.write(steps=[SigningStep("签发", Role.APPROVER, (home.bao.id,))])
    before = session.scalars(select(Letter.id).order_by(Letter.id.desc())).first() or 0
    # Bao is taken out in mid-chain, Deng and Chen come in; who had a letter gets no second one.
    home.write(steps=[SigningStep("签发", Role.APPROVER, (home.chen.id, home.deng.id))], by=home.chen)
    told = session.scalars(select(Letter).where(Letter.id > before).order_by(Letter.id)).all()
    assert [letter.address for letter in told] == ["deng@example.org"]
    assert "签发" in " ".join(told[0].parameters["lines"])
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.bao)
    last = told[-1].id
    home.write(steps=[SigningStep("签发", Role.APPROVER, (home.chen.id, home.deng.id))], approval_days=3)
    assert session.scalars(select(Letter.id).where(Letter.id > last)).all() == []


def test_a_deputy_whose_time_is_over_signs_no_more_and_what_they_signed_stays(home: House, session: Session) -> None:
    home.write(steps=[SigningStep("审核", Role.APPROVER, (home.bao.id,)), SigningStep("签发")])
    moment = now(session)
    made = deputies.appoint(session, home.bao, home.deng, starts_at=moment - DAY, ends_at=moment + DAY, by=home.bao)
    assert home.sign(home.deng) is None
    made.ends_at = now(session)
    session.commit()
    with pytest.raises(RuleError, match="not your turn"):
        home.sign(home.deng)
    assert home.sign(home.chen) is not None
    history = [
        (review.act, name, principal) for review, name, principal in approval.list_reviews(session, home.issue.id)
    ]
    assert history[1] == ("passed", "Deng", "Bao")


def test_an_approval_lasts_days_of_24_hours_whatever_the_servers_country_does(home: House, session: Session) -> None:
    """A zone whose clocks were put forward yesterday: three days by its walls are an hour less."""
    home.write(approval_days=3)
    approval.approve(session, home.issue, by=None)
    yesterday = (now(session) - DAY).timetuple().tm_yday - 1
    session.execute(text(f"SET LOCAL TIME ZONE 'AAA0BBB,{yesterday}/0,{(yesterday + 100) % 365}/0'"))
    home.issue.approved_at = now(session) - 3 * DAY + dt.timedelta(minutes=30)
    session.flush()
    assert approval.expire_due(session) == []
    # To the second: what runs out now has run out, for the worker and for whoever would send it.
    home.issue.approved_at = now(session) - 3 * DAY
    session.flush()
    (edition,) = editions.list_editions(session, home.issue.id)
    with pytest.raises(RuleError, match="has expired"):
        editions.get_sendable_edition(session, edition.id)
    assert approval.expire_due(session) == [home.issue]
