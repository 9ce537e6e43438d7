"""api with stock instrumentation, as the documentation of each library shows it. For comparison.

The same application, server and limits as ours, without our telemetry, and instead: OpenTelemetry's
ASGI middleware as it comes, its SDK sampling 5 %, a span for each statement, a counter and a
histogram of prometheus-client for requests and a histogram for statements, and a line of JSON for
each request by standard logging through a queue.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import queue
import time
from collections.abc import Mapping
from typing import Any

import uvicorn
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import server, settings
from app.api import application
from app.database.pool import Database, Row, Statement
from observability import catalog
from observability.instrument.health import Health
from observability.instrument.routes import template
from tests.bench.unobserved import NoLog, NoMeter

REQUESTS = Counter("stock_requests_total", "Requests.", ["method", "route", "status"])
DURATION = Histogram(
    "stock_request_duration_seconds", "Requests.", ["method", "route"],
    buckets=catalog.DURATION_BUCKETS,
)  # fmt: skip
IN_PROGRESS = Gauge("stock_requests_in_progress", "Requests.")
QUERY = Histogram(
    "stock_query_duration_seconds", "Statements.", ["query"], buckets=catalog.QUERY_BUCKETS
)
log = logging.getLogger("stock")


class JsonFormatter(logging.Formatter):
    """A record as an object, with the ids of the span that was current."""

    def format(self, record: logging.LogRecord) -> str:
        known = {"ts": self.formatTime(record), "level": record.levelname.lower(), "service": "api"}
        return json.dumps(known | {"message": record.getMessage()} | getattr(record, "fields", {}))


class Observe:
    """Metrics and the line of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with IN_PROGRESS.track_inprogress():
                await self._app(scope, receive, watch)
        finally:
            seconds, route = time.perf_counter() - started, template(scope)
            span = trace.get_current_span().get_span_context()
            trace_id = trace.format_trace_id(span.trace_id)
            exemplar = {"trace_id": trace_id} if span.trace_flags.sampled else None
            REQUESTS.labels(scope["method"], route, status).inc()
            DURATION.labels(scope["method"], route).observe(seconds, exemplar)
            fields = {
                "method": scope["method"], "route": route, "status": status,
                "duration_ms": round(seconds * 1000, 3), "trace_id": trace_id,
                "span_id": trace.format_span_id(span.span_id),
            }  # fmt: skip
            log.info("request", extra={"fields": fields})


def instrument_statements() -> None:
    """A span and an observation for each, as an instrumentation of the driver makes them."""
    plain, tracer = Database.first, trace.get_tracer("stock")

    async def first(
        self: Database, statement: Statement, parameters: Mapping[str, object]
    ) -> Row | None:
        attributes = {"db.system.name": "postgresql", "db.query.summary": statement.name}
        with (
            tracer.start_as_current_span(statement.name, None, SpanKind.CLIENT, attributes),
            QUERY.labels(statement.name).time(),
        ):
            return await plain(self, statement, parameters)

    Database.first = first  # type: ignore[method-assign]


def log_to(path: str) -> logging.handlers.QueueListener:
    """Lines are written by a thread."""
    file = logging.FileHandler(path)
    file.setFormatter(JsonFormatter())
    records: queue.Queue[Any] = queue.Queue(10_000)
    log.addHandler(logging.handlers.QueueHandler(records))
    log.setLevel(logging.INFO)
    log.propagate = False
    return logging.handlers.QueueListener(records, file)


def main() -> None:
    env = settings.Environment(os.environ)
    shared = settings.server(env, 5001)
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(0.05), resource=Resource.create({"service.name": "api"})
    )
    if shared.trace.endpoint:
        exporter = OTLPSpanExporter(shared.trace.endpoint + "/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    instrument_statements()
    listener = log_to(os.environ["LOG_FILE"])
    listener.start()
    meter = NoMeter()
    app, database = application.create(settings.api(env), meter, NoLog())
    inner = Observe(server.protected(app, shared))
    health = Health(OpenTelemetryMiddleware(inner), meter)
    health.add("database", database.check)
    server.spare_the_collector()
    uvicorn.Server(server.config(health, shared)).run()
    listener.stop()


if __name__ == "__main__":
    main()
