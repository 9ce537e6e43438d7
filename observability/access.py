"""The log line of a request: the same as any other would be, made from parts known beforehand.

Nearly all lines are of this kind. Of each method, route and status the beginning is written once;
what a line adds to it are numbers and ids, in which only a secret known to us could hide. Where
there is more, the line is made as all others are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from observability import redaction
from observability.context import RequestContext
from observability.logs import Record, stamp

# By the hundreds of the status: the level and the event of the request's line.
_KINDS = {4: ("warning", "invalid_request"), 5: ("error", "request")}
_PLAIN_FIELDS = frozenset(("action", "outcome"))


@dataclass(frozen=True, slots=True)
class Kind:
    """What the lines of a method, a route and a status have in common."""

    service: str
    method: str
    route: str
    status: int
    level: str = field(init=False, compare=False)
    event: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        level, event = _KINDS.get(self.status // 100, ("info", "request"))
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "event", event)


class Access(NamedTuple):
    """One request that was served: when it ended (nanoseconds), how long it took (seconds)."""

    nanoseconds: int
    kind: Kind
    request: RequestContext
    seconds: float
    size: int

    @property
    def level(self) -> str:
        """By the status."""
        return self.kind.level

    def record(self) -> Record:
        """As any other record."""
        kind, request = self.kind, self.request
        fields: dict[str, Any] = {
            "method": kind.method,
            "route": kind.route,
            "status": kind.status,
            "duration_ms": _milliseconds(self.seconds),
            "bytes": self.size,
            **request.fields,
        }
        if request.db_seconds:
            fields["db_ms"] = _milliseconds(request.db_seconds)
        ids = {name: getattr(request, name) for name in ("request_id", "trace_id", "span_id")}
        return self.nanoseconds, kind.level, kind.event, "", fields | ids

    def line(self) -> bytes | None:
        """The line, if it can be made of known parts."""
        request, database = self.request, ""
        if not request.fields.keys() <= _PLAIN_FIELDS:
            return None
        noted = _noted(tuple(request.fields.items())) if request.fields else ""
        if request.db_seconds:
            database = f'"db_ms":{request.db_seconds * 1000:.3f},'
        text = (
            f'{{"ts":"{stamp(self.nanoseconds)}",{_head(self.kind)}'
            f'"duration_ms":{self.seconds * 1000:.3f},"bytes":{self.size},'
            f'{noted}{database}"request_id":"{request.request_id}",'
            f'"trace_id":"{request.trace_id}","span_id":"{request.span_id}"}}\n'
        )
        # The ids are our own or were looked at, unless a caller's trace goes on.
        return None if request.parent_id and redaction.knows(text) else text.encode()


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


@lru_cache(4096)
def _head(kind: Kind) -> str:
    return _part(
        {
            "level": kind.level,
            "service": kind.service,
            "event": kind.event,
            "message": "",
            "method": kind.method,
            "route": kind.route,
            "status": kind.status,
        }
    )


@lru_cache(1024)
def _noted(fields: tuple[tuple[str, object], ...]) -> str:
    return _part(dict(fields))


def _part(fields: dict[str, Any]) -> str:
    """Fields in the midst of a JSON object."""
    return json.dumps(redaction.fields(fields), separators=(",", ":"))[1:-1] + ","
