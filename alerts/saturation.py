"""Rules on saturation before users notice it: tickets, but for a disk that is full."""

from __future__ import annotations

from alerts import objectives as limits
from alerts.model import Alert, Group
from alerts.objectives import HOUR, MINUTE
from observability.catalog import DB_POOL_WAITING, EVENT_LOOP_LAG, HASHES_WAITING, INSTANCE
from observability.conventions import PROBED_SERVICES
from observability.dashboard_uids import Board
from observability.exporters import (
    DISK,
    DISK_FREE,
    DISK_READ_ONLY,
    PG_CONNECTIONS,
    PG_CONNECTIONS_MAX,
    PROCESS_MEMORY,
)
from observability.promql.builders import matches, over, predict, rate, select, total
from observability.time_scale import TimeScale


def disks(scale: TimeScale) -> tuple[Alert, ...]:
    """Return alerts on a full disk, and on one that will be full.

    A trend needs samples over half of its window: at a start any disk seems to fill up. And it
    must continue in the last quarter of the window: one large file is no trend. Read-only images
    are full by design.
    """
    hour, recent = scale.window(HOUR), scale.window(HOUR / 4)
    ahead = limits.DISK_HORIZON / scale.factor
    free, writable = select(DISK_FREE), select(DISK_READ_ONLY).equals(0)
    left = free / select(DISK)
    enough = limits.TREND_LEAST * scale.samples_in(HOUR)
    return (
        Alert(
            "MiniTwitDiskFull",
            (left < limits.DISK_FULL_LIMIT) & writable,
            for_=MINUTE,
            severity="critical",
            service="node",
            summary="A disk is full.",
            impact="all that writes to this disk",
            description="{{ $labels.mountpoint }} of {{ $labels.instance }} has "
            "{{ $value | humanizePercentage }} left; "
            f"the limit is {limits.DISK_FULL_LIMIT:.0%}.",
            board=Board.HOSTS,
        ),
        Alert(
            "MiniTwitDiskFilling",
            (left < limits.DISK_FREE_LIMIT)
            & (predict(free, hour, ahead) < 0)
            & (predict(free, recent, ahead) < 0)
            & (over("count", free, hour) > enough)
            & writable,
            for_=MINUTE,
            severity="warning",
            service="node",
            summary="A disk will be full in a few hours.",
            impact="nobody yet; all that writes to this disk",
            description="{{ $labels.mountpoint }} of {{ $labels.instance }} has "
            f"{{{{ $value | humanizePercentage }}}} left; the limit is "
            f"{limits.DISK_FREE_LIMIT:.0%} and nothing in {limits.DISK_HORIZON // HOUR} hours.",
            board=Board.HOSTS,
        ),
    )


def alerts(scale: TimeScale) -> Group:
    """Return alerts that name what fills up, and where."""
    minute = scale.window(MINUTE)
    lag = rate(EVENT_LOOP_LAG, minute, "sum") / rate(EVENT_LOOP_LAG, minute, "count")
    return Group(
        "minitwit-saturation",
        (
            Alert(
                "MiniTwitPoolExhausted",
                over("avg", select(DB_POOL_WAITING), minute) > limits.WAITING_LIMIT,
                for_=15,
                severity="warning",
                summary="Requests wait for a connection to the database.",
                impact="users and the simulator: responses are slow",
                description='{{ printf "%.1f" $value }} requests to {{ $labels.instance }} waited '
                f"at any moment of a minute; the limit is {limits.WAITING_LIMIT:g}.",
                board=Board.DATABASE,
            ),
            Alert(
                "MiniTwitConnectionsNearLimit",
                total(select(PG_CONNECTIONS), INSTANCE)
                / total(select(PG_CONNECTIONS_MAX), INSTANCE)
                > limits.CONNECTIONS_LIMIT,
                for_=15,
                severity="warning",
                service="postgres",
                summary="PostgreSQL runs out of connections.",
                impact="nobody yet; new sessions will be refused",
                description="{{ $value | humanizePercentage }} of the connections that PostgreSQL "
                f"allows are taken; the limit is {limits.CONNECTIONS_LIMIT:.0%}.",
                board=Board.DATABASE,
            ),
            Alert(
                "MiniTwitHashingQueue",
                over("avg", select(HASHES_WAITING), minute) > limits.HASHES_LIMIT,
                for_=15,
                severity="warning",
                summary="The queue for password hashing is too long.",
                impact="users who log in or register",
                description='{{ printf "%.0f" $value }} passwords were being hashed or queued on '
                f"{{{{ $labels.instance }}}}; the limit is {limits.HASHES_LIMIT:g}.",
                board=Board.BUSINESS,
            ),
            Alert(
                "MiniTwitEventLoopLag",
                lag > limits.LAG_LIMIT,
                for_=15,
                severity="warning",
                summary="The event loop lags: every request waits.",
                impact="everybody: each request waits",
                description="The event loop of {{ $labels.instance }} was late by "
                "{{ $value | humanizeDuration }} on average; "
                f"the limit is {limits.LAG_LIMIT:g} s.",
                board=Board.HOSTS,
            ),
            Alert(
                "MiniTwitMemoryHigh",
                select(PROCESS_MEMORY, service=matches("|".join(PROBED_SERVICES)))
                > limits.MEMORY_LIMIT,
                for_=30,
                severity="warning",
                summary="A service uses too much memory.",
                impact="nobody yet; the service may be ended",
                description="{{ $labels.instance }} holds {{ $value | humanize }}B; "
                f"the limit is {limits.MEMORY_LIMIT / 1e6:g} MB.",
                board=Board.HOSTS,
            ),
            *disks(scale),
        ),
    )
