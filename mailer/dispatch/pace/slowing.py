"""How fast each provider may be written to now: as an admin has set it, less while it has asked us to slow down."""

from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mailer.dispatch.models import Suspension
from mailer.dispatch.pace.provider_settings import load_providers
from mailer.dispatch.pace.providers import OTHER, Provider
from mailer.dispatch.rules import SuspensionKind


def load_paces(session: Session) -> dict[str, Provider]:
    """Name -> group, with what slows it laid over it."""
    groups = load_providers(session)
    slowed = session.scalars(
        select(Suspension).where(Suspension.kind == SuspensionKind.SLOWED, Suspension.until > func.now())
    )
    for row in slowed:
        group = groups.get(row.provider)
        if group is None or group.name == OTHER:
            continue
        connections = min(group.connections, row.connections or group.connections)
        groups[row.provider] = replace(group, connections=connections, share=min(group.share, row.share))
    return groups
