import datetime as dt

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience.models import Subscriber, Subscription
from mailer.newsletters import create_list
from mailer.newsletters.models import Newsletter
from mailer.newsroom import approval, commenting, editing, house_writing
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.link_checking import check_links, foreign_pages, list_standings
from mailer.newsroom.models import Issue, LinkCheck
from mailer.newsroom.preflight import inspect
from mailer.press.proofreading import Severity
from tests.newsroom.making import make_account, make_issue, make_newsletter
from tests.newsroom.test_link_probe import Site, site

__all__ = ["site"]


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    return make_newsletter(session)


def said(session: Session, issue: Issue) -> list[str]:
    return [f"{finding.place_in('en')}: {finding.message_in('en')}" for finding in inspect(session, issue).findings]


def write(session: Session, issue: Issue, body: str) -> None:
    article = issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, body=body)
    session.commit()


def test_what_the_newsletter_knows_is_found_too(session: Session, newsletter: Newsletter) -> None:
    bao = make_account(session, "Bao", "approver")
    first = make_issue(session, newsletter)
    approval.submit(session, first, by=None)
    approval.approve(session, first, by=None)
    issue = make_issue(session, newsletter)
    # A gap: the first is number 1.
    editing.change_issue(session, issue, revision=1, by=None, number="9")
    house_writing.change_house_rules(
        session, newsletter.id, by=None, steps=[SigningStep()], approval_days=None, sender_ids=[],
        sensitive_words="内部资料", proofreaders="",
    )  # fmt: skip
    write(session, issue, "<p>这是内部资料。</p>")
    commenting.say(session, issue, "再核一下", by=bao, article=issue.articles[0])
    issue.warnings = [{"message": "x", "params": {}, "line": None}]
    session.flush()
    flight = inspect(session, issue)
    found = said(session, issue)
    for words in ("is missing", "sensitive words", "Comments still open: 1.", "What the import was not sure of"):
        assert any(words in line for line in found), words
    about = next(finding for finding in flight.findings if "Comments" in finding.message)
    assert flight.article_of(about) == issue.articles[0].id
    assert flight.compiled is not None


def test_a_subject_that_readers_have_had_is_found(session: Session, newsletter: Newsletter) -> None:
    first, second = make_issue(session, newsletter), make_issue(session, newsletter)
    for issue in (first, second):
        editing.change_issue(session, issue, revision=1, by=None, subject="同一个标题")
    approval.submit(session, first, by=None)
    approval.approve(session, first, by=None)
    before = [line for line in said(session, second) if line.startswith("Subject")]
    editing.change_issue(session, second, revision=2, by=None, subject="另一个标题")
    after = [line for line in said(session, second) if line.startswith("Subject")]
    assert len(before) > len(after)


def test_readers_without_a_name_are_counted_where_a_name_stands(session: Session, newsletter: Newsletter) -> None:
    made = create_list(session, newsletter, slug="all", name="全体")
    for number, (name, state) in enumerate(
        [("王", "confirmed"), ("", "confirmed"), (None, "confirmed"), ("", "unsubscribed")]
    ):
        address = f"r{number}@example.com"
        reader = Subscriber(email=address, email_key=address, domain="example.com", name=name or "")
        reader.subscriptions.append(Subscription(list_id=made.id, state=state, source="test"))
        session.add(reader)
    issue = make_issue(session, newsletter)
    assert not any("have not told it" in line for line in said(session, issue))
    write(session, issue, "<p>{{ name }}，您好。</p>")
    assert any("{{ name }}: readers who have not told it: 2 of 3." in line for line in said(session, issue))


