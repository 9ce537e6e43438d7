"""Dates in relative form."""

from __future__ import annotations

from datetime import UTC, datetime

# (up to this age in seconds, length of the unit in seconds, its name)
_UNITS = (
    (3600, 60, "minute"),
    (24 * 3600, 3600, "hour"),
    (30 * 24 * 3600, 24 * 3600, "day"),
)


def moment(epoch: int) -> datetime | None:
    """Convert Unix time in seconds to a date; None if it is out of range."""
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def relative(epoch: int, now: float) -> str:
    """Return ``just now``, ``5 minutes ago`` …; empty for the future and after 30 days."""
    age = int(now) - epoch
    if -60 < age < 60:
        return "just now"
    for limit, length, name in _UNITS:
        if 0 < age < limit:
            count = age // length
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return ""
