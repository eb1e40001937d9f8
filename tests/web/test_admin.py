import csv
import io

import pytest
from flask import Flask
from sqlalchemy import select

from mailer import newsletters
from mailer.accounts.auditing import AuditFilter, list_audit_entries
from mailer.accounts.rules import Role
from mailer.audience.import_models import ImportRun
from mailer.audience.importing import run_import
from mailer.audience.models import Consent, Subscriber, Subscription, Suppression
from mailer.audience.rules import SubscriptionState, SuppressionReason
from mailer.audience.suppressing import is_suppressed, suppress
from mailer.dispatch.models import Relay
from mailer.newsletters.models import List, Newsletter
from tests.web.conftest import Visitor

ADDRESSES_OF_NOTHING = {"account_id": 1, "list_id": 1, "subscriber_id": 1, "run_id": 1, "relay_id": 1, "mailing_id": 1}


def admin_routes(app: Flask) -> list[tuple[str, str]]:
    """(method, address) of every route of the admin's pages."""
    found = []
    adapter = app.url_map.bind("127.0.0.1")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin."):
            kind = "ldap" if rule.endpoint == "admin.directory_create" else "csv"
            values = {name: {"act": "keep", "kind": kind}.get(name, 1) for name in rule.arguments}
            address = adapter.build(rule.endpoint, values, method=min(rule.methods - {"HEAD", "OPTIONS"}))
            found += [(method, address) for method in rule.methods - {"OPTIONS", "HEAD"}]
    return sorted(found)


@pytest.fixture
def newsletter(session) -> Newsletter:
    made = newsletters.create_newsletter(
        session, slug="tech", title="科技情报参考", sender_name="Tech", sender_address="news@example.org"
    )
    session.commit()
    return made


@pytest.fixture
def weekly(session, newsletter) -> List:
    made = newsletters.create_list(session, newsletter, slug="weekly", name="Weekly")
    session.commit()
    return made


@pytest.fixture
def add_reader(session, weekly):
    """`add_reader("li")`: a confirmed reader of the weekly list."""

    def add(name: str, state: SubscriptionState = SubscriptionState.CONFIRMED) -> Subscriber:
        email = f"{name}@example.org"
        reader = Subscriber(email=email, email_key=email, domain="example.org", name=name.title())
        reader.subscriptions.append(Subscription(list_id=weekly.id, state=state, source="form"))
        session.add(reader)
        session.commit()
        return reader

    return add


def acts(session) -> list[str]:
    session.rollback()
    return [entry.action for entry in list_audit_entries(session, AuditFilter()) if entry.account_id]


def rows(page) -> list[str]:
    return [" ".join(row.text_content().split()) for row in page.tree.xpath("//tbody/tr")]


# ---- who may enter --------------------------------------------------------------------------------------------------


def test_every_admin_route_refuses_strangers_and_editors(app, make_account):
    """Whatever the method, and before anything is looked up."""
    stranger, editor = Visitor(app), Visitor(app)
    editor.sign_in(make_account("li", Role.EDITOR, Role.APPROVER))
    token = editor.get("/account/profile").tree.xpath("//input[@name='csrf_token']")[0].get("value")
    routes = admin_routes(app)
    assert len(routes) > 45
    for method, address in routes:
        answer = stranger.client.open(address, method=method)
        where = f"{method} {address}"
        if method == "GET":
            assert answer.status_code == 302, where
            assert answer.headers["Location"].startswith("/account/sign-in"), where
        else:
            assert answer.status_code in {302, 400}, where
        data = {"csrf_token": token} if method == "POST" else None
        assert editor.client.open(address, method=method, data=data).status_code == 403, where


