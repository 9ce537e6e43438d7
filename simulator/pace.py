"""Schedules: when the next action is due."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from simulator.scenario import DELAY_UNITS, Action

_GRAIN = 0.0005  # the event loop's timers are whole milliseconds: shorter sleeps are saved up
_MOST_AHEAD = 0.01  # what a late timer may make the next pauses shorter in all


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
        """Restart the schedule after a pause that is not to be caught up with."""


class Nominal:
    """Sleeps each action's delay before it, as the original does.

    With several clients the pause is between the starts of two actions.
    """

    def __init__(self) -> None:
        self._owed = 0.0

    async def wait(self, action: Action) -> None:
        """Sleep; correct the timer's errors in the next pauses."""
        self._owed += action.delay / DELAY_UNITS
        if self._owed > _GRAIN:
            began = time.perf_counter()
            await asyncio.sleep(self._owed)
            self._owed = max(self._owed - (time.perf_counter() - began), -_MOST_AHEAD)

    def restart(self) -> None:
        """Reset the timer's errors."""
        self._owed = 0.0


class Rate:
    """An open loop: action n is due at n / rate, however slow responses are."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due: float | None = None

    async def wait(self, action: Action) -> float:
        """Sleep until the action is due, to half a millisecond; return at once if late."""
        now = time.perf_counter()
        # A name of its own: the schedule may begin anew while this sleeps.
        due = self._due = now if self._due is None else self._due + self._interval
        while due - now > _GRAIN:
            await asyncio.sleep(due - now)
            now = time.perf_counter()
        return due

    def restart(self) -> None:
        """Make the next action due now."""
        self._due = None


class Unpaced:
    """No schedule: every client sends as soon as its last request has ended."""

    async def wait(self, action: Action) -> None:
        """Return at once."""

    def restart(self) -> None:
        """Do nothing."""


def pace(speed: Speed) -> Pace:
    """Return the schedule for a speed."""
    if speed.rate is not None:
        return Rate(speed.rate)
    return Nominal() if speed.name == "nominal" else Unpaced()
