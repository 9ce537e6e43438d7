"""Service level objectives and alert limits, which panels show as thresholds too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from observability.catalog import API, HTTP_DURATION, SIMULATOR_TIMEOUT, WEB

MINUTE, HOUR, DAY = 60, 3600, 86400
# Seconds. The simulator counts a slower answer as an error, so this is the objective.
LATENCY_OBJECTIVE = SIMULATOR_TIMEOUT
WEB_LATENCY_OBJECTIVE = 0.5
# Share of requests that may end in 5xx within a minute before someone is called.
ERROR_RATIO_LIMIT = 0.05
# Requests a second below which a ratio says nothing: one error in three would page.
LOW_TRAFFIC = 0.2
# Restarts of one component within RESTART_WINDOW seconds that still pass as bad luck.
RESTARTS_TOLERATED = 2
RESTART_WINDOW = 300
SUPERVISOR_SECONDS = 60  # since the supervisor, which ticks every five seconds, was alive
SHORTEST_SUPERVISOR = 15  # at any pace: its ticks do not get quicker

# Seconds after the first scrapes in which nothing is missed yet: other parts start as well.
YOUNG = 30.0

# ---- saturation ---------------------------------------------------------------------------
WAITING_LIMIT = 1.0  # requests that wait for a connection, on average over a minute
CONNECTIONS_LIMIT = 0.8  # share of those that PostgreSQL allows
HASHES_LIMIT = 4.0  # passwords in work or waiting; however slow hashing is, api admits six
LAG_LIMIT = 0.05  # seconds that the event loop is late, on average over a minute
MEMORY_LIMIT = 200e6  # bytes of a process of ours; it is measured to need less than 150 MB
DISK_FULL_LIMIT = 0.05  # share of a disk that is left
DISK_HORIZON = 4 * HOUR  # a disk that will be full by then ...
DISK_FREE_LIMIT = 0.5  # ... and has less than this share left
TREND_LEAST = 0.5  # share of a trend's window that must have samples
# ---- database -----------------------------------------------------------------------------
QUERY_LIMIT = 0.1  # seconds of a statement, on average over a minute
DB_ERRORS_LIMIT = 0.1  # failed statements a second
BACKUP_SECONDS = 26 * HOUR  # one is taken every day
# ---- business -----------------------------------------------------------------------------
REGISTRATIONS_FAILING = 0.5  # share of those refused ...
REGISTRATIONS_LEAST = 15  # ... of at least so many within five minutes
FAILED_LOGINS_LIMIT = 1.0  # a second
STALL_SECONDS = 60.0  # since the simulator's latest action
# ---- logs ---------------------------------------------------------------------------------
LOGGED_ERRORS_LIMIT = 0.1  # lines a second
INVALID_REQUESTS_LIMIT = 1.0  # lines a second
# ---- certificates -------------------------------------------------------------------------
CERTIFICATE_SECONDS = 14 * DAY


@dataclass(frozen=True, slots=True)
class Objective:
    """The share ``target`` of a service's requests is good within 30 days.

    Good is a request without a 5xx, or, with ``within``, one that takes at most so many seconds.
    """

    name: str
    service: str
    target: float
    within: float = 0

    @property
    def budget(self) -> float:
        """The share of requests that may be bad."""
        return round(1 - self.target, 9)


OBJECTIVES = (
    Objective("api-availability", API, 0.999),
    Objective("api-latency", API, 0.99, LATENCY_OBJECTIVE),
    Objective("web-availability", WEB, 0.999),
    Objective("web-latency", WEB, 0.99, WEB_LATENCY_OBJECTIVE),
)
PERIOD = 30 * DAY


@dataclass(frozen=True, slots=True)
class BurnRate:
    """Fires while the budget burns ``factor`` times too fast over both windows.

    Windows and ``for_`` are in seconds.
    """

    severity: Literal["critical", "warning"]
    long_window: int
    short_window: int
    factor: float
    for_: int


# Google, The Site Reliability Workbook, chapter 5, table 5-8; ``for`` as in kubernetes-mixin.
BURN_RATES = (
    BurnRate("critical", HOUR, 5 * MINUTE, 14.4, 2 * MINUTE),
    BurnRate("critical", 6 * HOUR, 30 * MINUTE, 6, 15 * MINUTE),
    BurnRate("warning", DAY, 2 * HOUR, 3, HOUR),
    BurnRate("warning", 3 * DAY, 6 * HOUR, 1, 3 * HOUR),
)

for bound in (LATENCY_OBJECTIVE, *(o.within for o in OBJECTIVES if o.within)):
    if bound not in HTTP_DURATION.buckets:
        raise ValueError(f"{bound} s is no bucket of {HTTP_DURATION}: it cannot be counted")
