"""One bounded queue for what hashes a password: log-ins go before registrations.

Whoever would wait longer than an answer is wanted is refused at once, and whoever is cancelled
leaves the queue. A crowd waits here rather than at the database, where it would hold up everyone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio import CapacityLimiter

from app import deadline
from app.problems import Busy

# Seconds that a turn may take to come where the caller says nothing: as long as a page may take.
PATIENCE = 2.0
# While one hashes, these ask the database, so that the hashing thread never waits for it.
_AT_THE_DATABASE = 2
_FIRST_GUESS = 0.03  # seconds a hash takes, until it is known
_LEAST = 0.005  # seconds; keeps the queue short whatever was measured
_WEIGHT = 0.2  # of the newest measurement in the moving average


class HashingQueue:
    """HashingQueue of those who log in or register; ``threads`` of them can hash at a time.

    Registrations pass a limiter of their own first. So hardly any of them stands in the line in
    which log-ins wait, and a log-in waits for those that are being served, not for a crowd.
    """

    def __init__(self, threads: int) -> None:
        at_once = threads + _AT_THE_DATABASE
        self._threads = threads
        self._all = CapacityLimiter(at_once)
        self._registrations = CapacityLimiter(at_once)
        self._seconds = _FIRST_GUESS

    @property
    def waiting(self) -> int:
        """How many are served or wait."""
        return self._before_log_in + self._registrations.statistics().tasks_waiting

    @property
    def _before_log_in(self) -> int:
        return self._all.borrowed_tokens + self._all.statistics().tasks_waiting

    def measured(self, seconds: float) -> None:
        """A hash took so long: the rate that the processor allows now."""
        self._seconds = max(_LEAST, (1 - _WEIGHT) * self._seconds + _WEIGHT * seconds)

    @asynccontextmanager
    async def log_in(self) -> AsyncIterator[None]:
        """A turn to log in. Raises Busy if it cannot come in time."""
        async with self._turn([self._all], self._before_log_in):
            yield

    @asynccontextmanager
    async def register(self) -> AsyncIterator[None]:
        """A turn to register, when no log-in waits. Raises Busy if it cannot come in time."""
        async with self._turn([self._registrations, self._all], self.waiting):
            yield

    @asynccontextmanager
    async def _turn(self, limiters: list[CapacityLimiter], before: int) -> AsyncIterator[None]:
        patience = deadline.left(PATIENCE)
        expected = (before + 1) * self._seconds / self._threads
        # As many may wait as are served, however slow hashing is now: a short queue soon ends.
        if before >= 2 * self._all.total_tokens and expected > patience:
            raise Busy(math.ceil(expected))
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(patience):
                    for limiter in limiters:
                        await held.enter_async_context(limiter)
            except TimeoutError:
                raise Busy(math.ceil(expected)) from None
            yield
