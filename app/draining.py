"""Graceful shutdown: readiness fails first, while requests are still served."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from observability.instrument.health import Health

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Draining:
    """Signal handling: the first drains and stops, the second stops, the third exits."""

    def __init__(self, health: Health, seconds: float) -> None:
        self._health, self._seconds = health, seconds
        self._server: uvicorn.Server | None = None

    def run(self, server: uvicorn.Server) -> None:
        """Run ``server``, whose lifespan handles signals, until it is stopped."""
        self._server = server
        server.run()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle signals while the block runs, which is inside the event loop."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self.signal)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def signal(self) -> None:
        """Take the next step of the shutdown."""
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
