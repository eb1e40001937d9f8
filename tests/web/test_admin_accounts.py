import pytest
from sqlalchemy import select

from mailer.accounts.auditing import READER, TERMINAL, AuditFilter, acting_as, list_audit_entries, record
from mailer.accounts.models import Account
from mailer.accounts.rules import AccountState, Role
from mailer.letters.models import Letter
from tests.web.conftest import PASSWORD, Visitor


def fresh(session, account: Account) -> Account:
    session.rollback()
    session.refresh(account)
    return account


def acts(session) -> list[str]:
    session.rollback()
    return [entry.action for entry in list_audit_entries(session, AuditFilter()) if entry.account_id]


# ---- accounts -------------------------------------------------------------------------------------------------------


def test_an_invited_person_gets_a_letter_and_comes_in_by_it(signed_in, session, app):
    page = signed_in.submit(
        "/admin/accounts/invite",
        {"name": "Wang Fang", "email": "Wang@example.org", "locale": "zh_CN", "roles": ["editor", "approver"]},
    )
    assert page.path == "/admin/accounts"
    assert "Wang@example.org" in page.text
    session.rollback()
    letter = session.scalars(select(Letter)).one()
    link = letter.parameters["url"].removeprefix("http://127.0.0.1:8000")
    guest = Visitor(app)
    assert "Welcome, Wang Fang" in guest.get(link).text
    assert guest.submit(link, {"password": PASSWORD, "repeated": PASSWORD}).path == "/desk/"
    account = session.scalars(select(Account).where(Account.email_key == "wang@example.org")).one()
    assert account.state == AccountState.ACTIVE
    assert account.roles == [Role.EDITOR, Role.APPROVER]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"email": "nobody"}, "email", "@"),
        ({"email": ""}, "email", "fill this in"),
        ({"email": "admin@example.org"}, "email", "already"),
        ({"name": " "}, "name", "fill this in"),
        ({"roles": []}, "roles", "at least one role"),
    ],
)
def test_a_wrong_invitation_is_said_beside_the_field_and_loses_nothing(signed_in, session, change, field, words):
    wanted = {"name": "Wang", "email": "wang@example.org", "locale": "en", "roles": ["editor"]} | change
    page = signed_in.submit("/admin/accounts/invite", wanted)
    assert page.status == 422
    assert words in page.errors()[field]
    if field != "name":
        assert page.tree.xpath("//input[@name='name']")[0].get("value") == "Wang"
    session.rollback()
    assert session.scalars(select(Letter)).all() == []


def test_a_role_that_does_not_exist_is_refused(signed_in, make_account):
    li = make_account("li", Role.EDITOR)
    page = signed_in.submit(f"/admin/accounts/{li.id}", {"roles": ["owner"]})
    assert page.status == 422


def test_roles_are_changed(signed_in, make_account, session):
    li = make_account("li", Role.EDITOR)
    page = signed_in.submit(f"/admin/accounts/{li.id}", {"roles": ["editor", "admin"]})
    assert "The roles are saved" in page.text
    assert fresh(session, li).roles == [Role.EDITOR, Role.ADMIN]
    assert acts(session)[0] == "account.roles_changed"


def test_the_last_admin_cannot_give_up_the_role_or_be_disabled(signed_in, admin, session):
    page = signed_in.submit(f"/admin/accounts/{admin.id}", {"roles": ["editor"]})
    assert page.status == 422
    assert "last active admin" in page.errors()["roles"]
    page = signed_in.submit(f"/admin/accounts/{admin.id}/disable")
    assert page.status == 409
    assert "last active admin" in page.text
    assert fresh(session, admin).state == AccountState.ACTIVE
    assert admin.roles == [Role.ADMIN]


def test_disabling_asks_first_and_shuts_out_at_once(signed_in, make_account, session, app):
    li = make_account("li", Role.EDITOR)
    theirs = Visitor(app)
    theirs.sign_in(li)
    asked = signed_in.get(f"/admin/accounts/{li.id}/disable")
    assert asked.heading == "Disable the account of Li?"
    assert fresh(session, li).state == AccountState.ACTIVE
    done = signed_in.submit(f"/admin/accounts/{li.id}/disable")
    assert "The account is disabled" in done.text
    assert theirs.get("/account/profile").path == "/account/sign-in"
    enabled = signed_in.submit(f"/admin/accounts/{li.id}", action=f"/admin/accounts/{li.id}/enable")
    assert "The account is enabled" in enabled.text
    assert theirs.get("/account/profile").path == "/account/sign-in"
    assert theirs.sign_in(li).path == "/desk/"


def test_an_invitation_is_sent_again(signed_in, make_account, session):
    li = make_account("li", Role.EDITOR, state=AccountState.INVITED)
    page = signed_in.submit(f"/admin/accounts/{li.id}", action=f"/admin/accounts/{li.id}/invite-again")
    assert "Another letter is on its way" in page.text
    session.rollback()
    assert session.scalars(select(Letter.address)).one() == "li@example.org"


def test_an_unknown_account_is_not_found(signed_in):
    assert signed_in.get("/admin/accounts/4711").status == 404
    assert signed_in.get("/admin/accounts/99999999999999999999999").status == 404


def test_a_name_full_of_markup_stays_text(signed_in, make_account, session):
    li = make_account("li", Role.EDITOR)
    li.name = '<script>alert("x")</script>'
    session.commit()
    page = signed_in.get("/admin/accounts")
    assert page.tree.xpath("//main//script") == []
    assert '<script>alert("x")</script>' in page.text


