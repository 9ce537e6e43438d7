"""A neutral palette for names without a meaning, such as routes and statements.

Its colours are visible on dark and on light. Grafana's own palette turns dark after a dozen lines,
and paints harmless names green or red. Colours with a meaning are in ``dashboards.colours``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from alerts.objectives import OBJECTIVES
from dashboards.queries import Json
from observability.catalog import EVENTS, TABLES
from observability.conventions import MONITORING_TARGETS, OPTIONAL_TARGETS, PROBE_JOB

PALETTE = (
    "#5794f2", "#d9a600", "#b877d9", "#2fb5a8", "#e377c2", "#93a832", "#4bb4d8", "#b88a5b",
    "#8f96f0", "#c98fb0",
)  # fmt: skip
PARTS = (
    *MONITORING_TARGETS, *OPTIONAL_TARGETS, "grafana", "tempo", "simulator", PROBE_JOB,
)  # fmt: skip
# The values of a label; those of one service stand together, so that their colours differ most.
LABEL_VALUES: dict[str, tuple[str, ...]] = {
    "route": (
        "/latest", "/register", "/msgs", "/msgs/{username}", "/fllws/{username}", "/api/messages",
        "/api/sessions", "/api/session", "/api/follows/{username}", "/api/timelines/public",
        "/api/timelines/home", "/api/timelines/user/{username}", "/api/openapi.json",
        "/", "/public", "/{username}", "/login", "/logout", "/add_message", "/{username}/follow",
        "/{username}/unfollow", "/static/{name}", "/avatar/{key}.svg", "/favicon.ico",
        "/-/user", "/-/user/follow", "/-/user/unfollow",
    ),
    "query": (
        "timeline_public", "timeline_user", "timeline_home", "messages_newest",
        "messages_newest_by", "latest_record", "latest_read", "message_add", "message_add_hidden",
        "user_exists", "user_hash", "user_add", "user_replace_hash", "session_add",
        "session_user", "session_end", "follow_add", "follow_remove", "follows_list",
        "login_attempt_count", "login_attempt_reset", "table_sizes", "users_active",
        "backup_latest",
    ),
    "event": EVENTS,
    "operation": ("timeline", "log_in", "log_out", "register", "post", "follow", "unfollow"),
    "service": PARTS,
    "job": PARTS,
    "objective": tuple(objective.name for objective in OBJECTIVES),
    "table": TABLES,
    "state": (
        "active", "busy", "idle", "idle in transaction", "idle in transaction (aborted)",
        "fastpath function call", "disabled",
    ),
    "mode": (
        "accesssharelock", "rowsharelock", "rowexclusivelock", "shareupdateexclusivelock",
        "sharelock", "sharerowexclusivelock", "exclusivelock", "accessexclusivelock", "sireadlock",
        "user", "system", "iowait", "nice", "softirq", "irq", "steal",
    ),
}  # fmt: skip


def label_overrides(labels: Iterable[str]) -> list[Json]:
    """Return field overrides that give each value of these labels its colour."""
    by_colour: dict[str, list[str]] = {colour: [] for colour in PALETTE}
    for label in sorted(labels):
        for at, name in enumerate(LABEL_VALUES.get(label, ())):
            by_colour[PALETTE[at % len(PALETTE)]].append(re.escape(name))
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"/(^| )({'|'.join(names)})( |$)/"},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for colour, names in by_colour.items()
        if names
    ]
