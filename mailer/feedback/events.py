"""What a pixel's or a link's fetch was, as plain values that can wait in a spool while PostgreSQL is away."""

import datetime as dt
import json
from dataclasses import asdict, dataclass

USER_AGENT_LIMIT = 400


@dataclass(frozen=True, slots=True)
class Event:
    """One fetch. `event_key` is made once per request: handed in twice it counts once. `link` is (edition id, ordinal)
    of a click, `None` for an open.
    """

    event_key: str
    at: dt.datetime
    delivery_id: int
    method: str
    user_agent: str
    ip: str | None
    link: tuple[int, int] | None = None

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "at": self.at.isoformat()}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Event":
        """Raises `ValueError` for what is no event of ours."""
        try:
            fields = json.loads(text)
            link = fields.pop("link")
            return cls(
                **{**fields, "at": dt.datetime.fromisoformat(fields["at"])}, link=None if link is None else tuple(link)
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not an event") from error
