"""When the next action is due."""

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
    """``nominal``, ``max``, or ``rate`` with actions a second."""

    name: Literal["nominal", "rate", "max"]
    rate: float | None = None


class Pace(Protocol):
    """Called for one action after the other, never for two at once."""

    async def wait(self, action: Action) -> float | None:
        """Return when the action may go; what it returns is the time at which it was due, on
        ``time.perf_counter``, or None where there is no schedule."""

    def restart(self) -> None:
        """Begin the schedule anew, after a pause that nobody is to catch up with."""


class Nominal:
    """Sleeps each action's delay before it, as the original does. With several clients the
    pause is between one action's start and the next one's."""

    def __init__(self) -> None:
        self._owed = 0.0

    async def wait(self, action: Action) -> None:
        """Sleep; what a timer is early or late by is settled with the next pauses."""
        self._owed += action.delay / DELAY_UNITS
        if self._owed > _GRAIN:
            began = time.perf_counter()
            await asyncio.sleep(self._owed)
            self._owed = max(self._owed - (time.perf_counter() - began), -_MOST_AHEAD)

    def restart(self) -> None:
        """Forget what is owed."""
        self._owed = 0.0


class Rate:
    """An open loop: the n-th action is due at n / rate, however slow the answers are."""

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._due: float | None = None

    async def wait(self, action: Action) -> float:
        """Sleep until the action is due, to half a millisecond; return at once if that is past."""
        now = time.perf_counter()
        # A name of its own: the schedule may begin anew while this sleeps.
        due = self._due = now if self._due is None else self._due + self._interval
        while due - now > _GRAIN:
            await asyncio.sleep(due - now)
            now = time.perf_counter()
        return due

    def restart(self) -> None:
        """The next action is due when it comes."""
        self._due = None


class Unpaced:
    """As fast as it goes: every client sends as soon as its last request is over."""

    async def wait(self, action: Action) -> None:
        """Never waits."""

    def restart(self) -> None:
        """Has nothing to restart."""


def pace(speed: Speed) -> Pace:
    """The pace that a speed means."""
    if speed.rate is not None:
        return Rate(speed.rate)
    return Nominal() if speed.name == "nominal" else Unpaced()
