"""Activity and size of the service, from indexes and statistics rather than full counts."""

from __future__ import annotations

from app.database.pool import Database, Statement
from observability import catalog

_ACTIVE = Statement(
    "users_active",
    """
    SELECT count(*) FROM (
        SELECT author_id FROM messages
        WHERE NOT flagged AND pub_date >= extract(epoch FROM now())::bigint - %(seconds)s::bigint
        UNION
        SELECT user_id FROM sessions
        WHERE expires_at >= now() + make_interval(secs => %(session)s - %(seconds)s)) active
    """,
)
# COUNT(*) would read every row; autovacuum keeps these estimates close to it.
_SIZES = Statement(
    "table_sizes",
    "SELECT "
    + ", ".join(f"pg_stat_get_live_tuples('{table}'::regclass)" for table in catalog.TABLES),
)
# One in the future was noted by a clock that was ahead: its age is below any limit.
_BACKUP = Statement(
    "backup_latest",
    "SELECT coalesce(extract(epoch FROM max(taken_at)), 0)::float8,"
    " coalesce((SELECT bytes FROM backups WHERE taken_at <= now()"
    " ORDER BY taken_at DESC LIMIT 1), 0) FROM backups WHERE taken_at <= now()",
)


async def active_users(database: Database, seconds: int, session_seconds: int) -> int:
    """Return how many users posted or logged in within the last ``seconds``.

    Sessions live at least that long.
    """
    parameters = {"seconds": seconds, "session": session_seconds}
    return int((await database.one(_ACTIVE, parameters))[0])


async def table_sizes(database: Database) -> dict[str, int]:
    """Estimate the number of rows in each of the catalogue's tables."""
    return dict(zip(catalog.TABLES, await database.one(_SIZES, {}), strict=True))


async def latest_backup(database: Database) -> tuple[float, int]:
    """Return the Unix time (0 if none) and the bytes of the latest good backup."""
    taken, size = await database.one(_BACKUP, {})
    return float(taken), int(size)
