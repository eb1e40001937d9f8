"""Looking through the outbox: what was written to whom, and what their server said."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer.letters.models import Letter
from mailer.letters.rules import LetterState

PAGE_SIZE = 50


def list_letters(
    session: Session,
    *,
    states: Collection[LetterState] = (),
    address_key: str | None = None,
    before_id: int | None = None,
    limit: int = PAGE_SIZE,
) -> Sequence[Letter]:
    """The newest first; no `states` means all. `address_key` is a whole address, in its compared form; `before_id` the
    last id of the page before.
    """
    letters = select(Letter).order_by(Letter.id.desc()).limit(limit)
    if states:
        letters = letters.where(Letter.state.in_(states))
    if address_key is not None:
        letters = letters.where(Letter.address_key == address_key)
    if before_id is not None:
        letters = letters.where(Letter.id < before_id)
    return session.scalars(letters).all()
