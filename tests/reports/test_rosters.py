"""Who was left out of a mailing, and why: the sums add up, and no page skips or repeats anybody."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.audience.models import Segment, Subscriber
from mailer.db import now
from mailer.dispatch.models import Exclusion, MailingSegment
from mailer.dispatch.rules import ExclusionReason
from mailer.reports import rosters
from mailer.reports.rosters import export_excluded, get_narrowing, get_sums, list_excluded
from tests.factories import Sent, make_sent_mailing

REASONS = list(ExclusionReason)


@pytest.fixture
def sent(session: Session) -> Sent:
    """Three on the roster; seven are not, for every reason there is."""
    sent = make_sent_mailing(session, readers=3)
    for number in range(7):
        email = f"out{number}@example.org"
        reader = Subscriber(email=email, email_key=email, domain="example.org", name=f"=Out {number}")
        session.add(reader)
        session.flush()
        reason = REASONS[number % len(REASONS)]
        session.add(Exclusion(mailing_id=sent.mailing.id, subscriber_id=reader.id, reason=reason))
    session.commit()
    return sent


def test_candidates_are_the_roster_and_everybody_who_was_left_out(session: Session, sent: Sent) -> None:
    sums = get_sums(session, sent.mailing)
    assert (sums.candidates, sums.roster, sums.excluded) == (10, 3, 7)
    assert set(sums.exclusions) == set(REASONS)
    assert list(sums.exclusions.values()) == sorted(sums.exclusions.values(), reverse=True)


def test_pages_lead_forth_and_back_through_everybody(
    session: Session, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rosters, "PAGE", 3)
    seen, after = [], None
    while True:
        page = list_excluded(session, sent.mailing.id, after=after)
        seen.append([person.email for person in page.people])
        if page.after is None:
            break
        after = page.after
    assert seen == [[f"out{n}@example.org" for n in part] for part in ((0, 1, 2), (3, 4, 5), (6,))]
    back = list_excluded(session, sent.mailing.id, before=page.before)
    assert [person.email for person in back.people] == seen[1]
    first = list_excluded(session, sent.mailing.id, before=back.before)
    assert [person.email for person in first.people] == seen[0]
    assert (first.before, first.after) == (None, first.people[-1].subscriber_id)


def test_people_are_found_by_reason_and_by_a_part_of_their_address(session: Session, sent: Sent) -> None:
    page = list_excluded(session, sent.mailing.id, reason=REASONS[0])
    assert {person.reason for person in page.people} == {REASONS[0]}
    assert len(page.people) == get_sums(session, sent.mailing).exclusions[REASONS[0]]
    [found] = list_excluded(session, sent.mailing.id, search=" OUT4＠ ").people
    assert found.email == "out4@example.org"
    assert list_excluded(session, sent.mailing.id, search="reader1").people == []


def test_who_was_erased_still_counts_and_is_not_named(session: Session, sent: Sent) -> None:
    out = session.query(Subscriber).filter_by(email_key="out0@example.org").one()
    out.erased_at, out.email, out.email_key, out.name = now(session), "1@erased.invalid", "1@erased.invalid", ""
    session.commit()
    assert list_excluded(session, sent.mailing.id).people[0].email is None
    assert get_sums(session, sent.mailing).excluded == 7


def test_who_has_another_address_now_is_named_by_it(session: Session, sent: Sent) -> None:
    old, other = (session.query(Subscriber).filter_by(email_key=f"out{n}@example.org").one() for n in (0, 1))
    old.email = old.email_key = "9@merged.invalid"
    old.name, old.merged_into_id = "", other.id
    session.commit()
    first = list_excluded(session, sent.mailing.id).people[0]
    assert (first.subscriber_id, first.email, first.name) == (old.id, "out1@example.org", "=Out 1")


def test_the_file_holds_the_same_people(session: Session, sent: Sent) -> None:
    rows = list(export_excluded(session, sent.mailing.id, words={REASONS[0]: "first"}, reason=REASONS[0]))
    assert rows[0] == ("out0@example.org", "=Out 0", "first")
    assert len(list(export_excluded(session, sent.mailing.id, words={}))) == 7


def test_the_segments_that_narrowed_it_are_named(session: Session, sent: Sent) -> None:
    for name, is_exclusion in (("研发", False), ("外地", True)):
        segment = Segment(name=name, tree={"all": []})
        session.add(segment)
        session.flush()
        session.add(MailingSegment(mailing_id=sent.mailing.id, segment_id=segment.id, is_exclusion=is_exclusion))
    session.commit()
    narrowed = get_narrowing(session, sent.mailing)
    assert (narrowed.targets, narrowed.exclusions) == (("研发",), ("外地",))


def test_a_page_of_one_reason_walks_an_index(session: Session, sent: Sent) -> None:
    """Without it a rare reason among a million would be looked for in all of them."""
    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(
        text(
            "EXPLAIN SELECT subscriber_id FROM exclusions WHERE mailing_id = 1 AND reason = 'paused' "
            "AND subscriber_id > 0 ORDER BY subscriber_id LIMIT 51"
        )
    )
    assert "ix_exclusions_mailing_id_reason_subscriber_id" in "\n".join(plan.scalars())
