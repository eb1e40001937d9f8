import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.accounts.models import AuditEntry
from mailer.db import now
from mailer.errors import NotFoundError, RuleError
from mailer.newsletters.models import List, Newsletter


def create(session: Session, slug: str = "tech", **values: object) -> Newsletter:
    known: dict[str, object] = {"title": "科技参考", "sender_name": "编辑部", "sender_address": "Editor＠Example.org"}
    return newsletters.create_newsletter(session, slug=slug, **(known | values))  # type: ignore[arg-type]


def actions(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_newsletter_is_founded_with_clean_values_and_told_in_the_audit_trail(session: Session) -> None:
    made = create(session, " Tech ", title="  科技 \n 参考 ", reply_to=" ", description="一\r\n二 ")
    assert (made.slug, made.title, made.sender_address, made.reply_to, made.description) == (
        "tech", "科技 参考", "Editor@example.org", None, "一\n二",
    )  # fmt: skip
    assert (made.language, made.theme, made.is_four_eyes, made.tracking) == ("zh_CN", "bulletin", True, "full")
    assert actions(session) == ["newsletter.created"]


@pytest.mark.parametrize(
    "bad",
    [
        {"slug": ""}, {"slug": "-x"}, {"slug": "a b"}, {"slug": "科技"}, {"slug": "x" * 65}, {"slug": "a.b"},
        {"title": " "}, {"title": "x" * 201}, {"sender_name": ""}, {"sender_address": "editor"}, {"reply_to": "x@"},
        {"language": "fr"}, {"time_zone": "Mars/Olympus"}, {"tracking": "all"}, {"contact": "x" * 10_001},
    ],
)  # fmt: skip
def test_impossible_values_are_refused(session: Session, bad: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        create(session, **bad)
    session.rollback()
    assert newsletters.list_newsletters(session) == []


def test_a_short_name_is_taken_once(session: Session) -> None:
    create(session)
    with pytest.raises(RuleError, match="taken"):
        create(session, "TECH")


def test_a_field_that_does_not_exist_is_a_mistake_of_the_caller(session: Session) -> None:
    with pytest.raises(TypeError):
        create(session, colour="red")
    made = create(session)
    with pytest.raises(TypeError):
        newsletters.change_newsletter(session, made, slug="other")


def test_only_what_changed_is_told(session: Session) -> None:
    made = create(session)
    newsletters.change_newsletter(session, made, title="科技参考", language="en")
    newsletters.change_newsletter(session, made, title="科技参考")
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "newsletter.changed")).one()
    assert entry.details == {"language": "en"}


def test_a_refused_change_changes_nothing(session: Session) -> None:
    made = create(session)
    session.commit()
    with pytest.raises(RuleError):
        newsletters.change_newsletter(session, made, title="新", time_zone="x")
    assert made.title == "科技参考"


def test_newsletters_are_found_by_id_and_short_name_and_listed_by_title(session: Session) -> None:
    second = create(session, "b", title="乙")
    first = create(session, "a", title="A")
    assert [each.slug for each in newsletters.list_newsletters(session)] == ["a", "b"]
    assert newsletters.get_newsletter(session, first.id) is first
    assert newsletters.get_newsletter_by_slug(session, "b") is second
    assert newsletters.find_newsletter_by_slug(session, "c") is None
    for missing in (
        lambda: newsletters.get_newsletter(session, 99),
        lambda: newsletters.get_newsletter_by_slug(session, "c"),
    ):
        with pytest.raises(NotFoundError):
            missing()
    newsletters.archive_newsletter(session, first, at=now(session))
    newsletters.archive_newsletter(session, first, at=now(session) + dt.timedelta(days=1))
    assert [each.slug for each in newsletters.list_newsletters(session)] == ["b"]
    assert len(newsletters.list_newsletters(session, has_archived=True)) == 2
    assert actions(session).count("newsletter.archived") == 1


def test_lists_belong_to_their_newsletter_and_keep_their_list_id(session: Session) -> None:
    made = create(session)
    weekly = newsletters.create_list(session, made, slug="weekly", name=" 周报 ", opt_in="single", visibility="private")
    assert (weekly.name, weekly.opt_in, weekly.visibility) == ("周报", "single", "private")
    assert newsletters.list_id_of(weekly) == "weekly.tech.example.org"
    newsletters.change_list(session, weekly, name="每周", opt_in="double")
    assert newsletters.get_list(session, weekly.id).name == "每周"
    with pytest.raises(RuleError, match="taken"):
        newsletters.create_list(session, made, slug="weekly", name="又")
    other = create(session, "life")
    newsletters.create_list(session, other, slug="weekly", name="生活")
    for bad in ({"opt_in": "triple"}, {"visibility": "secret"}, {"name": ""}):
        with pytest.raises(RuleError):
            newsletters.change_list(session, weekly, **bad)
    with pytest.raises(TypeError):
        newsletters.change_list(session, weekly, slug="x")
    with pytest.raises(NotFoundError):
        newsletters.get_list(session, 99)


def test_the_longest_list_id_stays_within_255_octets(session: Session) -> None:
    domain = ".".join(["d" * 60, "e" * 40, "example"])
    made = create(session, "n" * 64, sender_address=f"a@{domain}")
    longest = newsletters.create_list(session, made, slug="l" * 64, name="x")
    assert len(newsletters.list_id_of(longest)) <= 255


def test_lists_are_shown_in_their_order_and_hidden_when_archived_or_private(session: Session) -> None:
    made = create(session)
    last = newsletters.create_list(session, made, slug="last", name="乙", position=2)
    first = newsletters.create_list(session, made, slug="first", name="甲", position=1)
    private = newsletters.create_list(session, made, slug="board", name="内部", visibility="private")
    assert newsletters.list_lists(session, newsletter_id=made.id) == [private, first, last]
    assert newsletters.list_lists(session, is_public=True) == [first, last]
    newsletters.archive_list(session, first, at=now(session))
    assert newsletters.list_lists(session, is_public=True) == [last]
    assert len(newsletters.list_lists(session, has_archived=True)) == 3
    newsletters.restore_list(session, first)
    assert newsletters.list_lists(session, is_public=True) == [first, last]
    newsletters.archive_newsletter(session, made, at=now(session))
    assert newsletters.list_lists(session, is_public=True) == []


def test_an_operator_names_a_list_in_three_ways(session: Session) -> None:
    tech, life = create(session), create(session, "life")
    weekly = newsletters.create_list(session, tech, slug="weekly", name="科技周报")
    other = newsletters.create_list(session, life, slug="weekly", name="生活周报")

    def find(name: str) -> List:
        return newsletters.get_list_by_name(session, name)

    assert find("科技周报") is weekly
    assert find(" life/weekly ") is other
    with pytest.raises(RuleError, match="newsletter/list"):
        find("weekly")
    with pytest.raises(NotFoundError, match="monthly"):
        find("monthly")
    newsletters.archive_list(session, other, at=now(session))
    assert find("weekly") is weekly
