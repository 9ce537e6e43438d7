"""The contract's SQL over a psycopg pool, the same for every peer as for ours."""

from __future__ import annotations

import os
from typing import Any

from psycopg_pool import AsyncConnectionPool

from app.database import follows, latest, messages, users
from app.database.pool import PLANNING, Statement
from app.limits import LIST_BYTES
from app.services.accounts import digest

ACTIONS: tuple[follows.Action, ...] = ("follow", "unfollow")


def pool() -> AsyncConnectionPool:
    """Not opened yet; as large and with the same connections as ours."""
    kwargs = {"autocommit": True, "prepare_threshold": 1, "options": PLANNING}
    url = os.environ["DATABASE_URL"]
    return AsyncConnectionPool(url, min_size=2, max_size=10, open=False, kwargs=kwargs)


async def row(pool: AsyncConnectionPool, statement: Statement, **parameters: Any) -> Any:
    """The first row."""
    async with pool.connection() as connection:
        return await (await connection.execute(statement.query, parameters)).fetchone()


async def latest_id(pool: AsyncConnectionPool) -> int:
    """The id of the action last recorded."""
    return int((await row(pool, latest.READ))[0])


async def newest(pool: AsyncConnectionPool, no: int, latest: int | None) -> str:
    """The newest messages of all, as JSON."""
    return str((await row(pool, messages.NEWEST, no=no, most=LIST_BYTES, latest=latest))[0])


async def newest_by(
    pool: AsyncConnectionPool, username: str, no: int, latest: int | None
) -> str | None:
    """The newest messages of a user, as JSON; None of a stranger."""
    known, found, _ = await row(
        pool, messages.NEWEST_BY, username=username, no=no, most=LIST_BYTES, latest=latest
    )
    return str(found) if known else None


async def timeline(pool: AsyncConnectionPool, kind: str, token: str) -> str:
    """Return the first page of a timeline, as JSON, for the session of ``token``."""
    found = await row(
        pool, messages.TIMELINES[kind], token_hash=digest(token), pub_date=messages.FIRST[0],
        id=messages.FIRST[1], limit=messages.PAGE + 1, username=None,
    )  # fmt: skip
    return f"[{','.join(found[3].split(chr(10))[: messages.PAGE])}]"


async def post(pool: AsyncConnectionPool, username: str, text: str, latest: int | None) -> bool:
    """Whether the author exists."""
    found = await row(pool, messages.ADD, username=username, text=text, latest=latest)
    return bool(found[0])


async def register(
    pool: AsyncConnectionPool, username: str, email: str, pw_hash: str, latest: int | None
) -> bool:
    """Whether the name was free."""
    person = {"username": username, "email": email, "pw_hash": pw_hash}
    return bool((await row(pool, users.ADD, **person, latest=latest))[0])


async def change(
    pool: AsyncConnectionPool, action: follows.Action, username: str, target: str,
    latest: int | None,
) -> bool:  # fmt: skip
    """Follow or unfollow; whether both exist."""
    statement = follows.CHANGES[action]
    return bool((await row(pool, statement, username=username, target=target, latest=latest))[0])


async def followed(
    pool: AsyncConnectionPool, username: str, no: int, latest: int | None
) -> str | None:
    """Return the users that a user follows, as JSON; None if unknown."""
    known, found, _ = await row(
        pool, follows.LIST, username=username, no=no, most=LIST_BYTES, latest=latest
    )
    return str(found) if known else None
