"""Schedules: when the next action is due."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from simulator.scenario import DELAY_UNITS, Action

_SHORTEST_SLEEP = 0.0005  # the event loop's timers are whole milliseconds: shorter sleeps add up
_MAX_CORRECTION = 0.01  # seconds that one late timer may take from the next sleeps


@dataclass(frozen=True, slots=True)
class Speed:
    """``nominal``, ``max``, or ``rate`` with actions per second."""

    name: Literal["nominal", "rate", "max"]
    rate: float | None = None


class Pace(Protocol):
    """A schedule; called for one action after the other, never concurrently."""

    async def wait(self, action: Action) -> float | None:
        """Wait until the action may start; return when it was due, or None.

        The time is that of ``time.perf_counter``; None means that there is no schedule.
        """

    def restart(self) -> None:
        """Restart the schedule after a pause that must not be caught up with."""


class Nominal:
    """Sleeps each action's delay before it, as the original does.

    With several clients the pause is between the starts of two actions.
    """

    def __init__(self) -> None:
        self._delay = 0.0

    async def wait(self, action: Action) -> None:
        """Sleep; correct the timer's errors in the next pauses."""
        self._delay += action.delay / DELAY_UNITS
        if self._delay > _SHORTEST_SLEEP:
            began = time.perf_counter()
            await asyncio.sleep(self._delay)
            self._delay = max(self._delay - (time.perf_counter() - began), -_MAX_CORRECTION)

    def restart(self) -> None:
        """Reset the timer's errors."""
        self._delay = 0.0


class Rate:
    """An open loop: action n is due at n / rate, however slow responses are."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due: float | None = None

    async def wait(self, action: Action) -> float:
        """Sleep until the action is due, to half a millisecond; return at once if late."""
        now = time.perf_counter()
        # A local variable: the schedule may be restarted while this sleeps.
        due = self._due = now if self._due is None else self._due + self._interval
        while due - now > _SHORTEST_SLEEP:
            await asyncio.sleep(due - now)
            now = time.perf_counter()
        return due

    def restart(self) -> None:
        """Make the next action due now."""
        self._due = None


class Unpaced:
    """A closed loop: every client sends as soon as its last request has ended."""

    async def wait(self, action: Action) -> None:
        """Return at once."""

    def restart(self) -> None:
        """Do nothing."""


def pace(speed: Speed) -> Pace:
    """Return the schedule for a speed."""
    if speed.rate is not None:
        return Rate(speed.rate)
    return Nominal() if speed.name == "nominal" else Unpaced()
