"""A newsletter with a double and a single opt-in list, and what readers and mailboxes see."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from mailer import newsletters
from mailer.audience.models import Consent, Subscriber, Subscription
from mailer.audience.subscribing import sign_up
from mailer.letters.models import Letter
from mailer.newsletters.models import List, Newsletter

WORDING = "我同意接收《科技参考》。"


@pytest.fixture
def newsletter(session: Session) -> Newsletter:
    made = newsletters.create_newsletter(
        session, slug="tech", title="科技参考", sender_name="编辑部", sender_address="editor@example.org"
    )
    session.commit()
    return made


@pytest.fixture
def double(session: Session, newsletter: Newsletter) -> List:
    made = newsletters.create_list(session, newsletter, slug="weekly", name="周报")
    session.commit()
    return made


@pytest.fixture
def single(session: Session, newsletter: Newsletter) -> List:
    made = newsletters.create_list(session, newsletter, slug="express", name="快讯", opt_in="single")
    session.commit()
    return made


SignUp = Callable[..., None]


@pytest.fixture
def fill_in(session: Session) -> SignUp:
    """Fills in the form and commits."""

    def fill_in(*lists: List, email: str = "Ann@example.org", **values: object) -> None:
        known: dict[str, object] = {"locale": "zh_CN", "wording": WORDING, "ip": "192.0.2.1", "user_agent": "Firefox"}
        sign_up(session, email=email, list_ids=[each.id for each in lists], **(known | values))  # type: ignore[arg-type]
        session.commit()

    return fill_in


def letters(session: Session) -> list[Letter]:
    return list(session.scalars(select(Letter).order_by(Letter.id)))


def kinds(session: Session) -> list[str]:
    return [str(letter.kind) for letter in letters(session)]


def confirm_token(session: Session) -> str:
    """The token of the newest confirmation letter."""
    urls = [letter.parameters["confirm_url"] for letter in letters(session) if letter.kind == "confirm"]
    found = re.search(r"/confirm/([^/]+)$", urls[-1])
    assert found
    return found[1]


def reader(session: Session, key: str = "ann@example.org") -> Subscriber:
    return session.scalars(select(Subscriber).where(Subscriber.email_key == key)).one()


def states(session: Session, key: str = "ann@example.org") -> dict[int, str]:
    """List id -> state of the reader's subscription."""
    query = select(Subscription.list_id, Subscription.state).join(Subscriber).where(Subscriber.email_key == key)
    return {list_id: str(state) for list_id, state in session.execute(query)}


def consents(session: Session) -> list[tuple[int, str]]:
    """(list id, act) in the order they were given."""
    return [(row.list_id, str(row.act)) for row in session.scalars(select(Consent).order_by(Consent.id))]
