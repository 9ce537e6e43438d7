"""Counts of log-in attempts that have not (yet) succeeded, shared by all replicas.

An attempt is counted before its password is verified, so that many parallel attempts cannot bypass
the limit; a success removes its attempt.
"""

from __future__ import annotations

from app.database.pool import Database, Statement

_COUNT = Statement(
    "login_attempt_count",
    """
    WITH expired AS (
        SELECT key FROM login_attempts
        WHERE since < now() - make_interval(secs => %(seconds)s) AND key <> ALL (%(keys)s)
        ORDER BY since LIMIT 2 FOR UPDATE SKIP LOCKED),
    cleared AS (DELETE FROM login_attempts a USING expired WHERE a.key = expired.key),
    counted AS (
        INSERT INTO login_attempts AS a (key, failures, since)
        SELECT key, 1, now() FROM unnest(%(keys)s::text[]) key ORDER BY key
        ON CONFLICT (key) DO UPDATE SET
            failures = CASE WHEN a.since < now() - make_interval(secs => %(seconds)s)
                       THEN 1 ELSE a.failures + 1 END,
            since = CASE WHEN a.since < now() - make_interval(secs => %(seconds)s)
                    THEN now() ELSE a.since END
        RETURNING key, failures,
            ceil(extract(epoch FROM since + make_interval(secs => %(seconds)s) - now())) AS left)
    SELECT array_agg(failures ORDER BY key), max("left")::int FROM counted
    """,
)
_RESET = Statement(
    "login_attempt_forgive",
    """
    WITH cleared AS (DELETE FROM login_attempts WHERE key = %(account)s),
    eased AS (
        UPDATE login_attempts SET failures = greatest(failures - 1, 0) WHERE key = %(address)s)
    SELECT 1
    """,
)


async def count(
    database: Database, account: str, address: str, seconds: float
) -> tuple[int, int, int]:
    """Count an attempt; return both counts in the window and the seconds left.

    The counts are those of ``account``, a key of an account as seen from one network, and of
    ``address``, a key of that network. Keys begin with "account" and "address", and so sort.
    """
    parameters = {"keys": sorted((account, address)), "seconds": seconds}
    numbers, left = await database.one(_COUNT, parameters)
    return numbers[0], numbers[1], left


async def reset(database: Database, account: str, address: str) -> None:
    """Reset the account's count after a success, and remove the attempt from the address's."""
    await database.one(_RESET, {"account": account, "address": address})