def test_every_admin_page_answers_on_an_empty_database(app, signed_in):
    pages = [address for method, address in admin_routes(app) if method == "GET" and "/1" not in address]
    assert len(pages) > 12
    for address in pages:
        if address in {"/admin/system", "/admin/health"}:
            continue
        page = signed_in.get(address)
        assert page.status == 200, address


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_every_admin_page_has_a_heading_a_title_and_labelled_fields(app, admin, weekly, add_reader, language):
    add_reader("li")
    visitor = Visitor(app, language=language)
    visitor.sign_in(admin)
    visitor.get(f"/admin/lists?lang={'en' if language == 'en' else 'zh_CN'}")
    for address in ("", "lists", "lists/new", "lists/1", "lists/1/archive", "subscribers", "subscribers/new",
                    "subscribers/1", "imports", "imports/new", "suppressions", "suppressions/new", "relays",
                    "relays/new",
                    "accounts", "accounts/invite", "accounts/1", "audit", "unknown"):  # fmt: skip
        page = visitor.get(f"/admin/{address}")
        assert page.status == 200, address
        assert page.heading, address
        assert page.tree.xpath("//html/@lang")[0].startswith(language[:2]), address
        for field in page.tree.xpath("//main//*[self::input or self::select or self::textarea][not(@type='hidden')]"):
            identity = field.get("id")
            labels = page.tree.xpath(f"//label[@for='{identity}']") if identity else []
            assert labels or field.get("aria-label") or field.xpath("ancestor::label"), f"{address} {field.get('name')}"
        for form in page.tree.xpath("//form[@method='post']"):
            assert form.xpath(".//input[@name='csrf_token']/@value"), address


# ---- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_is_made_changed_archived_and_restored(signed_in, newsletter, session):
    wanted = {
        "newsletter_id": newsletter.id, "slug": "daily", "name": "Daily", "opt_in": "single", "visibility": "private",
        "position": 3,
    }  # fmt: skip
    page = signed_in.submit("/admin/lists/new", wanted)
    assert page.path == "/admin/lists"
    assert "daily.tech.example.org" in page.text
    made = session.scalars(select(List)).one()
    assert (made.opt_in, made.visibility, made.position) == ("single", "private", 3)
    signed_in.submit(f"/admin/lists/{made.id}", {"name": "Every day"})
    session.refresh(made)
    assert (made.name, made.opt_in) == ("Every day", "single")
    asked = signed_in.get(f"/admin/lists/{made.id}/archive")
    assert "Archive the list “Every day”?" in asked.heading
    session.refresh(made)
    assert made.archived_at is None
    assert "is archived" in signed_in.submit(f"/admin/lists/{made.id}/archive").text
    session.refresh(made)
    assert made.archived_at is not None
    signed_in.submit(f"/admin/lists/{made.id}", action=f"/admin/lists/{made.id}/restore")
    session.refresh(made)
    assert made.archived_at is None
    assert acts(session)[:4] == ["list.restored", "list.archived", "list.changed", "list.created"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Not a slug!"}, "slug"),
        ({"slug": "weekly"}, "slug"),
        ({"name": ""}, "name"),
        ({"position": "x"}, "position"),
    ],
)
def test_a_list_that_cannot_be_is_said_beside_the_field(signed_in, weekly, change, field):
    wanted = {"newsletter_id": weekly.newsletter_id, "slug": "daily", "name": "Daily", "position": "0"} | change
    page = signed_in.submit("/admin/lists/new", wanted)
    assert page.status == 422
    assert page.errors()[field]
    assert len(rows(signed_in.get("/admin/lists"))) == 1


def test_without_a_newsletter_the_page_says_what_to_do(signed_in):
    assert "There is no newsletter yet" in signed_in.get("/admin/lists").text
    assert "There is no newsletter yet" in signed_in.get("/admin/lists/new").text


def test_lists_show_how_many_readers_they_have(signed_in, weekly, add_reader):
    add_reader("li")
    add_reader("wang")
    add_reader("chen", SubscriptionState.UNSUBSCRIBED)
    (row,) = rows(signed_in.get("/admin/lists"))
    assert "2 0 1" in row


# ---- subscribers ----------------------------------------------------------------------------------------------------


