"""Repository of users and their sessions."""

from __future__ import annotations

from app.database.latest import SET_LATEST
from app.database.pool import Database, Statement

_EXISTS = Statement(
    "user_exists", "SELECT EXISTS (SELECT FROM users WHERE username = %(username)s)"
)
ADD = Statement(
    "user_add",
    f"""
    WITH added AS (
        INSERT INTO users (username, email, pw_hash)
        VALUES (%(username)s, %(email)s, %(pw_hash)s)
        ON CONFLICT (username) DO NOTHING RETURNING id)
    SELECT EXISTS (SELECT FROM added), {SET_LATEST}
    """,
)
_HASH = Statement("user_hash", "SELECT id, pw_hash FROM users WHERE username = %(username)s")
_REPLACE_HASH = Statement(
    "user_replace_hash",
    """
    UPDATE users SET pw_hash = %(fresh)s WHERE id = %(user_id)s AND pw_hash = %(pw_hash)s
    RETURNING id
    """,
)
_SESSION_ADD = Statement(
    "session_add",
    """
    WITH expired AS (DELETE FROM sessions WHERE expires_at < now())
    INSERT INTO sessions (token_hash, user_id, expires_at)
    VALUES (%(token_hash)s, %(user_id)s, now() + make_interval(secs => %(seconds)s))
    RETURNING expires_at
    """,
)
_SESSION_END = Statement(
    "session_end",
    """
    DELETE FROM sessions WHERE token_hash = %(token_hash)s RETURNING expires_at > now()
    """,
)
_SESSION_USER = Statement(
    "session_user",
    """
    SELECT u.username FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.token_hash = %(token_hash)s AND s.expires_at > now()
    """,
)


async def exists(database: Database, username: str) -> bool:
    """Return whether the name is taken."""
    return bool((await database.one(_EXISTS, {"username": username}))[0])


async def add(
    database: Database, username: str, email: str, pw_hash: str, latest: int | None
) -> bool:
    """Insert a user; False if the name is taken, also when two requests race."""
    parameters = {"username": username, "email": email, "pw_hash": pw_hash, "latest": latest}
    return bool((await database.one(ADD, parameters))[0])


async def password_hash(database: Database, username: str) -> tuple[int, str] | None:
    """Return the user's id and password hash; None for an unknown user."""
    row = await database.first(_HASH, {"username": username})
    return (row[0], row[1]) if row else None


async def replace_hash(database: Database, user_id: int, pw_hash: str, fresh: str) -> None:
    """Replace ``pw_hash`` by a new hash, unless it has changed meanwhile."""
    parameters = {"user_id": user_id, "pw_hash": pw_hash, "fresh": fresh}
    await database.first(_REPLACE_HASH, parameters)


async def add_session(database: Database, token_hash: bytes, user_id: int, seconds: float) -> None:
    """Store a session that lives for ``seconds``, and delete expired ones."""
    parameters = {"token_hash": token_hash, "user_id": user_id, "seconds": seconds}
    await database.one(_SESSION_ADD, parameters)


async def end_session(database: Database, token_hash: bytes) -> bool:
    """Delete a session, on every replica at once; return whether it was valid."""
    row = await database.first(_SESSION_END, {"token_hash": token_hash})
    return bool(row and row[0])


async def session_user(database: Database, token_hash: bytes) -> str | None:
    """Return the user of a valid session."""
    row = await database.first(_SESSION_USER, {"token_hash": token_hash})
    return str(row[0]) if row else None
