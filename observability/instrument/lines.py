"""One log record as a line: JSON, ASCII, without secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from observability.instrument import redaction

# When (nanoseconds), level, event, message, other fields.
Record = tuple[int, str, str, str, dict[str, Any]]


class Line(NamedTuple):
    """A line of the log: when (nanoseconds), its fields, and as it is written."""

    nanoseconds: int
    fields: dict[str, Any]
    data: bytes


def line(service: str, record: Record) -> Line:
    """One record with its fields, cleaned, and as a line of JSON."""
    try:
        return _line(service, record)
    except Exception as error:  # an object that cannot be shown must not end the log
        what = f"A record could not be written: {type(error).__name__}"
        return _line(service, (*record[:3], what, {}))


def _line(service: str, record: Record) -> Line:
    nanoseconds, level, event, message, given = record
    head = {"ts": stamp(nanoseconds), "level": level, "service": service}
    fields = head | redaction.fields({"event": event, "message": message, **given})
    # ASCII only: a line break or a terminal escape in a name cannot begin a line of its own.
    return Line(nanoseconds, fields, _encode(fields).encode() + b"\n")


_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode


def stamp(nanoseconds: int) -> str:
    """When, in UTC, to the nanosecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_second(seconds)}.{rest:09d}Z"


@lru_cache(16)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
