"""Who was active lately: from the indexes on when messages were posted and sessions end."""

from __future__ import annotations

from app.database.pool import Database, Statement

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


async def active_users(database: Database, seconds: int, session_seconds: int) -> int:
    """How many users posted or logged in within so many seconds; sessions live that long."""
    parameters = {"seconds": seconds, "session": session_seconds}
    return int((await database.one(_ACTIVE, parameters))[0])
