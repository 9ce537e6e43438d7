"""Formats a log record as a line: JSON, ASCII, redacted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from observability.instrument import redaction


class Record(NamedTuple):
    """What a caller logged, and when (nanoseconds since the epoch)."""

    nanoseconds: int
    level: str
    event: str
    message: str
    fields: dict[str, Any]


class Line(NamedTuple):
    """A record ready to be written: its redacted fields, and the same as JSON."""

    nanoseconds: int
    fields: dict[str, Any]
    text: str


def make_line(service: str, record: Record) -> Line:
    """Format a record as one redacted line of JSON."""
    try:
        return _make_line(service, record)
    except Exception as error:  # an object without a usable repr must not stop the log
        what = f"A record could not be formatted: {type(error).__name__}"
        return _make_line(service, record._replace(message=what, fields={}))


def _make_line(service: str, record: Record) -> Line:
    seconds, rest = divmod(record.nanoseconds, 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fields = {
        "ts": f"{stamp}.{rest:09d}Z",
        "level": record.level,
        "service": service,
        "event": record.event,
        "message": redaction.text(record.message),
        **redaction.fields(record.fields),
    }
    # ASCII only: a line break or a terminal escape in a name cannot forge a line.
    return Line(record.nanoseconds, fields, _encode(fields) + "\n")


_encode = json.JSONEncoder(separators=(",", ":")).encode
