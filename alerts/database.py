"""Rules for a database that responds, but slowly or with errors."""

from __future__ import annotations

from alerts.model import Alert, Group
from alerts.objectives import BACKUP_SECONDS, DB_ERRORS_LIMIT, HOUR, MINUTE, QUERY_LIMIT
from observability.catalog import BACKUP_TIME, DB_ERRORS, DB_QUERY_DURATION, SERVICE
from observability.dashboard_uids import Board
from observability.promql.builders import NOW, aggregate, rate, select, total
from observability.time_scale import TimeScale


def alerts(scale: TimeScale) -> Group:
    """Return alerts on problems that retries and short time-outs hide from users."""
    minute = scale.window(MINUTE)
    spent, count = (
        total(rate(DB_QUERY_DURATION, minute, part), SERVICE) for part in ("sum", "count")
    )
    return Group(
        "minitwit-database",
        (
            Alert(
                "MiniTwitDatabaseSlow",
                spent / count > QUERY_LIMIT,
                for_=30,
                severity="warning",
                summary="The database answers slowly.",
                impact="nobody yet; users wait if it goes on",
                description="A statement of {{ $labels.service }} took "
                "{{ $value | humanizeDuration }} on average within a minute; "
                f"the limit is {QUERY_LIMIT:g} s.",
                board=Board.DATABASE,
            ),
            Alert(
                "MiniTwitDatabaseErrors",
                total(rate(DB_ERRORS, minute), SERVICE) > DB_ERRORS_LIMIT,
                for_=30,
                severity="warning",
                summary="Database statements fail.",
                impact="some requests, unless a retry hides it",
                description='{{ printf "%.1f" $value }} statements of {{ $labels.service }} a '
                f"second fail; the limit is {DB_ERRORS_LIMIT:g}. Retries may hide it.",
                board=Board.DATABASE,
            ),
            Alert(
                "MiniTwitBackupTooOld",
                # The metric is 0 if there never was one.
                NOW - aggregate("max", select(BACKUP_TIME), SERVICE)
                > BACKUP_SECONDS / scale.factor,
                for_=10 * MINUTE,
                severity="warning",
                service="postgres",
                summary="There is no fresh backup of the database.",
                impact="nobody yet; data is lost if the disk is",
                description="The last good backup is {{ $value | humanizeDuration }} old; "
                f"the limit is {BACKUP_SECONDS // HOUR} hours.",
                board=Board.DATABASE,
            ),
        ),
    )
