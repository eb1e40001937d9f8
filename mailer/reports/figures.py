"""What one mailing amounted to: people and events by verdict, per article, per link and per domain.

People are counted by delivery, once each, however often they opened. Where the newsletter keeps only counts there are
no people to count, and events are what is known.
"""

from dataclasses import dataclass, field

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Delivery, Mailing
from mailer.dispatch.rules import DeliveryState
from mailer.feedback.models import Click, Open
from mailer.feedback.rules import Verdict
from mailer.newsroom.edition_models import EditionArticle, EditionLink


@dataclass(frozen=True, slots=True)
class Tally:
    """Events and people of one kind, by verdict."""

    events: dict[Verdict, int]
    people: dict[Verdict, int]

    @property
    def total(self) -> int:
        return sum(self.events.values())

    @property
    def readers(self) -> int:
        """People by a human verdict; of a newsletter that counts only, human events."""
        return self.people[Verdict.HUMAN] or (0 if sum(self.people.values()) else self.events[Verdict.HUMAN])


@dataclass(frozen=True, slots=True)
class ArticleFigures:
    """How one article was read: clicks by verdict."""

    article_id: int
    title: str
    clicks: Tally


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """How one domain's readers fared; `provider` is the pacing group."""

    provider: str
    roster: int
    accepted: int
    rejected: int
    waiting: int
    opened: int


@dataclass(frozen=True, slots=True)
class MailingFigures:
    """All figures of a mailing."""

    accepted: int
    opens: Tally
    clicks: Tally
    # People with a human open or a human click: who clicked has opened, pictures or not.
    readers: int
    articles: list[ArticleFigures] = field(default_factory=list)
    domains: list[DomainFigures] = field(default_factory=list)

    @property
    def open_share(self) -> float | None:
        """Readers per accepted delivery, 0 to 1; `None` where nothing was accepted."""
        return min(1.0, self.readers / self.accepted) if self.accepted else None


def mailing_figures(session: Session, mailing_id: int) -> MailingFigures:
    """Raises nothing for a mailing without events: all figures are 0 then."""
    opens, clicks = _tally(session, Open, mailing_id), _tally(session, Click, mailing_id)
    accepted = session.scalar(
        select(func.count()).where(Delivery.mailing_id == mailing_id, Delivery.state == DeliveryState.ACCEPTED)
    )
    return MailingFigures(
        accepted=accepted or 0,
        opens=opens,
        clicks=clicks,
        readers=_readers(session, mailing_id) or (opens.readers if not sum(opens.people.values()) else 0),
        articles=_articles(session, mailing_id),
        domains=_domains(session, mailing_id),
    )


def _empty() -> dict[Verdict, int]:
    return dict.fromkeys(Verdict, 0)


def _tally(session: Session, table: type[Open | Click], mailing_id: int) -> Tally:
    events, people = _empty(), _empty()
    rows = session.execute(
        select(table.verdict, func.count(), func.count(func.distinct(table.delivery_id)))
        .where(table.mailing_id == mailing_id)
        .group_by(table.verdict)
    )
    for verdict, event_count, person_count in rows:
        events[Verdict(verdict)], people[Verdict(verdict)] = event_count, person_count
    return Tally(events, people)


def _readers(session: Session, mailing_id: int) -> int:
    human = [
        select(table.delivery_id).where(
            table.mailing_id == mailing_id, table.verdict == Verdict.HUMAN, table.delivery_id.is_not(None)
        )
        for table in (Open, Click)
    ]
    return session.scalar(select(func.count()).select_from(human[0].union(human[1]).subquery())) or 0


def _articles(session: Session, mailing_id: int) -> list[ArticleFigures]:
    """Every article of the edition in its order, those nobody followed too."""
    mailing = session.get_one(Mailing, mailing_id)
    titles = session.execute(
        select(EditionArticle.article_id, EditionArticle.title)
        .where(EditionArticle.edition_id == mailing.edition_id)
        .order_by(EditionArticle.position)
    )
    found = {row.article_id: ArticleFigures(row.article_id, row.title, Tally(_empty(), _empty())) for row in titles}
    rows = session.execute(
        select(EditionLink.article_id, Click.verdict, func.count(), func.count(func.distinct(Click.delivery_id)))
        .join(EditionLink, (EditionLink.edition_id == Click.edition_id) & (EditionLink.ordinal == Click.link_ordinal))
        .where(Click.mailing_id == mailing_id, EditionLink.article_id.is_not(None))
        .group_by(EditionLink.article_id, Click.verdict)
    )
    for article_id, verdict, events, people in rows:
        if article_id in found:
            found[article_id].clicks.events[Verdict(verdict)] = events
            found[article_id].clicks.people[Verdict(verdict)] = people
    return list(found.values())


def _domains(session: Session, mailing_id: int) -> list[DomainFigures]:
    opened = (
        select(Open.delivery_id)
        .where(Open.mailing_id == mailing_id, Open.verdict == Verdict.HUMAN)
        .distinct()
        .subquery()
    )
    waiting = Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.CLAIMED])
    rows = session.execute(
        select(
            Delivery.provider,
            func.count().label("roster"),
            func.count(case((Delivery.state == DeliveryState.ACCEPTED, 1))).label("accepted"),
            func.count(case((Delivery.state == DeliveryState.REJECTED, 1))).label("rejected"),
            func.count(case((waiting, 1))).label("waiting"),
            func.count(opened.c.delivery_id).label("opened"),
        )
        .outerjoin(opened, opened.c.delivery_id == Delivery.id)
        .where(Delivery.mailing_id == mailing_id)
        .group_by(Delivery.provider)
        .order_by(func.count().desc(), Delivery.provider)
    )
    return [DomainFigures(*row) for row in rows]
