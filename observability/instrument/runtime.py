"""How well the event loop keeps time."""

from __future__ import annotations

import asyncio

from observability import catalog
from observability.instrument.metrics import Meter

INTERVAL_SECONDS = 0.25


async def watch_event_loop(meter: Meter) -> None:
    """Observe, four times a second and until cancelled, how late a timer comes."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        meter.observe(catalog.EVENT_LOOP_LAG, max(0.0, loop.time() - due))
