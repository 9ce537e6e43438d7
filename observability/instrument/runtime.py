"""How well the event loop keeps time, and what else runs from startup to shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from observability import catalog
from observability.instrument.metrics import Meter

INTERVAL_SECONDS = 0.25


class Runtime:
    """Wraps an application: while it lives, the event loop is watched, and ``besides`` holds."""

    def __init__(
        self, app: ASGIApp, meter: Meter, besides: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._app, self._meter, self._besides = app, meter, besides

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; the call of the lifespan lasts from startup to shutdown."""
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
    """Observe, four times a second and until cancelled, how late a timer comes."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        meter.observe(catalog.EVENT_LOOP_LAG, max(0.0, loop.time() - due))
