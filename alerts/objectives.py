"""The numbers that alerts fire on. Panels draw their thresholds from the same constants."""

from __future__ import annotations

from observability.catalog import HTTP_DURATION, SIMULATOR_TIMEOUT

# Seconds. The simulator counts a slower answer as an error, so this is the objective.
LATENCY_OBJECTIVE = SIMULATOR_TIMEOUT
# Share of requests that may end in 5xx within a minute before someone is called.
ERROR_RATIO_LIMIT = 0.05
# Requests a second below which a ratio says nothing: one error in three would page.
LOW_TRAFFIC = 0.2
# Restarts of one component within RESTART_WINDOW seconds that still pass as bad luck.
RESTARTS_TOLERATED = 2
RESTART_WINDOW = 300

if LATENCY_OBJECTIVE not in HTTP_DURATION.buckets:
    raise ValueError(f"{LATENCY_OBJECTIVE} s is no bucket of {HTTP_DURATION}: it cannot be counted")