def test_readers_who_lack_what_the_lists_ask_are_counted_for_each_field(
    session: Session, newsletter: Newsletter
) -> None:
    asked = [{"key": "department", "label": "单位"}, {"key": "address", "label": "通信地址"}]
    made = create_list(session, newsletter, slug="all", name="全体", required_attributes=asked)
    other = create_list(
        session, newsletter, slug="city", name="城市", required_attributes=[{"key": "city", "label": "城市"}]
    )
    told: list[dict[str, object]] = [
        {"department": "研究室", "city": "呼和浩特"}, {"department": " "}, {"department": 7}, {"department": ["a"]}, {},
    ]  # fmt: skip
    for number, attributes in enumerate(told):
        address = f"r{number}@example.com"
        reader = Subscriber(email=address, email_key=address, domain="example.com", attributes=attributes)
        # Of two lists, and counted once.
        reader.subscriptions += [
            Subscription(list_id=each.id, state="confirmed", source="test") for each in (made, other)
        ]
        session.add(reader)
    issue = make_issue(session, newsletter)
    write(session, issue, "<p>{{ department }}，{{ city|本市 }}，{{ address }}，{{ salary }}</p>")
    lines = said(session, issue)
    assert any("{{ department }}: readers who have not told it: 3 of 5. Nothing" in line for line in lines)
    assert any("{{ city|本市 }}: readers who have not told it: 4 of 5." in line and "“本市”" in line for line in lines)
    assert any("“{{ salary }}” would reach readers as typed" in line for line in lines)
    assert not any("{{ address }}:" in line for line in lines)


def test_an_issue_that_cannot_be_compiled_says_why_and_everything_else_too(
    session: Session, newsletter: Newsletter
) -> None:
    issue = make_issue(session, newsletter, articles=0)
    flight = inspect(session, issue)
    assert flight.compiled is None
    assert flight.problems
    assert flight.count(Severity.ERROR) == len(flight.problems)


def test_a_worker_follows_the_links_and_the_preflight_tells(
    session: Session, newsletter: Newsletter, site: Site
) -> None:
    issue = make_issue(session, newsletter)
    write(session, issue, f'<p><a href="http://127.0.0.1:{site.port}/secret">某处</a></p>')
    assert any("have not been followed" in line for line in said(session, issue))
    assert check_links(issue.id) == 2
    session.expire_all()
    # Loopback is never asked; the other article's link has no resolver here, or leads to example.com.
    assert site.asked == []
    assert any("readers cannot reach" in line for line in said(session, issue))
    assert not any("have not been followed" in line for line in said(session, issue))


def test_links_are_asked_again_only_after_a_while(session: Session, newsletter: Newsletter) -> None:
    issue = make_issue(session, newsletter, articles=1)
    write(session, issue, '<p><a href="http://10.0.0.8/x">某处</a></p>')
    assert check_links(issue.id) == 1
    assert check_links(issue.id) == 0
    session.execute(update(LinkCheck).values(checked_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=13)))
    session.commit()
    assert check_links(issue.id) == 1
    assert len(session.scalars(select(LinkCheck)).all()) == 1
    assert check_links(9999) == 0


def test_our_own_pages_and_mail_addresses_are_never_asked(database: str) -> None:
    own = links.absolute("/n/keji/")
    urls = [own, "mailto:a@example.org", "https://example.com/1", "https://example.com/1"]
    assert foreign_pages(urls) == ["https://example.com/1"]


def test_what_nobody_asked_has_no_check(session: Session) -> None:
    (standing,) = list_standings(session, ["https://example.com/"])
    assert standing.check is None


def test_a_finding_leads_to_the_article_that_it_names_or_whose_link_it_is_about(
    session: Session, newsletter: Newsletter
) -> None:
    issue = make_issue(session, newsletter)
    second = issue.articles[1]
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, subject="长" * 200)
    body = '<p><a href="https://bit.ly/x?a=1&amp;b=2">短链接</a></p>'
    editing.change_article(session, second, revision=second.revision, by=None, section="要闻", body=body)
    flight = inspect(session, issue)
    (about,) = [one for one in flight.findings if one.params.get("address") == "https://bit.ly/x?a=1&b=2"]
    assert (about.place, flight.article_of(about)) == ("Links", second.id)
    assert {flight.article_of(one) for one in flight.findings if one.place == "Subject"} == {None}
