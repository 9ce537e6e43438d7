"""Event-loop lag, and other tasks that run from startup to shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from observability import catalog
from observability.instrument.metrics import Meter

INTERVAL_SECONDS = 0.25


class Runtime:
    """Wraps an application; from startup to shutdown measures event-loop lag.

    ``besides`` is a context that is held for as long.
    """

    def __init__(
        self, app: ASGIApp, meter: Meter, besides: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._app, self._meter, self._besides = app, meter, besides

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; the lifespan call lasts from startup to shutdown."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        watcher = asyncio.create_task(watch_event_loop(self._meter))
        try:
            with self._besides():
                await self._app(scope, receive, send)
        finally:
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher


async def watch_event_loop(meter: Meter) -> None:
    """Observe how late a timer fires, four times a second, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        meter.observe(catalog.EVENT_LOOP_LAG, max(0.0, loop.time() - due))
