"""The outermost layer of both services: request id, metrics, access log, last line of defence."""

from __future__ import annotations

import traceback
from time import perf_counter
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability import catalog, context
from observability.logs import Log
from observability.metrics import Meter

_UNMATCHED = catalog.UNMATCHED
# The client closed the connection before it had its answer (nginx's number for it).
CLIENT_CLOSED = 499
# By the hundreds of the status: the level and the event of the request's line.
_KINDS = {4: ("warning", "invalid_request"), 5: ("error", "request")}
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Telemetry:
    """Wraps a whole Starlette application, so that it also sees what failed inside it."""

    def __init__(self, app: ASGIApp, meter: Meter, log: Log) -> None:
        self._app = app
        self._meter = meter
        self._log = log
        self._in_progress = 0
        meter.watch(catalog.HTTP_IN_PROGRESS, lambda: self._in_progress)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = context.enter(_header(scope, b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request.request_id
        answer = _Answer(send, request.request_id)
        self._in_progress += 1
        started = perf_counter()
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = CLIENT_CLOSED
        except Exception as error:
            answer.status = 500
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
        self, scope: Scope, request: context.RequestContext, answer: _Answer, seconds: float
    ) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = template(scope)
        self._meter.count(catalog.HTTP_REQUESTS, method, route, str(answer.status))
        self._meter.observe(catalog.HTTP_DURATION, seconds, method, route)
        fields: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": answer.status,
            "duration_ms": round(seconds * 1000, 3),
            "bytes": answer.size,
            **request.fields,
        }
        if request.db_seconds:
            fields["db_ms"] = round(request.db_seconds * 1000, 3)
        level, event = _KINDS.get(answer.status // 100, ("info", "request"))
        self._log.write(level, event, "", fields)


class _Answer:
    """Watches what is sent: the status, the size, and whether it has begun."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._header = (b"x-request-id", request_id.encode("ascii"))
        self.status = CLIENT_CLOSED
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
        body = b'{"status":500,"error_msg":"Internal Server Error"}'
        await self.send({"type": "http.response.body", "body": body})


def template(scope: Scope) -> str:
    """The route's template without converters (``/msgs/{username}``), never the path itself."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    return _plain(path) if path else _UNMATCHED


def _plain(path: str) -> str:
    return path.replace(":path}", "}").replace(":int}", "}")


def touch_routes(app: Starlette, meter: Meter) -> None:
    """Make the children of every route, so that its first request is seen by ``rate()``."""
    for method, path in routes(app.routes):
        meter.touch(catalog.HTTP_DURATION, method, path)
        meter.touch(catalog.HTTP_REQUESTS, method, path, "200")


def routes(declared: list[BaseRoute]) -> list[tuple[str, str]]:
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
