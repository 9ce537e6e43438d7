"""How busy and how large the service is, asked in passing: by index, or of the statistics."""

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
# A count would read every row; autovacuum and the statistics keep these close to it.
_SIZES = Statement(
    "table_sizes",
    "SELECT "
    + ", ".join(f"pg_stat_get_live_tuples('{table}'::regclass)" for table in catalog.TABLES),
)
_BACKUP = Statement(
    "backup_latest",
    "SELECT coalesce(extract(epoch FROM max(taken_at)), 0)::float8,"
    " coalesce((SELECT bytes FROM backups ORDER BY taken_at DESC LIMIT 1), 0) FROM backups",
)


async def active_users(database: Database, seconds: int, session_seconds: int) -> int:
    """How many users posted or logged in within so many seconds; sessions live that long."""
    parameters = {"seconds": seconds, "session": session_seconds}
    return int((await database.one(_ACTIVE, parameters))[0])


async def table_sizes(database: Database) -> dict[str, int]:
    """About how many rows each of the catalogue's tables has."""
    return dict(zip(catalog.TABLES, await database.one(_SIZES, {}), strict=True))


async def latest_backup(database: Database) -> tuple[float, int]:
    """When the last good backup was taken (seconds since 1970, 0 if never) and its bytes."""
    taken, size = await database.one(_BACKUP, {})
    return float(taken), int(size)
