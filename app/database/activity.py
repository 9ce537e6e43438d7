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


async def active_users(database: Database, seconds: int, session_seconds: int) -> int:
    """How many users posted or logged in within so many seconds; sessions live that long."""
    parameters = {"seconds": seconds, "session": session_seconds}
    return int((await database.one(_ACTIVE, parameters))[0])


async def table_sizes(database: Database) -> dict[str, int]:
    """About how many rows each of the catalogue's tables has."""
    return dict(zip(catalog.TABLES, await database.one(_SIZES, {}), strict=True))
