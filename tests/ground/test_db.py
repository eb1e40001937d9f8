import datetime as dt

import pytest
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from mailer.accounts.models import Account
from mailer.db import now


def test_times_come_back_in_utc_and_naive_ones_are_refused(session: Session) -> None:
    account = Account(email="a@example.org", email_key="a@example.org", name="A", roles=["editor"])
    account.last_sign_in_at = dt.datetime(2026, 1, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    session.add(account)
    session.commit()
    session.expire_all()
    assert account.last_sign_in_at == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert account.last_sign_in_at.tzinfo is dt.UTC
    assert abs(now(session) - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
    account.last_sign_in_at = dt.datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"):
        session.commit()
