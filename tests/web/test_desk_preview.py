"""An issue as clients and readers show it, the theme's options, and tests to a group of proofreaders."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import links
from mailer.accounts.models import Account
from mailer.accounts.rules import Role
from mailer.audience.models import Subscriber, Subscription
from mailer.letters.models import Letter
from mailer.newsletters import create_list
from mailer.newsletters.models import Newsletter
from mailer.newsroom import approval, editing, house_writing
from mailer.newsroom.chain import SigningStep
from mailer.newsroom.models import Issue
from tests.conftest import forget_settings
from tests.dispatch.name_server import NameServer
from tests.newsroom.making import make_issue, make_newsletter
from tests.web.conftest import Visitor

MakeAccount = Callable[..., Account]


@pytest.fixture
def editor(app: Flask, make_account: MakeAccount) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(make_account("anna", Role.EDITOR))
    return visitor


@pytest.fixture
def issue(session: Session) -> Issue:
    """An issue that calls its reader by name, and one reader of it."""
    newsletter = make_newsletter(session)
    issue = make_issue(session, newsletter)
    article = issue.articles[0]
    picture = links.absolute("/media/x.png")
    body = f'<p>{{{{ name }}}}，您好。</p><p><img src="{picture}" alt="示意图"></p>'
    editing.change_article(session, article, revision=1, by=None, body=body)
    made = create_list(session, newsletter, slug="all", name="全体")
    for name, state in (("Wang", "confirmed"), ("Zhao", "unsubscribed")):
        address = f"{name.lower()}@example.com"
        reader = Subscriber(email=address, email_key=address, domain="example.com", name=name)
        reader.subscriptions.append(Subscription(list_id=made.id, state=state, source="test"))
        session.add(reader)
    session.commit()
    return issue


def mail(visitor: Visitor, issue: Issue, query: str = "") -> str:
    return visitor.get(f"/desk/issues/{issue.id}/preview/mail{query}").response.get_data(as_text=True)


def test_each_client_shows_the_mail_in_its_own_way(editor: Visitor, issue: Issue) -> None:
    plain = mail(editor, issue)
    assert "prefers-color-scheme: dark" in plain
    assert "prefers-color-scheme: dark" not in mail(editor, issue, "?view=dark")
    assert "/media/x.png" not in mail(editor, issue, "?view=pictures_off")
    assert "示意图" in mail(editor, issue, "?view=pictures_off")
    assert "<style" not in mail(editor, issue, "?view=headless")
    assert mail(editor, issue, "?view=nonsense") == plain


def test_a_mail_is_shown_as_a_reader_gets_it(editor: Visitor, issue: Issue) -> None:
    assert "Wang，您好" in mail(editor, issue, "?as=WANG@example.com")
    page = editor.get(f"/desk/issues/{issue.id}/preview?view=text&as=wang@example.com")
    assert "Wang，您好" in page.text
    for stranger in ("zhao@example.com", "nobody@example.com", "no address"):
        page = editor.get(f"/desk/issues/{issue.id}/preview?view=text&as={stranger}")
        assert "made-up reader" in page.text
        assert "Zhao" not in page.text
    # A look must not be able to unsubscribe anybody.
    assert "/u/" not in mail(editor, issue, "?as=wang@example.com")


def test_the_print_edition_opens_as_a_pdf(editor: Visitor, issue: Issue) -> None:
    answer = editor.get(f"/desk/issues/{issue.id}/preview.pdf").response
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")


def test_a_test_goes_to_all_proofreaders_with_one_button(session: Session, editor: Visitor, issue: Issue) -> None:
    address = f"/desk/issues/{issue.id}/preview"
    assert "proofreader" not in editor.get(address).text
    house_writing.change_house_rules(
        session,
        issue.newsletter_id,
        by=None,
        steps=[SigningStep()],
        approval_days=None,
        sender_ids=[],
        sensitive_words="",
        proofreaders="li@example.org, zhou@example.org",
    )
    session.commit()
    page = editor.submit(address, {"group": "1", "addresses": ""}, action=f"/desk/issues/{issue.id}/proof")
    assert "2 addresses" in page.text
    assert session.scalars(select(Letter.address).order_by(Letter.id)).all() == ["li@example.org", "zhou@example.org"]


def test_preview_and_test_show_what_the_chosen_reader_has_told(session: Session, editor: Visitor, issue: Issue) -> None:
    asked = [{"key": "department", "label": "单位"}]
    create_list(
        session, session.get_one(Newsletter, issue.newsletter_id), slug="b", name="乙", required_attributes=asked
    )
    article = issue.articles[0]
    body = "<p>{{ department|贵单位 }}的{{ name }}</p>"
    editing.change_article(session, article, revision=article.revision, by=None, body=body)
    wang = session.scalars(select(Subscriber).where(Subscriber.name == "Wang")).one()
    wang.attributes = {"department": "研究室"}
    session.commit()
    assert "贵单位的读者" in mail(editor, issue)
    assert "研究室的Wang" in mail(editor, issue, "?as=wang@example.com")
    address, action = f"/desk/issues/{issue.id}/preview?as=wang@example.com", f"/desk/issues/{issue.id}/proof"
    assert "filled in as for wang@example.com" in editor.get(address).text
    sent = editor.submit(address, {"addresses": "li@example.org"}, action=action)
    assert "filled in as for wang@example.com" in sent.text
    assert session.scalars(select(Letter)).one().parameters["reader_id"] == wang.id
    # Who does not read it is nobody to send it as.
    refused = editor.submit(address, {"addresses": "li@example.org", "as": "zhao@example.com"}, action=action)
    assert "Nobody with this address reads this newsletter" in refused.text
    assert len(session.scalars(select(Letter)).all()) == 1


def test_a_theme_is_chosen_with_its_options(session: Session, signed_in: Visitor, issue: Issue) -> None:
    address = f"/desk/newsletters/{issue.newsletter_id}/settings"
    logo = links.absolute("/media/logo.png")
    page = signed_in.submit(
        address,
        {"theme": "journal", "fonts": "fangsong", "width": "600", "articles": "abstract", "logo_url": logo,
         "logo_alt": "某研究所", "footer": "<p>固定页脚</p><script>x</script>"},
        action=address,
    )  # fmt: skip
    assert "Saved." in page.text
    html = mail(signed_in, issue)
    for expected in ("FangSong", "固定页脚", "/media/logo.png"):
        assert expected in html
    assert "<script" not in html


def test_another_theme_comes_in_its_own_colours_unless_some_were_chosen(
    session: Session, signed_in: Visitor, issue: Issue
) -> None:
    address = f"/desk/newsletters/{issue.newsletter_id}/settings"
    signed_in.submit(address, {"theme": "journal"}, action=address)
    page = signed_in.get(address)
    # The journal's own blue, though the form had shown the bulletin's red.
    assert page.tree.xpath("//input[@name='colour']/@value") == ["#14507d"]
    signed_in.submit(address, {"colour": "#006633"}, action=address)
    signed_in.submit(address, {"theme": "bulletin"}, action=address)
    assert signed_in.get(address).tree.xpath("//input[@name='colour']/@value") == ["#006633"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"colour": "#ffff00"}, "too light"),
        ({"logo_url": "https://elsewhere.example/x.png", "logo_alt": "x"}, "another site"),
        ({"width": "200"}, "Between 480 and 640"),
    ],
)
def test_a_choice_that_mail_cannot_follow_is_refused(
    signed_in: Visitor, issue: Issue, values: dict[str, str], problem: str
) -> None:
    address = f"/desk/newsletters/{issue.newsletter_id}/settings"
    page = signed_in.submit(address, values, action=address)
    assert page.status == 422
    assert problem in page.text


def test_the_preflight_is_a_page_without_script_and_a_part_with_it(editor: Visitor, issue: Issue) -> None:
    page = editor.get(f"/desk/issues/{issue.id}")
    address = page.tree.xpath("//*[@hx-get]/@hx-get")[0]
    assert page.tree.xpath(f"//main//a[@href='{address}']")
    whole = editor.get(address)
    assert whole.heading == "Pre-flight"
    part = editor.client.get(address, headers={**editor.headers, "HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part
    assert "Follow the links now" in part
    said = editor.submit(address, action=f"{address}/links")
    assert "being followed" in said.text


def test_each_finding_leads_to_where_it_is_mended(session: Session, editor: Visitor, issue: Issue) -> None:
    editing.change_issue(session, issue, revision=issue.masthead_revision, by=None, subject="长" * 200)
    article = issue.articles[0]
    editing.change_article(session, article, revision=article.revision, by=None, body="")
    session.commit()
    page = editor.get(f"/desk/issues/{issue.id}/preflight")
    leads = {link.text_content(): link.get("href") for link in page.tree.xpath("//li//a[contains(@href, '/desk/')]")}
    assert leads["Subject"] == f"/desk/issues/{issue.id}/edit#subject"
    assert leads[f"Article “{article.title}”"] == f"/desk/articles/{article.id}"
    assert 'id="subject"' in editor.get(f"/desk/issues/{issue.id}/edit").response.get_data(as_text=True)


def test_what_the_dns_says_comes_by_itself(editor: Visitor, issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    with NameServer({"example.org": ["v=spf1 -all"]}) as server:
        monkeypatch.setenv("MAILER_DNS_SERVER", server.address)
        forget_settings()
        page = editor.get(f"/desk/issues/{issue.id}/preflight/sender")
    assert "no DMARC record" in page.text
    assert "no SPF record" not in page.text


def test_the_preflight_says_how_many_would_get_it_and_how_long_that_takes(
    session: Session, editor: Visitor, signed_in: Visitor, issue: Issue
) -> None:
    page = editor.get(f"/desk/issues/{issue.id}/preflight")
    address = f"/desk/issues/{issue.id}/preflight/forecast"
    assert page.tree.xpath(f"//*[@hx-get='{address}']//a[@href='{address}']")
    assert "1 reader of all lists gets it" in editor.get(address).text
    part = editor.client.get(address, headers={**editor.headers, "HX-Request": "true"}).get_data(as_text=True)
    assert "<html" not in part
    # The hours are an admin's to set.
    hours = f"/desk/newsletters/{issue.newsletter_id}/hours"
    assert hours not in part
    assert signed_in.get(address).tree.xpath(f"//main//a[@href='{hours}']")
    approval.submit(session, issue, by=None)
    approval.approve(session, issue, by=None)
    session.commit()
    assert editor.get(address).tree.xpath(f"//main//a[@href='/desk/issues/{issue.id}/send']")
