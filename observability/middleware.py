"""The outermost layer of both services: request id, metrics, access log, last line of defence."""

from __future__ import annotations

import json
import re
import traceback
from time import perf_counter, time_ns
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability import catalog, context
from observability.catalog import Attribute
from observability.context import Attributes, Call
from observability.logs import Log
from observability.metrics import Meter
from observability.tracing import ERROR_STATUS, Tracer

_UNMATCHED = catalog.UNMATCHED
# The client closed the connection before it had its answer (nginx's number for it).
CLIENT_CLOSED = 499
# By the hundreds of the status: the level and the event of the request's line.
_KINDS = {4: ("warning", "invalid_request"), 5: ("error", "request")}
OTHER = "other"  # a method that nobody serves
OTHER_METHOD = "_OTHER"  # OpenTelemetry's word for a method that is none
# What handlers noted for the line, and the span tells as well.
_NOTED = {"action": Attribute.ACTION, "outcome": Attribute.OUTCOME}
_CONVERTER = re.compile(r":\w+}")
Served = tuple[str, str]  # method and route
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


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
        self._in_progress = 0
        meter.watch(catalog.HTTP_IN_PROGRESS, lambda: self._in_progress)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = context.enter(_header(scope, b"x-request-id"))
        self._tracer.begin(request, _header(scope, b"traceparent"))
        scope.setdefault("state", {})["request_id"] = request.request_id
        answer = _Answer(send, request.request_id)
        self._in_progress += 1
        began, started = time_ns(), perf_counter()
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
            self._record(scope, request, answer, began, perf_counter() - started)

    def _record(
        self,
        scope: Scope,
        request: context.RequestContext,
        answer: _Answer,
        began: int,
        seconds: float,
    ) -> None:
        labels = self._labels(scope)
        self._meter.count(catalog.HTTP_REQUESTS, *labels, str(answer.status))
        why = self._tracer.why(request, seconds, answer.status)
        kept = why and self._tracer.keep(
            request, _span(scope, request, answer, began, seconds, why)
        )
        exemplar = {"trace_id": request.trace_id} if kept else None
        self._meter.observe(catalog.HTTP_DURATION, seconds, *labels, exemplar=exemplar)
        fields: dict[str, Any] = {
            "method": scope["method"] if scope["method"] in METHODS else OTHER,
            "route": template(scope),
            "status": answer.status,
            "duration_ms": round(seconds * 1000, 3),
            "bytes": answer.size,
            **request.fields,
        }
        if request.db_seconds:
            fields["db_ms"] = round(request.db_seconds * 1000, 3)
        level, event = _KINDS.get(answer.status // 100, ("info", "request"))
        self._log.write(level, event, "", fields)

    def _labels(self, scope: Scope) -> Served:
        """Method and route as metrics have them: what is served, and one more for all the rest."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        served = (method, template(scope))
        return served if served in self._served else (OTHER, _UNMATCHED)


def _span(
    scope: Scope,
    request: context.RequestContext,
    answer: _Answer,
    began: int,
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
    if answer.status >= ERROR_STATUS:
        attributes[Attribute.ERROR_TYPE] = answer.error or str(answer.status)
    for name, attribute in _NOTED.items():
        if name in request.fields:
            attributes[attribute] = str(request.fields[name])
    ended = began + round(seconds * 1e9)
    return Call(f"{method} {route}", request.span_id, began, ended, attributes)


class _Answer:
    """Watches what is sent: the status, the size, and whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self._header = (b"x-request-id", request_id.encode("ascii"))
        self.status = CLIENT_CLOSED
        self.error = ""
        self.started = False
        self.size = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), self._header]
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

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


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""
