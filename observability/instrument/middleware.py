"""The outermost middleware of both services: request id, metrics and request log line."""

from __future__ import annotations

from time import perf_counter, time_ns
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability import catalog
from observability.instrument import context
from observability.instrument.context import RequestContext
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter
from observability.instrument.routes import METHODS, OTHER, Served, template
from observability.instrument.tail_sampling import TailSampling

# status or its class → level and event of the request log line
LINES = {
    context.CLIENT_CLOSED: ("warning", "request"),  # the client gave up; it sent nothing invalid
    4: ("warning", "invalid_request"),
    5: ("error", "request"),
}


class Telemetry:
    """Middleware around the whole application, so that it also sees failures inside it."""

    def __init__(
        self,
        app: ASGIApp,
        meter: Meter,
        log: Log,
        served: frozenset[Served],
        tail_sampling: TailSampling | None = None,
    ) -> None:
        self._app, self._meter, self._log = app, meter, log
        self._served, self._tail_sampling = served, tail_sampling
        self._series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._in_progress = meter.bind(catalog.HTTP_IN_PROGRESS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; everything but HTTP passes through unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = context.enter(_offered(scope))

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.body":
                request.size += len(message.get("body", b""))
            elif message["type"] == "http.response.start":
                request.status = message["status"]
                header = (b"x-request-id", request.request_id.encode())
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)

        self._in_progress.inc()
        when, started = time_ns(), perf_counter()
        try:
            await self._app(scope, receive, observe)
        finally:
            self._in_progress.dec()
            self._record(scope, request, when, perf_counter() - started)

    def _record(self, scope: Scope, request: RequestContext, started: int, seconds: float) -> None:
        """Record count, duration, log line, and a trace if it is sampled."""
        route = template(scope)
        traced = False
        if self._tail_sampling:
            traced = self._tail_sampling.finish(scope, request, started, seconds)
        requests, duration = self._bound(scope["method"], route, request.status)
        requests.inc()
        duration.observe(seconds, {"trace_id": request.trace_id} if traced else None)
        status = request.status
        level, event = LINES.get(status) or LINES.get(status // 100, ("info", "request"))
        fields: dict[str, Any] = {
            "method": scope["method"] if scope["method"] in METHODS else OTHER,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "bytes": request.size,
            **request.fields,
        }
        if request.db_seconds:
            fields["db_ms"] = round(request.db_seconds * 1000, 3)
        self._log.write(level, event, "", fields)

    def _bound(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Return the children of a method, a route and a status, cached."""
        key = (method, route, status)
        found = self._series.get(key)
        if found is None:
            served = ("GET" if method == "HEAD" else method, route)
            labels = served if served in self._served else (OTHER, catalog.UNMATCHED)
            found = (
                self._meter.bind(catalog.HTTP_REQUESTS, *labels, str(status)),
                self._meter.bind(catalog.HTTP_DURATION, *labels),
            )
            if method in METHODS:  # clients may send any number of others
                self._series[key] = found
        return found


def _offered(scope: Scope) -> bytes | None:
    """Return the caller's request id, if any."""
    return next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
