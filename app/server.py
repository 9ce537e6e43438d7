"""Runs one application in one process, observed from its first request to its last."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from app import VERSION, limits
from app.settings import ServerSettings
from observability import catalog
from observability.instrument.health import Check, Health
from observability.instrument.logs import Log, capture_libraries
from observability.instrument.metrics import Meter
from observability.instrument.middleware import Telemetry, touch_routes
from observability.instrument.runtime import watch_event_loop
from observability.instrument.tracing import Tracer

# How long requests that have begun may take to finish once the listener is closed.
FINISH_SECONDS = 10
Create = Callable[[Meter, Log], tuple[Starlette, dict[str, Check]]]


class Server(uvicorn.Server):
    """Stops in two steps: readiness fails while requests are still served, then the rest."""

    def __init__(
        self, config: uvicorn.Config, meter: Meter, health: Health, drain_seconds: float
    ) -> None:
        super().__init__(config)
        self._meter = meter
        self._health = health
        self._drain_seconds = drain_seconds
        self._stop_at: float | None = None

    async def main_loop(self) -> None:
        """Serve, and watch how well the event loop keeps time."""
        watcher = asyncio.create_task(watch_event_loop(self._meter))
        try:
            await super().main_loop()
        finally:
            watcher.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain, then stop. Second: stop now."""
        if self._stop_at is None:
            self._health.draining = True
            self._stop_at = time.monotonic() + self._drain_seconds
        else:
            self._stop_at = time.monotonic()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether it is time to stop."""
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            return True
        return await super().on_tick(counter)


def run(service: str, settings: ServerSettings, create: Create) -> None:
    """Serve until told to stop. Exits with status 1, and a plain line, if the port is taken."""
    meter = Meter(service)
    meter.add_process_metrics()
    meter.set(catalog.BUILD_INFO, 1, VERSION)
    log = Log(settings.log, meter)
    capture_libraries(log)
    app, checks = create(meter, log)
    served = touch_routes(app, meter)
    tracer = Tracer(settings.trace, meter, log, VERSION)
    health = Health(Telemetry(app, meter, log, tracer, served), meter)
    for name, check in checks.items():
        health.add(name, check)
    spare_the_collector()
    log.info("startup", version=VERSION, address=f"{settings.host}:{settings.port}")
    try:
        Server(config(health, settings, meter, log), meter, health, settings.drain_seconds).run()
    finally:
        tracer.close()
        log.info("shutdown")
        log.close()


def spare_the_collector() -> None:
    """What is there at the start stays: looking through all of it again and again for garbage
    would hold up requests for milliseconds each time. Nothing that a request makes is a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def config(app: ASGIApp, settings: ServerSettings, meter: Meter, log: Log) -> uvicorn.Config:
    """How uvicorn serves ``app``."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=limits.protocol(settings.limits, meter, log),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
