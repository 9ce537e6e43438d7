"""Rules on what runs full before users notice: tickets, not pages."""

from __future__ import annotations

from alerts import objectives as limits
from alerts.model import Alert, Group
from alerts.objectives import HOUR, MINUTE
from observability.catalog import DB_POOL_WAITING, EVENT_LOOP_LAG, HASHES_WAITING, INSTANCE
from observability.clock import Clock
from observability.conventions import PROBED_SERVICES, Board
from observability.exporters import PROCESS_MEMORY
from observability.external import DISK, DISK_FREE, PG_CONNECTIONS, PG_CONNECTIONS_MAX
from observability.promql.builders import matches, over, predict, rate, select, total


def alerts(clock: Clock) -> Group:
    """Each says what fills up, and where."""
    minute, hour = clock.window(MINUTE), clock.window(HOUR)
    lag = rate(EVENT_LOOP_LAG, minute, "sum") / rate(EVENT_LOOP_LAG, minute, "count")
    disk = select(DISK_FREE)
    return Group(
        "minitwit-saturation",
        (
            Alert(
                "MiniTwitPoolExhausted",
                over("avg", select(DB_POOL_WAITING), minute) > limits.WAITING_LIMIT,
                wait=15,
                severity="warning",
                summary="Requests wait for a connection to the database.",
                description='{{ printf "%.1f" $value }} requests to {{ $labels.instance }} waited '
                f"at any moment of a minute; the limit is {limits.WAITING_LIMIT:g}.",
                board=Board.DATABASE,
            ),
            Alert(
                "MiniTwitConnectionsNearLimit",
                total(select(PG_CONNECTIONS), INSTANCE)
                / total(select(PG_CONNECTIONS_MAX), INSTANCE)
                > limits.CONNECTIONS_LIMIT,
                wait=15,
                severity="warning",
                service="postgres",
                summary="PostgreSQL runs out of connections.",
                description="{{ $value | humanizePercentage }} of the connections that PostgreSQL "
                "allows are taken.",
                board=Board.DATABASE,
            ),
            Alert(
                "MiniTwitHashingQueue",
                over("avg", select(HASHES_WAITING), minute) > limits.HASHES_LIMIT,
                wait=15,
                severity="warning",
                summary="Passwords queue up to be hashed.",
                description='{{ printf "%.0f" $value }} passwords were in work or waiting on '
                f"{{{{ $labels.instance }}}}; the limit is {limits.HASHES_LIMIT:g}.",
                board=Board.BUSINESS,
            ),
            Alert(
                "MiniTwitEventLoopLag",
                lag > limits.LAG_LIMIT,
                wait=15,
                severity="warning",
                summary="The event loop is late: every request waits.",
                description="The event loop of {{ $labels.instance }} was late by "
                "{{ $value | humanizeDuration }} on average within a minute.",
                board=Board.HOSTS,
            ),
            Alert(
                "MiniTwitMemoryHigh",
                select(PROCESS_MEMORY, service=matches("|".join(PROBED_SERVICES)))
                > limits.MEMORY_LIMIT,
                wait=30,
                severity="warning",
                summary="A service holds more memory than it should.",
                description="{{ $labels.instance }} holds {{ $value | humanize1024 }}B.",
                board=Board.HOSTS,
            ),
            Alert(
                "MiniTwitDiskFilling",
                (disk / select(DISK) < limits.DISK_FREE_LIMIT)
                & (predict(disk, hour, limits.DISK_HORIZON / clock.scale) < 0),
                wait=MINUTE,
                severity="warning",
                service="node",
                summary="A disk will be full in a few hours.",
                description="{{ $labels.mountpoint }} has {{ $value | humanizePercentage }} left "
                f"and, at the last hour's pace, nothing in {limits.DISK_HORIZON // HOUR} hours.",
                board=Board.HOSTS,
            ),
        ),
    )
