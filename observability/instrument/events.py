"""Business events as types; one subscriber turns them into metrics and log fields.

The services emit what happened and its outcome; they know no metric. An event's fields, in order,
are the labels of its metric, and ``action`` and ``outcome`` of the request's log line.
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
    """An attempt to register."""

    metric: ClassVar = catalog.REGISTRATIONS
    outcome: Literal["ok", "username_taken", "invalid"]


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """An attempt to log in."""

    metric: ClassVar = catalog.LOGINS
    outcome: Literal["ok", "unknown_user", "wrong_password", "throttled"]


@dataclass(frozen=True, slots=True)
class Posted:
    """An attempt to post a message."""

    metric: ClassVar = catalog.MESSAGES
    outcome: Literal["ok", "unknown_author", "invalid"]


@dataclass(frozen=True, slots=True)
class Followed:
    """An attempt to follow or unfollow."""

    metric: ClassVar = catalog.FOLLOWS
    action: Literal["follow", "unfollow"]
    outcome: Literal["changed", "unchanged", "unknown_user"]


Event = Registered | LoggedIn | Posted | Followed


class Events:
    """Turns each event into its metric and into fields of the request's log line."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._known: dict[Event, tuple[Counter, str]] = {}

    def emit(self, event: Event, *, counted: bool = True) -> None:
        """Count the event, unless ``counted`` is False, and add it to the log line.

        Events of the probe user are not counted.
        """
        counter, action = self._known.get(event) or self._learn(event)
        if counted:
            counter.inc()
        context.note(action=action, outcome=event.outcome)

    def _learn(self, event: Event) -> tuple[Counter, str]:
        """Return counter and action of an event, cached: there are few different ones."""
        values = [str(getattr(event, field.name)) for field in fields(event)]
        action = event.action if isinstance(event, Followed) else type(event).__name__.lower()
        self._known[event] = self._meter.bind(event.metric, *values), action
        return self._known[event]
