"""Whatever a directory says and readers do, in any order: who left stays away, who came by themselves stays."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mailer import links
from mailer.audience import leaving, suppressing
from mailer.audience.directories import registry
from mailer.audience.directories.models import Directory
from mailer.audience.models import Subscriber
from mailer.audience.preferences import save_preferences
from mailer.audience.rules import SuppressionReason
from mailer.newsletters.models import List
from tests.audience.conftest import SignUp
from tests.audience.directories.conftest import VALUES, Write, on_list, sync

PEOPLE = ("ann@example.org", "bob@example.org", "kim@example.org")
WHO = st.sampled_from(PEOPLE)
CONTENTS = st.sets(WHO, min_size=1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sync"), CONTENTS),
        st.tuples(st.sampled_from(["leave", "leave_all", "sign_up", "choose", "suppress", "broken"]), WHO),
    ),
    min_size=3,
    max_size=10,
)
# What the letters, forms and mailed links do is tested elsewhere: here it is only done.


class World:
    """What ought to be true, told by each step in plain words; the list has single opt-in."""

    def __init__(self, session: Session, target: List, directory: Directory, write: Write, fill_in: SignUp) -> None:
        self.session, self.target, self.directory = session, target, directory
        self.write, self.fill_in = write, fill_in
        # Who said no and has not come back by themselves since; who said yes by themselves; who is in the directory.
        self.left: set[str] = set()
        self.own: set[str] = set()
        self.brought: set[str] = set()
        self.suppressed: set[str] = set()

    def reader(self, who: str) -> Subscriber | None:
        return self.session.scalar(select(Subscriber).where(Subscriber.email_key == who))

    def receives(self, who: str) -> bool:
        return on_list(self.session, self.target).get(who) == "confirmed"

    def sync(self, contents: set[str]) -> None:
        before = on_list(self.session, self.target)
        self.write(*sorted(contents))
        assert sync(self.session, self.directory).state == "finished"
        after = on_list(self.session, self.target)
        for who in PEOPLE:
            was, is_now = before.get(who) == "confirmed", after.get(who) == "confirmed"
            if who in self.left or (who in self.suppressed and not was):
                assert not is_now or was, f"{who} was brought back"
            elif who in contents:
                assert is_now, f"{who} is in the directory and does not receive"
                if not was:
                    self.brought.add(who)
            elif who in self.own:
                assert is_now == was, f"{who} came by themselves and was taken off"
            elif was:
                assert who in self.brought
                assert after[who] == "removed", f"{who} is not in the directory any more"
        # Twice is once.
        assert sync(self.session, self.directory).counts["removed"] == 0
        assert on_list(self.session, self.target) == after

    def leave(self, who: str) -> None:
        reader = self.reader(who)
        if reader is not None and who in on_list(self.session, self.target):
            leaving.unsubscribe(self.session, leaving.UnsubscribeTarget(reader.id, 0, (self.target.id,)))
            self.left.add(who)

    def leave_all(self, who: str) -> None:
        reader = self.reader(who)
        if reader is not None:
            leaving.leave_all(self.session, reader.id)
            self.left.add(who)

    def sign_up(self, who: str) -> None:
        """Typed into the form: of a leaver that is a wish only."""
        self.fill_in(self.target, email=who)
        if self.receives(who):
            self.own.add(who)

    def choose(self, who: str) -> None:
        """Ticked behind a mailed link."""
        reader = self.reader(who)
        if reader is None or self.receives(who):
            return
        token = links.make_preferences_token(reader.id)
        save_preferences(self.session, token, list_ids=[self.target.id], locale="zh_CN", name="")
        assert self.receives(who)
        self.own.add(who)
        self.left.discard(who)
        # Coming back takes back a departure from everything.
        if self.is_suppressed(who):
            self.suppressed.add(who)

    def suppress(self, who: str) -> None:
        suppressing.suppress(self.session, email_key=who, reason=SuppressionReason.MANUAL)
        self.suppressed.add(who)

    def is_suppressed(self, who: str) -> bool:
        return suppressing.is_suppressed(self.session, who)

    def broken(self, _who: str) -> None:
        """A table that names nobody."""
        before = on_list(self.session, self.target)
        self.write()
        assert sync(self.session, self.directory).state == "failed"
        assert on_list(self.session, self.target) == before


@pytest.mark.timeout(300)
def test_no_order_of_events_brings_back_who_left_or_takes_off_who_came(
    session: Session, single: List, write: Write, fill_in: SignUp
) -> None:
    write(*PEOPLE)
    values: dict[str, Any] = {**VALUES, "list_id": single.id, "limit_percent": 100}
    directory = registry.create_directory(session, by=None, **values)
    session.commit()
    sync(session, directory, is_dry=True)
    registry.switch_on(session, directory, by=None)
    session.commit()

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # Shrinking a failure would take minutes of real transactions; ten steps can be read.
        phases=[Phase.explicit, Phase.generate],
    )
    @given(STEPS)
    def holds(steps: list[tuple[str, Any]]) -> None:
        session.rollback()
        tables = "subscribers, subscriptions, suppressions, directory_members, directory_runs, directory_findings"
        session.execute(text(f"TRUNCATE {tables} CASCADE"))
        session.commit()
        session.expire_all()
        world = World(session, single, directory, write, fill_in)
        for act, what in steps:
            step: Callable[[Any], None] = getattr(world, act)
            step(what)
            session.commit()

    holds()
