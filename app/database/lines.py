"""Lists that end before they get too large, whatever their entries hold."""

from __future__ import annotations

from typing import TypedDict


class Size(TypedDict):
    """How long a list may be: ``no`` entries, and ``most`` bytes of JSON."""

    no: int
    most: int


def array(rows: str) -> str:
    """Return SQL for a JSON array of the first ``rows`` that fit into ``most``.

    OFFSET 0 has PostgreSQL build each line once, not once for its size and once for the list.
    """
    return f"""
    SELECT '[' || coalesce(string_agg(line, ','), '') || ']'
    FROM (
        SELECT line, sum(octet_length(line) + 1) OVER (ROWS UNBOUNDED PRECEDING) AS bytes
        FROM ({rows} OFFSET 0) built) sized
    WHERE bytes <= %(most)s"""
