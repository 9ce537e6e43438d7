"""Every metric of MiniTwit, with its histogram buckets.

Metrics of other components (exporters, Prometheus itself) are in ``observability.exporters``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from observability.catalog.labels import (
    ACTION_OUTCOME,
    API,
    COMMAND,
    COMMANDS,
    DB_ERROR_KIND,
    FOLLOW_ACTION,
    FOLLOW_OUTCOME,
    LEVEL,
    LOG_SINK,
    LOGIN_OUTCOME,
    MESSAGE_OUTCOME,
    METHOD,
    OPERATION,
    POOL_STATE,
    QUERY,
    REGISTRATION_OUTCOME,
    ROUTE,
    SIMULATOR,
    SPAN_OUTCOME,
    STATUS,
    TABLE,
    UPSTREAM_REASON,
    VERSION,
    WEB,
    Label,
)

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric family. ``unit`` is a Prometheus base unit, or '' for a plain number."""

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    services: tuple[str, ...] = (API, WEB)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The label names in order of declaration."""
        return tuple(label.name for label in self.labels)

    def children(self) -> Iterator[tuple[str, ...]]:
        """Every combination of known label values; none if a label is open-ended."""
        return product(*(label.values for label in self.labels))

    def __str__(self) -> str:
        return self.name


# The maximum number of series of one replica, under any requests.
SERIES_BUDGET = 1000

# The simulator's timeout is 0.3 s, so this must be a bucket bound.
SIMULATOR_TIMEOUT = 0.3
# A request header: milliseconds that the caller waits.
TIMEOUT_HEADER = "X-Timeout-Ms"
DURATION_BUCKETS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, SIMULATOR_TIMEOUT, 0.5, 1.0, 2.5,
)  # fmt: skip
QUERY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0)
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1.0)

# ---- requests ---------------------------------------------------------------------------
HTTP_REQUESTS = Metric(
    "minitwit_http_requests_total",
    "counter",
    "HTTP requests served, by route template and status.",
    (METHOD, ROUTE, STATUS),
)
HTTP_DURATION = Metric(
    "minitwit_http_request_duration_seconds",
    "histogram",
    "HTTP request duration, from the first byte of the request to the last of the response.",
    (METHOD, ROUTE),
    unit="seconds",
    buckets=DURATION_BUCKETS,
)
HTTP_IN_PROGRESS = Metric("minitwit_http_requests_in_progress", "gauge", "HTTP requests in flight.")
UPSTREAM_DURATION = Metric(
    "minitwit_upstream_request_duration_seconds",
    "histogram",
    "Duration of calls from web to api, by operation.",
    (OPERATION,),
    unit="seconds",
    buckets=DURATION_BUCKETS,
    services=(WEB,),
)
UPSTREAM_ERRORS = Metric(
    "minitwit_upstream_errors_total",
    "counter",
    "Calls from web to api without a usable response, by reason.",
    (UPSTREAM_REASON,),
    services=(WEB,),
)

# ---- database ---------------------------------------------------------------------------
DB_POOL_CONNECTIONS = Metric(
    "minitwit_db_pool_connections",
    "gauge",
    "Database connections in the pool, by state.",
    (POOL_STATE,),
    services=(API,),
)
DB_POOL_LIMIT = Metric(
    "minitwit_db_pool_max_connections", "gauge", "Maximum size of the pool.", services=(API,)
)
DB_POOL_WAITING = Metric(
    "minitwit_db_pool_waiting_requests",
    "gauge",
    "Requests waiting for a database connection.",
    services=(API,),
)
DB_QUERY_DURATION = Metric(
    "minitwit_db_query_duration_seconds",
    "histogram",
    "Duration of database statements by name, without the wait for a connection.",
    (QUERY,),
    unit="seconds",
    buckets=QUERY_BUCKETS,
    services=(API,),
)
DB_ERRORS = Metric(
    "minitwit_db_errors_total",
    "counter",
    "Failed database statements, by kind of error.",
    (DB_ERROR_KIND,),
    services=(API,),
)

# ---- runtime ----------------------------------------------------------------------------
EVENT_LOOP_LAG = Metric(
    "minitwit_event_loop_lag_seconds",
    "histogram",
    "Event-loop lag: how late a timer fired.",
    unit="seconds",
    buckets=LAG_BUCKETS,
)
READY = Metric("minitwit_ready", "gauge", "1 while this replica is ready.")
BUILD_INFO = Metric(
    "minitwit_build_info",
    "gauge",
    "Always 1; the labels hold the running version.",
    (VERSION,),
)
LOG_RECORDS = Metric(
    "minitwit_log_records_total",
    "counter",
    "Log records, by level.",
    (LEVEL,),
    services=(API, WEB, SIMULATOR, *COMMANDS),
)
LOG_DROPPED = Metric(
    "minitwit_log_records_dropped_total",
    "counter",
    "Log records dropped, by the sink that was full or failed.",
    (LOG_SINK,),
    services=(API, WEB, SIMULATOR, *COMMANDS),
)
TRACE_SPANS = Metric(
    "minitwit_trace_spans_total",
    "counter",
    "Spans exported, dropped by a full queue or a failing collector, or beyond the limit of tail"
    " sampling.",
    (SPAN_OUTCOME,),
)

# ---- business ---------------------------------------------------------------------------
REGISTRATIONS = Metric(
    "minitwit_registrations_total",
    "counter",
    "Registration attempts, by outcome.",
    (REGISTRATION_OUTCOME,),
    services=(API,),
)
LOGINS = Metric(
    "minitwit_logins_total",
    "counter",
    "Log-in attempts, by outcome.",
    (LOGIN_OUTCOME,),
    services=(API,),
)
HASHES_WAITING = Metric(
    "minitwit_password_hashes_waiting",
    "gauge",
    "Passwords being hashed or in the queue for it.",
    services=(API,),
)
MESSAGES = Metric(
    "minitwit_messages_total",
    "counter",
    "Attempts to post a message, by outcome.",
    (MESSAGE_OUTCOME,),
    services=(API,),
)
FOLLOWS = Metric(
    "minitwit_follows_total",
    "counter",
    "Attempts to follow or unfollow, by outcome.",
    (
        FOLLOW_ACTION,
        FOLLOW_OUTCOME,
    ),
    services=(API,),
)

# Users whose last message or log-in is at most this old count as active.
ACTIVE_SECONDS = 300
ACTIVE_USERS = Metric(
    "minitwit_active_users",
    "gauge",
    "Users who posted or logged in within the last five minutes; equal on all replicas.",
    services=(API,),
)

ROWS = Metric(
    "minitwit_rows",
    "gauge",
    "Rows of a table, estimated by PostgreSQL's statistics; equal on all replicas.",
    (TABLE,),
    services=(API,),
)

BACKUP_TIME = Metric(
    "minitwit_backup_timestamp_seconds",
    "gauge",
    "Unix time of the latest good backup, 0 if none; equal on all replicas.",
    unit="seconds",
    services=(API,),
)
BACKUP_SIZE = Metric(
    "minitwit_backup_size_bytes",
    "gauge",
    "Size of the latest good backup; equal on all replicas.",
    unit="bytes",
    services=(API,),
)

# ---- simulator --------------------------------------------------------------------------
SIMULATOR_LATEST = Metric(
    "minitwit_simulator_latest_id",
    "gauge",
    "The simulator's latest id; equal on all replicas.",
    services=(API,),
)
SIMULATOR_LATEST_TIME = Metric(
    "minitwit_simulator_latest_timestamp_seconds",
    "gauge",
    "Unix time of this replica's latest request of the simulator, 0 if none.",
    unit="seconds",
    services=(API,),
)

SIMULATOR_ACTIONS = Metric(
    "minitwit_simulator_actions_total",
    "counter",
    "Actions of the simulator, by outcome as the client saw it; all but ok count as errors.",
    (
        COMMAND,
        ACTION_OUTCOME,
    ),
    services=(SIMULATOR,),
)
SIMULATOR_DURATION = Metric(
    "minitwit_simulator_action_duration_seconds",
    "histogram",
    "Duration of the simulator's actions, from connecting to the last byte or the timeout.",
    (COMMAND,),
    unit="seconds",
    buckets=DURATION_BUCKETS,
    services=(SIMULATOR,),
)

METRICS: tuple[Metric, ...] = tuple(v for v in list(globals().values()) if isinstance(v, Metric))
