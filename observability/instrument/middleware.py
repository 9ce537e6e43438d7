"""The outermost layer of both services: request id, metrics, access log, last line of defence."""

from __future__ import annotations

import json
import re
import traceback
from time import perf_counter, time_ns
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from observability import catalog
from observability.catalog import Attribute
from observability.instrument import context
from observability.instrument.access import Kind
from observability.instrument.context import CLIENT_CLOSED, Attributes, Call, RequestContext
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter, QuickHistogram, Tally
from observability.instrument.tracing import ERROR_STATUS, Tracer

_UNMATCHED = catalog.UNMATCHED
OTHER = "other"  # a method that nobody serves
OTHER_METHOD = "_OTHER"  # OpenTelemetry's word for a method that is none
# What handlers noted for the line, and the span tells as well.
_NOTED = {"action": Attribute.ACTION, "outcome": Attribute.OUTCOME}
_CONVERTER = re.compile(r":\w+}")
Served = tuple[str, str]  # method and route
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Series(NamedTuple):
    """What is recorded of a method, a route and a status: a counter's tally, a histogram, a line
    (and whether such lines are wanted)."""

    requests: Tally
    duration: QuickHistogram
    line: Kind
    logged: bool


class Telemetry:
    """Wraps a whole Starlette application, so that it also sees what failed inside it."""

    def __init__(
        self, app: ASGIApp, meter: Meter, log: Log, tracer: Tracer, served: frozenset[Served]
    ) -> None:
        self._app = app
        self._served = served
        self._meter = meter
        self._log = log
        self._tracer = tracer
        self._series: dict[tuple[str, str, int], Series] = {}
        self._in_progress = 0
        meter.watch(catalog.HTTP_IN_PROGRESS, lambda: self._in_progress)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request = context.enter(headers.get(b"x-request-id"), send)
        self._tracer.begin(request, headers.get(b"traceparent"))
        self._in_progress += 1
        started = perf_counter()
        try:
            await self._app(scope, receive, request.send)
        except ClientDisconnect:
            request.status = CLIENT_CLOSED
        except Exception as error:
            request.error = type(error).__name__
            self._log.error(
                "unhandled",
                f"{type(error).__name__} while serving a request",
                error=str(error),
                stack=traceback.format_exc(),
            )
            await _fail(request)
        finally:
            self._in_progress -= 1
            request.done()
            self._record(scope, request, perf_counter() - started)

    def _record(self, scope: Scope, request: RequestContext, seconds: float) -> None:
        ended = time_ns()
        route = scope.get("route")
        key = (scope["method"], route.path if route else "", request.status)
        series = self._series.get(key) or self._make(scope, key)
        series.requests.own += 1
        exemplar = None
        if seconds >= request.kept_from or request.status >= ERROR_STATUS:
            why = self._tracer.why(request, seconds, request.status)
            if why and self._tracer.keep(request, _span(scope, request, ended, seconds, why)):
                exemplar = {"trace_id": request.trace_id}
        series.duration.observe(seconds, exemplar)
        if series.logged:
            self._log.request((ended, series.line, request, seconds, request.size))

    def _make(self, scope: Scope, key: tuple[str, str, int]) -> Series:
        """What to record on, when a method, a route and a status are seen first."""
        method, labels = scope["method"], self._labels(scope)
        line = Kind(
            self._meter.service, method if method in METHODS else OTHER, template(scope), key[2]
        )
        series = Series(
            self._meter.bind(catalog.HTTP_REQUESTS, *labels, str(key[2])).tally,
            self._meter.bind(catalog.HTTP_DURATION, *labels),
            line,
            self._log.wants(line.level),
        )
        if method in METHODS:  # a client can think of any number of others
            self._series[key] = series
        return series

    def _labels(self, scope: Scope) -> Served:
        """Method and route as metrics have them: what is served, and one more for all the rest."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        served = (method, template(scope))
        return served if served in self._served else (OTHER, _UNMATCHED)


def _span(scope: Scope, request: RequestContext, ended: int, seconds: float, why: str) -> Call:
    """The notes of which the request's own span is made."""
    method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
    route = template(scope)
    attributes: Attributes = {
        Attribute.METHOD: method,
        Attribute.ROUTE: route,
        Attribute.STATUS: request.status,
        Attribute.SCHEME: scope["scheme"],
        Attribute.REQUEST_ID: request.request_id,
        Attribute.DB_SECONDS: round(request.db_seconds, 6),
        Attribute.KEPT: why,
    }
    for name, attribute in _NOTED.items():
        if name in request.fields:
            attributes[attribute] = str(request.fields[name])
    call = Call(f"{method} {route}", attributes, request.span_id)
    call.started, call.ended = ended - round(seconds * 1e9), ended
    if request.status >= ERROR_STATUS:
        call.error = request.error or str(request.status)
    return call


async def _fail(request: RequestContext) -> None:
    """Answer 500 unless an answer has begun."""
    if request.status == CLIENT_CLOSED:
        headers = [(b"content-type", b"application/json")]
        await request.send({"type": "http.response.start", "status": 500, "headers": headers})
        about = {
            "status": 500,
            "error_msg": "Internal Server Error",
            "request_id": request.request_id,
        }
        await request.send({"type": "http.response.body", "body": json.dumps(about).encode()})
    request.status = 500


def template(scope: Scope) -> str:
    """The route's template without converters (``/msgs/{username}``), never the path itself."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return _plain(path) if path else _UNMATCHED


def _plain(path: str) -> str:
    return _CONVERTER.sub("}", path)


def touch_routes(app: Starlette, meter: Meter) -> frozenset[Served]:
    """What is served. Makes its children, so that a first request is seen by ``rate()``."""
    served = routes(app.routes)
    for method, path in served:
        meter.touch(catalog.HTTP_DURATION, method, path)
        meter.touch(catalog.HTTP_REQUESTS, method, path, "200")
    return frozenset(served)


def routes(declared: list[BaseRoute]) -> list[Served]:
    """(method, template) of each route; a mount is one template of its own."""
    found = []
    for route in declared:
        if isinstance(route, Route):
            methods = (route.methods or set()) - {"HEAD"}
            found += [(method, _plain(route.path)) for method in sorted(methods)]
        elif isinstance(route, Mount):
            found.append(("GET", _plain(route.path)))
    return found
