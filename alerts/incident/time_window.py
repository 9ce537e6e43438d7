"""SINCE and UNTIL as people write them: RFC 3339, or how long ago."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from observability.conventions import RETENTION_DAYS

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
AGO = re.compile(r"(?:\d+[dhms])+")
FORMS = "RFC 3339 (2026-01-31T23:59:00Z) or how long ago (30m, 2h, 1h30m)"


class TimeError(ValueError):
    """A time that cannot be understood; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Window:
    """From ``since`` to ``until``, both in seconds of the epoch."""

    since: float
    until: float

    @property
    def seconds(self) -> float:
        """The length of the window."""
        return self.until - self.since

    @property
    def milliseconds(self) -> str:
        """The window as query parameters of Grafana, in milliseconds."""
        return f"from={self.since * 1000:.0f}&to={self.until * 1000:.0f}"


def moment(text: str, now: datetime) -> datetime:
    """Parse ``text``; ``TimeError`` if it is not a time."""
    text = text.strip()
    if text == "now":
        return now
    if AGO.fullmatch(text):
        seconds = sum(int(n) * UNITS[u] for n, u in re.findall(r"(\d+)([dhms])", text))
        try:
            return now - timedelta(seconds=seconds)
        except OverflowError:
            raise TimeError(f"{text!r} is too long ago") from None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise TimeError(f"{text!r} is not a time: {FORMS}") from None
    if "T" not in text.upper() and " " not in text:
        raise TimeError(f"{text!r} is a day, not a time: {FORMS}")
    if found.tzinfo is None:
        raise TimeError(f"{text!r} has no time zone: add Z for UTC, or +01:00")
    return found


def window(since: str, until: str, now: datetime) -> Window:
    """Return the window; ``TimeError`` if it is empty or older than the retention."""
    begin, end = moment(since, now), moment(until or "now", now)
    if begin > now:
        raise TimeError(f"SINCE {since} lies in the future")
    end = min(end, now)
    if begin >= end:
        raise TimeError(
            f"SINCE {stamp(begin.timestamp())} is not before UNTIL {stamp(end.timestamp())}"
        )
    if now - begin > timedelta(days=RETENTION_DAYS):
        raise TimeError(f"Prometheus keeps {RETENTION_DAYS} days: nothing is left of {since}")
    return Window(begin.timestamp(), end.timestamp())


def stamp(seconds: float) -> str:
    """Seconds of the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(seconds: float) -> str:
    """Seconds of the epoch as the time of day in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def span(seconds: float) -> str:
    """A duration as text, in its two largest units."""
    rest, parts = round(seconds), []
    for unit, size in UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
