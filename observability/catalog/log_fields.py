"""Every field of a log line, the values of its ``event``, and Loki's labels."""

from __future__ import annotations

# One JSON object per line with these keys only. The first five are always present.
LOG_FIELDS = (
    "ts", "level", "service", "event", "message",
    "request_id", "trace_id", "span_id",
    "method", "route", "status", "duration_ms", "db_ms", "bytes", "client",
    "action", "outcome", "reason", "query", "error", "stack",
    "component", "version", "address", "count",
)  # fmt: skip

# Values of "event".
EVENTS = (
    "request", "invalid_request", "db_error", "unhandled", "startup", "shutdown", "ready",
    "migration", "import", "flag", "action", "upstream_error", "log_dropped",
    "trace_dropped", "library",
)  # fmt: skip

# Fields that Promtail turns into stream labels, and into structured metadata.
LOG_LABELS = ("job", "service", "level", "event")
LOG_METADATA = ("trace_id", "request_id", "route")
