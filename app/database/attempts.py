"""Counts of log-in attempts that have not (yet) succeeded, shared by all replicas.

An attempt is counted before its password is verified, so that many parallel attempts cannot bypass
the limit; a success removes its attempt. In the table ``since`` is when the window of a key began,
and ``failures`` how many attempts it has in that window.
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
            ceil(extract(epoch FROM since + make_interval(secs => %(seconds)s) - now()))
                AS seconds_left)
    SELECT max(failures) FILTER (WHERE key = %(account)s),
        max(failures) FILTER (WHERE key = %(address)s), max(seconds_left)::int FROM counted
    """,
)
_RESET = Statement(
    "login_attempt_reset",
    """
    WITH cleared AS (DELETE FROM login_attempts WHERE key = %(account)s),
    decremented AS (
        UPDATE login_attempts SET failures = greatest(failures - 1, 0) WHERE key = %(address)s)
    SELECT 1
    """,
)


async def count(
    database: Database, account: str, address: str, seconds: float
) -> tuple[int, int, int]:
    """Count an attempt; return both counts in the window and the seconds left.

    ``account`` is the key of an account as seen from one network, ``address`` that of the network.
    """
    parameters = {
        "account": account, "address": address, "keys": [account, address], "seconds": seconds
    }  # fmt: skip
    of_account, of_address, seconds_left = await database.one(_COUNT, parameters)
    return of_account, of_address, seconds_left


async def reset(database: Database, account: str, address: str) -> None:
    """Reset the account's count after a success, and remove the attempt from the address's."""
    await database.one(_RESET, {"account": account, "address": address})
