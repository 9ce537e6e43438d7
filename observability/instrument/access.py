"""The log line of a request: the same as any other would be, made from parts known beforehand.

Nearly all lines are of this kind. Of each method, route and status the beginning is written once;
what a line adds to it are numbers and ids, in which only a secret known to us could hide. Where
there is more, the line is made as all others are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from observability.instrument import redaction
from observability.instrument.context import RequestContext
from observability.instrument.lines import Record, stamp

# By the hundreds of the status: the level and the event of the request's line.
_KINDS = {4: ("warning", "invalid_request"), 5: ("error", "request")}
_PLAIN_FIELDS = frozenset(("action", "outcome", "reason"))  # of few values


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What the lines of a method, a route and a status have in common: made once for them all."""

    service: str
    method: str
    route: str
    status: int
    level: str = field(init=False)
    event: str = field(init=False)
    head: str = field(init=False)  # from the level to the status, as JSON

    def __post_init__(self) -> None:
        level, event = _KINDS.get(self.status // 100, ("info", "request"))
        head = {
            "level": level,
            "service": self.service,
            "event": event,
            "message": "",
            "method": self.method,
            "route": self.route,
            "status": self.status,
        }
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "event", event)
        object.__setattr__(self, "head", _part(head))


# One request that was served: when it ended (nanoseconds), its kind, what is known of it, how long
# it took (seconds), the bytes of its answer. A plain tuple: one is made for each request.
Access = tuple[int, Kind, RequestContext, float, int]


def record(access: Access) -> Record:
    """As any other record."""
    nanoseconds, kind, request, seconds, size = access
    fields: dict[str, Any] = {
        "method": kind.method,
        "route": kind.route,
        "status": kind.status,
        "duration_ms": _milliseconds(seconds),
        "bytes": size,
        **request.fields,
    }
    if request.db_seconds:
        fields["db_ms"] = _milliseconds(request.db_seconds)
    ids = {name: getattr(request, name) for name in ("request_id", "trace_id", "span_id")}
    return nanoseconds, kind.level, kind.event, "", fields | ids


def line(access: Access) -> bytes | None:
    """The line, if it can be made of known parts."""
    nanoseconds, kind, request, seconds, size = access
    noted = database = ""
    if fields := request.fields:
        if not fields.keys() <= _PLAIN_FIELDS:
            return None
        noted = _noted(tuple(fields.items()))
    if request.db_seconds:
        database = f'"db_ms":{request.db_seconds * 1000:.3f},'
    text = (
        f'{{"ts":"{stamp(nanoseconds)}",{kind.head}'
        f'"duration_ms":{seconds * 1000:.3f},"bytes":{size},'
        f'{noted}{database}"request_id":"{request.request_id}",'
        f'"trace_id":"{request.trace_id}","span_id":"{request.span_id}"}}\n'
    )
    # The ids are our own or were looked at, unless a caller's trace goes on.
    return None if request.parent_id and redaction.knows(text) else text.encode()


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


@lru_cache(1024)
def _noted(fields: tuple[tuple[str, object], ...]) -> str:
    return _part(dict(fields))


def _part(fields: dict[str, Any]) -> str:
    """Fields in the midst of a JSON object."""
    return json.dumps(redaction.fields(fields), separators=(",", ":"))[1:-1] + ","