def test_subscribers_are_found_by_a_part_of_their_address(signed_in, add_reader):
    add_reader("li.wei")
    add_reader("wang")
    (row,) = rows(signed_in.get("/admin/subscribers?search=LI.W"))
    assert "li.wei@example.org" in row
    assert "No subscriber is like that" in signed_in.get("/admin/subscribers?search=nobody").text


def test_subscribers_are_paged_without_gaps(signed_in, session, weekly):
    session.add_all(
        Subscriber(email=f"r{n}@example.org", email_key=f"r{n}@example.org", domain="example.org") for n in range(120)
    )
    session.commit()
    seen, address = [], "/admin/subscribers?search=example"
    while address:
        page = signed_in.get(address)
        seen += [row.split()[0] for row in rows(page)]
        following = page.tree.xpath("//a[@rel='next']/@href")
        address = following[0] if following else None
    assert seen == [f"r{n}@example.org" for n in range(119, -1, -1)]


@pytest.mark.parametrize("query", ["search=%00", "search=%25", "list=x", "list=99999999999999999999", "state=nonsense",
                                   "before=-5", "search=" + "x" * 1000])  # fmt: skip
def test_odd_searches_break_nothing(signed_in, add_reader, query):
    add_reader("li")
    assert signed_in.get(f"/admin/subscribers?{query}").status in {200, 404}


def test_a_subscriber_is_added_by_hand_with_the_legal_basis(signed_in, weekly, session):
    page = signed_in.submit(
        "/admin/subscribers/new",
        {
            "email": " Li＠example.org",
            "name": "李伟",
            "list_id": weekly.id,
            "basis": "contract",
            "decided_by": "Board",
            "decided_on": "2026-03-02",
            "wording": "Member no. 7",
        },
    )
    assert page.heading == "Li@example.org"
    assert "Member no. 7" in page.text
    session.rollback()
    subscription = session.scalars(select(Subscription)).one()
    assert subscription.state == SubscriptionState.CONFIRMED
    consent = session.scalars(select(Consent)).one()
    assert (consent.act, consent.basis, consent.wording) == ("imported", "contract", "Member no. 7")
    assert acts(session)[0] == "subscriber.added"


def test_who_has_left_or_is_suppressed_cannot_be_added(signed_in, weekly, add_reader, session):
    add_reader("left", SubscriptionState.UNSUBSCRIBED)
    suppress(session, email_key="dead@example.org", reason=SuppressionReason.HARD_BOUNCE)
    add_reader("here")
    for name, words in (("left", "has unsubscribed"), ("dead", "suppression list"), ("here", "already")):
        page = signed_in.submit(
            "/admin/subscribers/new",
            {"email": f"{name}@example.org", "list_id": weekly.id, "basis": "consent", "wording": "by phone"},
        )
        assert page.status == 422
        assert words in page.errors()["email"]
    session.rollback()
    assert session.scalars(select(Consent)).all() == []


def test_the_export_is_safe_for_spreadsheets_and_recorded(signed_in, weekly, add_reader, session):
    reader = add_reader("li")
    reader.name = "=HYPERLINK(1)"
    session.commit()
    answer = signed_in.get(f"/admin/subscribers/export.csv?list={weekly.id}").response
    assert answer.mimetype == "text/csv"
    table = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [(row["email"], row["name"], row["list"], row["state"]) for row in table] == [
        ("li@example.org", "'=HYPERLINK(1)", "Weekly", "confirmed")
    ]
    assert acts(session)[:2] == ["export.finished", "subscribers.exported"]


