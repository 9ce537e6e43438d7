"""The outermost layer of both services: request id, metrics, access log, last line of defence."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Awaitable
from time import perf_counter, time_ns
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability import catalog, context
from observability.access import Access, Kind
from observability.catalog import Attribute
from observability.context import Attributes, Call, RequestContext
from observability.logs import Log
from observability.metrics import Meter
from observability.tracing import ERROR_STATUS, Tracer

_UNMATCHED = catalog.UNMATCHED
# The client closed the connection before it had its answer (nginx's number for it).
CLIENT_CLOSED = 499
OTHER = "other"  # a method that nobody serves
OTHER_METHOD = "_OTHER"  # OpenTelemetry's word for a method that is none
# What handlers noted for the line, and the span tells as well.
_NOTED = {"action": Attribute.ACTION, "outcome": Attribute.OUTCOME}
_CONVERTER = re.compile(r":\w+}")
Served = tuple[str, str]  # method and route
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Series(NamedTuple):
    """What is recorded of a method, a route and a status: a counter, a histogram, a line."""

    requests: Any
    duration: Any
    line: Kind


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
        request_id = traceparent = ""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value.decode("latin-1")
            elif name == b"traceparent":
                traceparent = value.decode("latin-1")
        request = context.enter(request_id)
        self._tracer.begin(request, traceparent)
        scope.setdefault("state", {})["request_id"] = request.request_id
        answer = _Answer(send, request.request_id)
        self._in_progress += 1
        started = perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = CLIENT_CLOSED
        except Exception as error:
            answer.status, answer.error = 500, type(error).__name__
            self._log.error(
                "unhandled",
                f"{type(error).__name__} while serving a request",
                error=str(error),
                stack=traceback.format_exc(),
            )
            await answer.fail()
        finally:
            self._in_progress -= 1
            self._record(scope, request, answer, perf_counter() - started)

    def _record(
        self, scope: Scope, request: RequestContext, answer: _Answer, seconds: float
    ) -> None:
        series = self._of(scope, answer.status)
        series.requests.inc()
        ended = time_ns()
        exemplar = None
        if seconds >= request.kept_from or answer.status >= ERROR_STATUS:
            why = self._tracer.why(request, seconds, answer.status)
            if why and self._tracer.keep(
                request, _span(scope, request, answer, ended, seconds, why)
            ):
                exemplar = {"trace_id": request.trace_id}
        series.duration.observe(seconds, exemplar)
        self._log.request(Access(ended, series.line, request, seconds, answer.size))

    def _of(self, scope: Scope, status: int) -> Series:
        """What to record on; made when a method, a route and a status are seen first."""
        route = scope.get("route")
        key = (scope["method"], route.path if route else "", status)
        return self._series.get(key) or self._make(scope, key)

    def _make(self, scope: Scope, key: tuple[str, str, int]) -> Series:
        method, labels = scope["method"], self._labels(scope)
        line = Kind(
            self._meter.service, method if method in METHODS else OTHER, template(scope), key[2]
        )
        series = Series(
            self._meter.bind(catalog.HTTP_REQUESTS, *labels, str(key[2])),
            self._meter.bind(catalog.HTTP_DURATION, *labels),
            line,
        )
        if method in METHODS:  # a client can think of any number of others
            self._series[key] = series
        return series

    def _labels(self, scope: Scope) -> Served:
        """Method and route as metrics have them: what is served, and one more for all the rest."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        served = (method, template(scope))
        return served if served in self._served else (OTHER, _UNMATCHED)


def _span(
    scope: Scope,
    request: RequestContext,
    answer: _Answer,
    ended: int,
    seconds: float,
    why: str,
) -> Call:
    """The notes of which the request's own span is made."""
    method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
    route = template(scope)
    attributes: Attributes = {
        Attribute.METHOD: method,
        Attribute.ROUTE: route,
        Attribute.STATUS: answer.status,
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
    if answer.status >= ERROR_STATUS:
        call.error = answer.error or str(answer.status)
    return call


class _Answer:
    """Watches what is sent: the status, the size, and whether it has begun."""

    __slots__ = ("_header", "_id", "_send", "error", "size", "started", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self._header = (b"x-request-id", request_id.encode("ascii"))
        self.status = CLIENT_CLOSED
        self.error = ""
        self.started = False
        self.size = 0

    def send(self, message: Message) -> Awaitable[None]:
        """Look at it in passing: no coroutine of its own."""
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), self._header]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        return self._send(message)

    async def fail(self) -> None:
        """Answer 500 unless an answer has begun."""
        if self.started:
            return
        headers = [(b"content-type", b"application/json")]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        about = {"status": 500, "error_msg": "Internal Server Error", "request_id": self._id}
        body = json.dumps(about).encode()
        await self.send({"type": "http.response.body", "body": body})


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
