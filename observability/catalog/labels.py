"""Every label of MiniTwit's metrics, with its values where they are known beforehand.

Labels of Loki's streams are in ``observability.catalog.log_fields``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Label:
    """A label with its possible values, as far as they are known beforehand."""

    name: str
    values: tuple[str, ...] = ()


# Values of the label "service": servers, and commands, which run once.
API, WEB, SIMULATOR = "api", "web", "simulator"
COMMANDS = MIGRATE, IMPORT, FLAG = ("migrate", "import", "flag")

# Labels that the scrape adds to every series of a target.
JOB = Label("job")
SERVICE = Label("service")
INSTANCE = Label("instance")

METHOD = Label("method")
ROUTE = Label("route")
STATUS = Label("status")
QUERY = Label("query")
OPERATION = Label("operation")
UNMATCHED = "unmatched"  # the value of "route" for a path that no route matches

# Labels of single metrics.
UPSTREAM_REASON = Label("reason", ("refused", "timeout", "status_5xx"))
POOL_STATE = Label("state", ("idle", "busy"))
DB_ERROR_KIND = Label("kind", ("unavailable", "pool_exhausted", "timeout", "statement"))
VERSION = Label("version")
LEVEL = Label("level", ("debug", "info", "warning", "error", "critical"))
LOG_SINK = Label("sink", ("queue", "file", "stdout", "loki"))
SPAN_OUTCOME = Label("outcome", ("exported", "dropped", "limited"))
REGISTRATION_OUTCOME = Label("outcome", ("ok", "username_taken", "invalid"))
LOGIN_OUTCOME = Label("outcome", ("ok", "unknown_user", "wrong_password", "throttled"))
MESSAGE_OUTCOME = Label("outcome", ("ok", "unknown_author", "invalid"))
FOLLOW_ACTION = Label("action", ("follow", "unfollow"))
FOLLOW_OUTCOME = Label("outcome", ("changed", "unchanged", "unknown_user"))
TABLES = ("users", "messages", "follows")
TABLE = Label("table", TABLES)
COMMAND = Label("command", ("register", "tweet", "follow", "unfollow"))
ACTION_OUTCOME = Label(
    "outcome", ("ok", "status_5xx", "status_other", "timeout", "refused", "reset", "other")
)