def test_a_reader_is_unsubscribed_on_their_word_and_the_word_is_kept(signed_in, weekly, add_reader, session):
    add_reader("li")
    refused = signed_in.submit(f"/admin/subscribers/1/lists/{weekly.id}/unsubscribe", {"wording": " "})
    assert refused.status == 422
    page = signed_in.submit(f"/admin/subscribers/1/lists/{weekly.id}/unsubscribe", {"wording": "asked by phone"})
    assert "is unsubscribed from “Weekly”" in page.text
    assert "asked by phone" in page.text
    session.rollback()
    assert session.scalars(select(Subscription.state)).one() == SubscriptionState.UNSUBSCRIBED
    assert acts(session)[0] == "subscriber.unsubscribed"
    assert signed_in.get("/admin/subscribers/1/lists/4711/unsubscribe").status == 404


def test_a_copy_of_everything_is_handed_over_and_recorded(signed_in, add_reader, session):
    add_reader("li")
    answer = signed_in.get("/admin/subscribers/1/copy.json").response
    assert answer.mimetype == "application/json"
    assert answer.json["subscriber"]["email"] == "li@example.org"
    assert acts(session)[0] == "subscriber.copied"


def test_erasing_asks_first_and_leaves_nothing_to_find(signed_in, add_reader, session):
    add_reader("li")
    assert "Erase li@example.org for good?" in signed_in.get("/admin/subscribers/1/erase").heading
    assert "li@example.org" in signed_in.get("/admin/subscribers").text
    assert "The reader is erased" in signed_in.submit("/admin/subscribers/1/erase").text
    assert "li@example.org" not in signed_in.get("/admin/subscribers").text
    assert "li@example.org" not in signed_in.get("/admin/subscribers/1").text
    assert "subscriber.erased" in acts(session)


def test_a_hash_is_shown_to_nobody_whatever_its_reason(signed_in, add_reader, session):
    add_reader("li")
    suppress(session, email_key="li@example.org", reason=SuppressionReason.HARD_BOUNCE)
    session.commit()
    signed_in.submit("/admin/subscribers/1/erase")
    page = signed_in.get("/admin/suppressions")
    assert "No such address" in page.text
    assert "erased:" not in page.text
    bounced = session.scalars(select(Suppression.id).where(Suppression.reason == "erased")).one()
    asked = signed_in.get(f"/admin/suppressions/{bounced}/lift")
    assert "(an erased reader)" in asked.heading
    assert "Only they may come back" in asked.text
    lifted = signed_in.submit(f"/admin/suppressions/{bounced}/lift", {"note": "by mistake"})
    assert "(an erased reader) is no longer suppressed" in lifted.text
    assert "erased:" not in lifted.text


# ---- imports --------------------------------------------------------------------------------------------------------


def upload(visitor: Visitor, weekly: List, content: bytes, **change):
    wanted = {
        "list_id": weekly.id, "basis": "consent", "has_right": "y", "file": (io.BytesIO(content), "readers.csv"),
    } | change  # fmt: skip
    return visitor.submit("/admin/imports/new", wanted)


def test_a_file_is_imported_watched_and_its_refusals_reported(signed_in, weekly, add_reader, session):
    add_reader("left", SubscriptionState.UNSUBSCRIBED)
    content = "邮箱,姓名\nli@example.org,李伟\nnot an address,x\nleft@example.org,\nLI@example.org,\n=1+1,x\n".encode(
        "gb18030"
    )
    page = upload(signed_in, weekly, content)
    assert page.path == "/admin/imports/1/columns"
    assert "GB18030" in page.text
    page = signed_in.submit("/admin/imports/1/columns", action=None)
    assert page.path == "/admin/imports/1"
    assert "Being checked" in page.text
    assert page.tree.xpath("//*[@hx-get='/admin/imports/1/state']")
    run_import(1)
    checked = signed_in.get("/admin/imports/1")
    assert "Checked, not imported yet" in checked.text
    assert "left@example.org" in checked.text
    session.rollback()
    assert session.scalar(select(Subscriber.name).where(Subscriber.email_key == "li@example.org")) is None
    page = signed_in.submit("/admin/imports/1", action="/admin/imports/1/begin")
    assert "Waiting" in page.text
    run_import(1)
    state = signed_in.get("/admin/imports/1/state")
    assert not state.tree.xpath("//*[@hx-get]")
    finished = signed_in.get("/admin/imports/1")
    assert "Finished" in finished.text
    report = signed_in.get("/admin/imports/1/refusals.csv").response.get_data(as_text=True)
    table = list(csv.reader(io.StringIO(report.removeprefix("\ufeff"))))
    assert table[0] == ["Line", "Value", "Reason"]
    assert [(line, value) for line, value, _ in table[1:]] == [
        ("3", "not an address"), ("4", "left@example.org"), ("5", "LI@example.org"), ("6", "'=1+1"),
    ]  # fmt: skip
    assert "unsubscribed" in table[2][2]
    session.rollback()
    assert session.scalar(select(Subscriber.name).where(Subscriber.email_key == "li@example.org")) == "李伟"


