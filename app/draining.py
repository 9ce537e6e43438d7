"""Stops a server in two steps: readiness fails while requests are still served, then the rest."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from observability.instrument.health import Health

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Draining:
    """What a signal does. First: drain, then stop. Second: stop now. Third: wait for nobody."""

    def __init__(self, health: Health, seconds: float) -> None:
        self._health, self._seconds = health, seconds
        self._server: uvicorn.Server | None = None

    def run(self, server: uvicorn.Server) -> None:
        """Run ``server``, whose lifespan listens, until it is stopped."""
        self._server = server
        server.run()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Answer signals while the block runs, which is inside the event loop."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.signal)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def signal(self) -> None:
        """Take the next step."""
        if self._server and self._server.should_exit:
            self._server.force_exit = True
        elif self._health.draining:
            self._stop()
        else:
            self._health.draining = True
            asyncio.get_running_loop().call_later(self._seconds, self._stop)

    def _stop(self) -> None:
        if self._server:
            self._server.should_exit = True
