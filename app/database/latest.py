"""The latest id of the simulator: one number, the same on every replica.

``SET_LATEST`` goes into the select list of a statement, so that an action and its ``latest`` are
stored together; without a number it does nothing.
"""

from __future__ import annotations

from app.database.pool import Database, Statement

SET_LATEST = (
    "CASE WHEN %(latest)s::bigint IS NOT NULL THEN setval('simulator_latest', %(latest)s) END"
)

READ = Statement("latest_read", "SELECT last_value FROM simulator_latest")
_RECORD = Statement("latest_record", f"SELECT {SET_LATEST}")


async def read(database: Database) -> int:
    """Return the id recorded last; -1 before any."""
    value: int = (await database.one(READ, {}))[0]
    return value


async def record(database: Database, latest: int | None) -> None:
    """Record the id of a request that was refused before any other statement."""
    if latest is not None:
        await database.one(_RECORD, {"latest": latest})