@pytest.mark.parametrize(
    ("change", "field"),
    [({"has_right": ""}, "has_right"), ({"file": (io.BytesIO(b""), "")}, "file"), ({"basis": "because"}, "basis")],
)
def test_an_import_without_file_basis_or_right_is_refused(signed_in, weekly, session, change, field):
    page = upload(signed_in, weekly, b"li@example.org\n", **change)
    assert page.status == 422
    assert field in page.errors()
    session.rollback()
    assert session.scalars(select(ImportRun)).all() == []


def test_columns_are_chosen_by_a_person_where_nothing_looks_like_an_address(signed_in, weekly, session):
    page = upload(signed_in, weekly, "联络,人\nli@example.org,李伟\n".encode())
    assert page.path == "/admin/imports/1/columns"
    refused = signed_in.submit("/admin/imports/1/columns", {"column0": "name", "column1": "name"})
    assert refused.status == 422
    assert "exactly one" in refused.text
    signed_in.submit("/admin/imports/1/columns", {"column0": "email", "column1": "name"})
    run_import(1)
    assert "Checked" in signed_in.get("/admin/imports/1").text


def test_a_file_that_brings_nobody_says_so_and_offers_no_import(signed_in, weekly, session):
    upload(signed_in, weekly, b"email,status\nli@example.org,unsubscribed\n")
    signed_in.submit("/admin/imports/1/columns")
    run_import(1)
    page = signed_in.get("/admin/imports/1")
    assert "There is nobody in this file to be imported" in page.text
    assert "Import the readers" not in page.text
    assert "Change the columns" in page.text


def test_an_import_is_given_up_and_stays_so(signed_in, weekly, session):
    upload(signed_in, weekly, b"email\nli@example.org\n")
    page = signed_in.submit("/admin/imports/1/columns", action="/admin/imports/1/cancel")
    assert "Cancelled" in page.text
    run_import(1)
    session.rollback()
    assert session.scalars(select(Subscriber)).all() == []
    again = signed_in.get("/admin/imports/1/columns")
    assert again.path == "/admin/imports/1"


@pytest.mark.parametrize("content", [b"", b"\0\0\1\2\xff", b"%PDF-1.7\n\x9c\xff", b"PK\x03\x04 no workbook"])
def test_a_file_that_is_no_table_of_addresses_is_refused_with_a_reason(signed_in, weekly, session, content):
    page = upload(signed_in, weekly, content)
    assert page.status == 422
    assert page.errors()["file"]
    session.rollback()
    assert session.scalars(select(ImportRun)).all() == []


def test_an_unknown_import_is_not_found(signed_in):
    for address in ("/admin/imports/7", "/admin/imports/7/state", "/admin/imports/7/refusals.csv"):
        assert signed_in.get(address).status == 404


# ---- suppressions ---------------------------------------------------------------------------------------------------


