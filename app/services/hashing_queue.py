"""The bounded queue for password hashing: log-ins take precedence over registrations.

A request whose expected wait exceeds its deadline is refused at once, and a cancelled one leaves
the queue. Requests wait here rather than with a database connection, which would slow down
everyone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from anyio import CapacityLimiter

from app import deadline
from app.problems import Busy
from observability.catalog import SIMULATOR_TIMEOUT

# Seconds to wait for a slot if the caller sets no deadline: the deadline of a page.
PATIENCE = 2.0
# While one request hashes, these query the database, so that the hashing thread is never idle.
_AT_THE_DATABASE = 2
_FIRST_GUESS = 0.03  # seconds for a hash, until one is measured
_LEAST = 0.005  # seconds; bounds the queue whatever was measured
_WEIGHT = 0.2  # of the newest measurement in the moving average


class HashingQueue:
    """The slots of log-ins and registrations; ``threads`` of them can hash at the same time.

    Registrations pass a limiter of their own first. Few of them are therefore in the queue in
    which log-ins wait: a log-in waits for those being served, not for all registrations.

    Before that limiter there are two lines, which are served by turns: one for registrations with
    as little time as the simulator, one for those that may wait longer. Otherwise a crowd that
    may wait for two seconds would fill the queue, and the simulator would always be refused.
    """

    def __init__(self, threads: int) -> None:
        at_once = threads + _AT_THE_DATABASE
        self._threads = threads
        self._all = CapacityLimiter(at_once)
        self._registrations = CapacityLimiter(at_once)
        self._brief, self._patient = CapacityLimiter(at_once), CapacityLimiter(at_once)
        self._seconds = _FIRST_GUESS

    @property
    def waiting(self) -> int:
        """How many requests are being served or wait."""
        lines = (self._registrations, self._brief, self._patient)
        return self._before_log_in + sum(map(_waiting, lines))

    @property
    def _before_log_in(self) -> int:
        return self._all.borrowed_tokens + _waiting(self._all)

    def measured(self, seconds: float) -> None:
        """Record the seconds of a hash, from which the expected wait is computed."""
        self._seconds = max(_LEAST, (1 - _WEIGHT) * self._seconds + _WEIGHT * seconds)

    @asynccontextmanager
    async def log_in(self) -> AsyncIterator[None]:
        """Wait for a slot to log in; raise Busy if none is free in time."""
        async with self._turn([self._all], self._before_log_in):
            yield

    @asynccontextmanager
    async def register(self) -> AsyncIterator[None]:
        """Wait for a slot to register, after all log-ins; raise Busy as ``log_in`` does."""
        line, other = self._brief, self._patient
        if deadline.left(PATIENCE) > SIMULATOR_TIMEOUT:
            line, other = other, line
        # While both lines wait, one of each is served.
        ahead = _waiting(line) + min(_waiting(line), _waiting(other))
        before = self._before_log_in + _waiting(self._registrations) + ahead
        async with self._turn([line, self._registrations, self._all], before):
            yield

    @asynccontextmanager
    async def _turn(self, limiters: list[CapacityLimiter], before: int) -> AsyncIterator[None]:
        patience = deadline.left(PATIENCE)
        expected = (before + 1) * self._seconds / self._threads
        # As many may wait as are served, even if hashing is slow now: a short queue drains soon.
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


def _waiting(limiter: CapacityLimiter) -> int:
    return limiter.statistics().tasks_waiting
