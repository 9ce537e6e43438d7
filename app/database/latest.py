"""The simulator's latest action: one number, the same on every replica.

``MARK`` goes into a statement's select list, so that an action and its ``latest`` are one
statement; without a number it does nothing.
"""

from __future__ import annotations

from app.database.pool import Database, Statement

MARK = "CASE WHEN %(latest)s::bigint IS NOT NULL THEN setval('simulator_latest', %(latest)s) END"

READ = Statement("latest_read", "SELECT last_value FROM simulator_latest")
_RECORD = Statement("latest_record", f"SELECT {MARK}")


async def read(database: Database) -> int:
    """The number last recorded; -1 before any."""
    value: int = (await database.one(READ, {}))[0]
    return value


async def record(database: Database, latest: int | None) -> None:
    """Record the number of a request that was refused before any other statement."""
    if latest is not None:
        await database.one(_RECORD, {"latest": latest})