def test_an_address_is_suppressed_found_and_lifted_each_with_a_reason(signed_in, newsletter, session):
    page = signed_in.submit(
        "/admin/suppressions/new", {"email": "Li@Example.org", "newsletter_id": "0", "note": "asked by phone"}
    )
    assert "li@example.org" in page.text
    assert "asked by phone" in page.text
    session.rollback()
    assert is_suppressed(session, "li@example.org")
    refused = signed_in.submit("/admin/suppressions/1/lift", {"note": " "})
    assert refused.status == 422
    assert "Say why" in refused.errors()["note"]
    lifted = signed_in.submit("/admin/suppressions/1/lift", {"note": "asked to come back"})
    assert "no longer suppressed" in lifted.text
    session.rollback()
    assert not is_suppressed(session, "li@example.org")
    assert signed_in.get("/admin/suppressions/1/lift").status == 409
    assert acts(session)[:2] == ["suppression.lifted", "suppression.added"]


def test_a_suppression_may_hold_for_one_newsletter(signed_in, newsletter, session):
    signed_in.submit(
        "/admin/suppressions/new", {"email": "li@example.org", "newsletter_id": newsletter.id, "note": "not this one"}
    )
    session.rollback()
    assert session.scalars(select(Suppression.newsletter_id)).all() == [newsletter.id]
    assert not is_suppressed(session, "li@example.org")


# ---- relays ---------------------------------------------------------------------------------------------------------

RELAY = {
    "name": "main", "host": "smtp.example.org", "port": "587", "security": "starttls", "username": "mailer",
    "password": "a secret of the relay", "connections": "5", "messages_per_connection": "50", "rate": "",
    "is_enabled": "y",
}  # fmt: skip


def test_a_relays_password_goes_in_and_never_comes_out(signed_in, session):
    page = signed_in.submit("/admin/relays/new", RELAY)
    assert page.path == "/admin/relays/1"
    relay = session.scalars(select(Relay)).one()
    assert b"a secret" not in relay.sealed_password
    assert relay.sealed_password
    for address in ("/admin/relays", "/admin/relays/1", "/admin/audit"):
        assert "a secret of the relay" not in signed_in.get(address).response.get_data(as_text=True)
    sealed = relay.sealed_password
    signed_in.submit("/admin/relays/1", {"host": "smtp2.example.org"})
    session.refresh(relay)
    assert (relay.host, relay.sealed_password) == ("smtp2.example.org", sealed)
    signed_in.submit("/admin/relays/1", {"forget_password": "yes"})
    session.refresh(relay)
    assert relay.sealed_password == b""


@pytest.mark.parametrize(
    ("change", "field"),
    [({"port": "0"}, "port"), ({"port": "x"}, "port"), ({"host": ""}, "host"), ({"connections": "0"}, "connections"),
     ({"rate": "-1"}, "rate"), ({"security": "rot13"}, "security")],
)  # fmt: skip
def test_a_relay_that_cannot_be_is_said_beside_the_field(signed_in, session, change, field):
    page = signed_in.submit("/admin/relays/new", RELAY | change)
    assert page.status == 422
    assert page.errors()[field]
    session.rollback()
    assert session.scalars(select(Relay)).all() == []


def test_two_relays_cannot_have_one_name(signed_in):
    signed_in.submit("/admin/relays/new", RELAY)
    page = signed_in.submit("/admin/relays/new", RELAY)
    assert "already" in page.errors()["name"]


def test_removing_a_relay_asks_first(signed_in, session):
    signed_in.submit("/admin/relays/new", RELAY)
    assert "Remove the relay main?" in signed_in.get("/admin/relays/1/remove").heading
    assert session.scalars(select(Relay)).all()
    assert "is removed" in signed_in.submit("/admin/relays/1/remove").text
    session.rollback()
    assert session.scalars(select(Relay)).all() == []


def test_testing_a_relay_that_is_away_says_so(signed_in):
    signed_in.submit(
        "/admin/relays/new", RELAY | {"host": "127.0.0.1", "port": "1", "security": "none", "username": ""}
    )
    page = signed_in.submit("/admin/relays/1", action="/admin/relays/1/test")
    assert "The relay main cannot be reached" in page.text
