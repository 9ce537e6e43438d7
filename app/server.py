"""Runs one application in one process, instrumented from its first request to its last."""

from __future__ import annotations

import gc
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import VERSION
from app.draining import Draining
from app.hosts import Hosts
from app.limits import BodyLimits, WriteLimits
from app.settings import ServerSettings
from observability import catalog
from observability.instrument.health import Check, Health
from observability.instrument.instrument_app import instrument_app
from observability.instrument.logs import Log, capture_libraries
from observability.instrument.metrics import Meter
from observability.instrument.runtime import Runtime
from observability.instrument.tracing import Tracing

# How long requests that have begun may take to finish once the listener is closed.
FINISH_SECONDS = 10
# Connections that may wait to be accepted; the system of a client that comes then tries again after
# a second. The oldest are served first: with uvicorn's 2,048 an overloaded process would spend its
# time on clients that gave up long ago, and answer nobody in time, also when the load is over.
BACKLOG = 128
Create = Callable[[Meter, Log], tuple[Starlette, dict[str, Check]]]


def run(service: str, settings: ServerSettings, create: Create) -> None:
    """Serve until stopped; exit with status 1 if the port is taken."""
    meter = Meter(service)
    meter.add_process_metrics()
    meter.set(catalog.BUILD_INFO, 1, VERSION)
    log = Log(settings.log, meter)
    capture_libraries(log)
    app, checks = create(meter, log)
    tracing = Tracing(settings.trace, meter, log, VERSION, settings.port)
    inner = protected(app, settings)
    telemetry = instrument_app(
        app, inner, meter, log, tracing, settings.trace, settings.trusted_proxies
    )
    health = Health(telemetry, meter)
    for name, check in checks.items():
        health.add(name, check)
    spare_the_collector()
    log.info("startup", version=VERSION, address=f"{settings.host}:{settings.port}")
    try:
        serve(health, meter, settings)
    finally:
        tracing.close()
        log.info("shutdown")
        log.close()


def protected(app: ASGIApp, settings: ServerSettings) -> ASGIApp:
    """Wrap ``app`` in its limits and in the client address that a trusted proxy forwards.

    uvicorn's own layer for that would hide the peer's real address from the instrumentation.
    """
    limited = WriteLimits(Hosts(BodyLimits(app, settings.limits)), settings.limits)
    return ProxyHeadersMiddleware(limited, settings.trusted_proxies)  # type: ignore[arg-type, return-value]


def serve(health: Health, meter: Meter, settings: ServerSettings) -> None:
    """Serve ``health`` and the application behind it until a signal arrives."""
    draining = Draining(health, settings.drain_seconds)
    runtime = Runtime(health, meter, draining.listening)
    draining.run(uvicorn.Server(config(runtime, settings)))


def spare_the_collector() -> None:
    """Exclude the objects that exist at startup from garbage collection.

    Scanning them again and again would delay requests by milliseconds each time. A request creates
    no reference cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def config(app: ASGIApp, settings: ServerSettings) -> uvicorn.Config:
    """Return uvicorn's configuration for ``app``."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        backlog=BACKLOG,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
