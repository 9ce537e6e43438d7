"""What happened in the business, as typed events; one subscriber makes metrics and log fields.

The services say what happened and how it ended; they know no metric. An event's fields, in
order, are the labels of its metric, and ``action`` and ``outcome`` of the request's log line.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from prometheus_client import Counter

from observability import catalog
from observability.instrument import context
from observability.instrument.metrics import Meter


@dataclass(frozen=True, slots=True)
class Registered:
    """Someone tried to register."""

    metric: ClassVar = catalog.REGISTRATIONS
    outcome: Literal["ok", "username_taken", "invalid"]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Someone tried to log in."""

    metric: ClassVar = catalog.LOGINS
    outcome: Literal["ok", "unknown_user", "wrong_password", "throttled"]


@dataclass(frozen=True, slots=True)
class Posted:
    """Someone tried to post a message."""

    metric: ClassVar = catalog.MESSAGES
    outcome: Literal["ok", "unknown_author", "invalid"]


@dataclass(frozen=True, slots=True)
class Followed:
    """Someone tried to follow or unfollow."""

    metric: ClassVar = catalog.FOLLOWS
    action: Literal["follow", "unfollow"]
    outcome: Literal["changed", "unchanged", "unknown_user"]


Event = Registered | LoggedIn | Posted | Followed


class Events:
    """Turns each event into its metric, and into fields of the request's log line."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._known: dict[Event, tuple[Counter, str]] = {}

    def emit(self, event: Event, *, counted: bool = True) -> None:
        """Count the event, unless the probe user did it, and note it on the request served."""
        counter, action = self._known.get(event) or self._learn(event)
        if counted:
            counter.inc()
        context.note(action=action, outcome=event.outcome)

    def _learn(self, event: Event) -> tuple[Counter, str]:
        """The counter and the name of an event: there are only so many different ones."""
        values = [str(getattr(event, field.name)) for field in fields(event)]
        action = event.action if isinstance(event, Followed) else type(event).__name__.lower()
        self._known[event] = self._meter.bind(event.metric, *values), action
        return self._known[event]