# ---- audit trail ----------------------------------------------------------------------------------------------------


@pytest.fixture
def trail(session, admin, make_account):
    li = make_account("li", Role.EDITOR)
    for number in range(60):
        by = admin if number % 2 else li
        record(
            session, by=by, action="list.changed", subject_type="list", subject_id=number + 1, ip="192.0.2.1", name="x"
        )
        session.flush()
    session.commit()
    return li


def rows(page) -> list[str]:
    return [" ".join(row.text_content().split()) for row in page.tree.xpath("//tbody/tr")]


def test_the_trail_is_paged_without_gaps(signed_in, trail):
    first = signed_in.get("/admin/audit?action=list.changed")
    assert len(rows(first)) == 50
    second = signed_in.get(first.tree.xpath("//a[@rel='next']")[0].get("href"))
    assert len(rows(second)) == 10
    numbers = [int(row.split("List ")[-1].split()[0]) for row in rows(first) + rows(second)]
    assert numbers == list(range(60, 0, -1))
    assert second.tree.xpath("//a[@rel='next']") == []


def test_the_trail_is_narrowed_by_who_what_and_which(signed_in, trail):
    assert all("Li" in row for row in rows(signed_in.get(f"/admin/audit?account={trail.id}")))
    assert len(rows(signed_in.get("/admin/audit?subject=list&id=7"))) == 1
    assert any("Signed in" in row for row in rows(signed_in.get("/admin/audit?action=account.signed_in")))


@pytest.mark.parametrize(
    "query",
    ["account=x", "action=nothing.done", "subject=%00", "id=-1", "before=abc", "before=0", "id=9999999999999999999"],
)
def test_odd_filters_find_nothing_and_break_nothing(signed_in, trail, query):
    assert signed_in.get(f"/admin/audit?{query}").status in {200, 404}


def test_the_trail_shows_acts_of_the_service_and_their_details(signed_in, session):
    record(session, by=None, action="import.started", subject_type="list", subject_id=1, filename="<b>x</b>.csv")
    session.commit()
    row = rows(signed_in.get("/admin/audit?action=import.started"))[0]
    assert "The service" in row
    assert "<b>x</b>.csv" in row


def test_the_trail_tells_details_in_words_and_leads_to_what_it_is_about(signed_in, session):
    told = {"is_correction": False, "segments": [], "lists": [1, 2]}
    record(session, by=None, action="mailing.created", subject_type="mailing", subject_id=9, **told)
    record(session, by=None, action="issue.deleted", subject_type="issue", subject_id=8)
    session.commit()
    made = signed_in.get("/admin/audit?action=mailing.created&lang=en")
    assert set(made.tree.xpath("//tbody//td[last()]/div/text()")) == {"lists: 1, 2", "correction: no"}
    assert made.tree.xpath("//tbody//a/@href") == ["/desk/mailings/9"]
    assert signed_in.get("/admin/audit?action=issue.deleted").tree.xpath("//tbody//a/@href") == []
    assert "更正：否" in rows(signed_in.get("/admin/audit?action=mailing.created&lang=zh_CN"))[0]


@pytest.mark.parametrize(
    ("details", "zh", "en"),
    [
        ({"basis": "official_distribution"}, "依据：公务发行", "legal basis: Official distribution"),
        ({"roles": ["editor", "admin"]}, "角色：编辑、管理员", "roles: Editor, Admin"),
        ({"before": ["editor"], "after": ["approver"]}, "变更后：签发此前：编辑", "after: Approver"),
        (
            {"theme": "bulletin", "tracking": "off"},
            "阅读情况的记录方式：不记录",
            "What is recorded of reading: Nothing",
        ),
        ({"state": "unsubscribed", "reason": "hard_bounce"}, "原因：地址不存在", "reason: No such address"),
        ({"opt_in": "double", "visibility": "private"}, "公开范围：不公开", "Visibility: Private"),
        ({"tree": {"all": [{"not": {"is": "locale", "value": "en"}}]}}, "条件：语言", "conditions: Language"),
        ({"fields": ["sender_address"]}, "发件地址", "fields: Sender's address"),
        ({"required_attributes": [{"key": "a", "label": "Office"}]}, "Office", "What the list asks: Office"),
        ({"theme_options": {"colour": "#123456"}}, "#123456", "theme: colour #123456"),
    ],
)
def test_codes_in_the_trail_are_told_in_words(signed_in, session, details, zh, en):
    record(session, by=None, action="list.changed", subject_type="list", subject_id=1, **details)
    session.commit()
    assert zh in rows(signed_in.get("/admin/audit?action=list.changed&lang=zh_CN"))[0]
    assert en in rows(signed_in.get("/admin/audit?action=list.changed&lang=en"))[0]


def test_the_trail_tells_readers_and_the_terminal_from_the_service(signed_in, session):
    for actor in (READER, TERMINAL):
        with acting_as(actor):
            record(
                session, by=None, action="subscriber.erased", subject_type="subscriber", subject_id=1, ip="192.0.2.1"
            )
    session.commit()
    shown = rows(signed_in.get("/admin/audit?action=subscriber.erased&lang=en"))
    assert ["At the terminal" in shown[0], "The reader" in shown[1]] == [True, True]
    # The trail outlives a reader's erasure, so it does not know where they were.
    assert ["192.0.2.1" in row for row in shown] == [True, False]
