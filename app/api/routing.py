"""From a path to its handler, with nothing in between that a request does not need.

Starlette wraps an application in a layer for what nobody caught, one for exceptions with handlers,
and each endpoint in the second once more; every message to the client passes all three. Here an
endpoint answers its own problems, what nobody caught is the telemetry's business anyway, and paths
without parameters are looked up rather than tried one after the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import responses
from app.problems import Problem

Handler = Callable[[Request], Awaitable[Response]]


class Resource:
    """What answers at one path, by method."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say what the problem is."""
        try:
            response = await self._handlers[scope["method"]](Request(scope, receive))
        except Problem as problem:
            response = responses.problem(problem)
        await response(scope, receive, send)


def resource(path: str, **handlers: Handler) -> Route:
    """The route of ``path``; ``handlers`` by method: ``get``, ``post``, ``put``, ``delete``.

    One route a path, whatever its methods: a wrong one is answered with all that are right.
    """
    by_method = {method.upper(): handler for method, handler in handlers.items()}
    if "GET" in by_method:
        by_method["HEAD"] = by_method["GET"]
    return Route(path, Resource(by_method), methods=list(by_method))


class Application(Starlette):
    """Starlette's application without the layers that ``Resource`` makes superfluous."""

    def build_middleware_stack(self) -> ASGIApp:
        """The router, behind a table of the paths that have no parameters."""
        fixed = {r.path: r for r in self.routes if isinstance(r, Route) and "{" not in r.path}
        router = self.router

        async def find(scope: Scope, receive: Receive, send: Send) -> None:
            route = fixed.get(scope["path"]) if scope["type"] == "http" else None
            if route and route.methods and scope["method"] in route.methods:
                scope["route"] = route
                scope["path_params"] = {}
                await route.app(scope, receive, send)
                return
            try:
                await router(scope, receive, send)
            except HTTPException as refusal:  # no such path, or not with this method
                await responses.refused(refusal)(scope, receive, send)

        return find
