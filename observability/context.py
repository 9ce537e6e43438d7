"""What is known about the request being served: found from anywhere in its task."""

from __future__ import annotations

import math
import random
import re
import time
from contextvars import ContextVar

from observability import redaction
from observability.catalog import Attribute

# What we take over from a caller: enough for ids in use, and nothing that could forge a line.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
Attributes = dict[Attribute, str | int | float]
# Ids must differ, and need not be hard to guess: the system's own source is a call each time.
_ids = random.Random()  # noqa: S311
bits = _ids.getrandbits


class Call:
    """What a request had done elsewhere: an SQL statement, a call to another service.

    ``started`` and ``ended`` are in nanoseconds since the epoch; ``error`` says how it failed, if
    it did. ``attributes`` belong to all calls of a kind; ``own`` are this one's.
    """

    __slots__ = ("attributes", "ended", "error", "name", "own", "span_id", "started")

    def __init__(self, name: str, attributes: Attributes, span_id: str = "") -> None:
        self.name = name
        self.attributes = attributes
        self.span_id = span_id
        self.started = time.time_ns()
        self.ended = 0
        self.error = ""
        self.own: Attributes = {}


class RequestContext:
    """Ids, the time spent in the database (seconds), and fields for the request's log line.

    ``kept_from``: the duration (seconds) from which the request's trace is kept; 0 where it is
    kept in any case, infinite where none is.
    """

    __slots__ = (
        "calls", "db_seconds", "fields", "kept_from", "parent_id", "request_id", "span_id",
        "trace_id",
    )  # fmt: skip

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.trace_id = self.span_id = self.parent_id = ""
        self.kept_from = math.inf
        self.db_seconds = 0.0
        self.fields: dict[str, object] = {}
        self.calls: list[Call] = []

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
    if offered_id and _ACCEPTED_ID.match(offered_id) and redaction.text(offered_id) == offered_id:
        context = RequestContext(offered_id)
    else:
        context = RequestContext(f"{bits(96):024x}")
    _current.set(context)
    return context
