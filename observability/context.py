"""What is known about the request being served: found from anywhere in its task."""

from __future__ import annotations

import math
import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field

from observability import redaction
from observability.catalog import Attribute

# What we take over from a caller: enough for ids in use, and nothing that could forge a line.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
Attributes = dict[Attribute, str | int | float]


@dataclass(slots=True)
class Call:
    """What a request had done elsewhere: an SQL statement, a call to another service.

    ``started`` and ``ended`` are in nanoseconds since the epoch.
    """

    name: str
    span_id: str
    started: int
    ended: int = 0
    attributes: Attributes = field(default_factory=dict)


@dataclass(slots=True)
class RequestContext:
    """Ids, the time spent in the database (seconds), and fields for the request's log line.

    ``kept_from``: the duration (seconds) from which the request's trace is kept; 0 where it is
    kept in any case, infinite where none is.
    """

    request_id: str
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    kept_from: float = math.inf
    db_seconds: float = 0.0
    fields: dict[str, object] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def exemplar(self, seconds: float) -> dict[str, str] | None:
        """The exemplar of an observation of ``seconds``, if the trace is sure to be kept."""
        return {"trace_id": self.trace_id} if seconds >= self.kept_from else None


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current() -> RequestContext | None:
    """The context of the request being served, or None outside any."""
    return _current.get()


def note(**fields: object) -> None:
    """Add fields to the log line of the request being served, if there is one."""
    request = _current.get()
    if request is not None:
        request.fields.update(fields)


def enter(offered_id: str) -> RequestContext:
    """Begin a request: keep the caller's id where it is one, and no secret, else make one."""
    kept = _ACCEPTED_ID.match(offered_id) and redaction.text(offered_id) == offered_id
    request_id = offered_id if kept else secrets.token_hex(12)
    context = RequestContext(request_id)
    _current.set(context)
    return context
