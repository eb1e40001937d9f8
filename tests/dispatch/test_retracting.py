"""An issue that is retracted reaches nobody any more."""

import pytest

from mailer.dispatch import launching
from mailer.dispatch.preparing import prepare
from mailer.dispatch.retracting import list_open_mailings, retract
from mailer.dispatch.rules import MailingState
from mailer.errors import RuleError
from tests.dispatch.conftest import House


def test_what_is_under_way_or_planned_is_cancelled(house: House) -> None:
    house.subscribe(3)
    house.subscribe(2, lists=(1,))
    running, planned, over = house.mailing(0), house.mailing(1, launched=False), house.mailing(1, launched=False)
    prepare(running.id)
    launching.cancel(house.session, over)
    house.session.commit()
    house.session.refresh(house.issue)
    assert [mailing.id for mailing in list_open_mailings(house.session, house.issue.id)] == [running.id, planned.id]
    assert retract(house.session, house.issue, "来源有误。", by=None) == 2
    house.session.commit()
    assert house.states(running) == {"skipped": 3}
    assert {running.state, planned.state, over.state} == {MailingState.CANCELLED}
    with pytest.raises(RuleError, match="retracted"):
        house.mailing(0)


def test_what_cannot_be_retracted_stops_nothing(house: House) -> None:
    house.subscribe(1)
    planned = house.mailing(0, launched=False)
    with pytest.raises(RuleError, match="has not been sent"):
        retract(house.session, house.issue, "来源有误。", by=None)
    house.session.rollback()
    house.session.refresh(planned)
    assert planned.state == MailingState.DRAFT
