"""Routes of the API: one for each path, with all its methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import deadline

Admit = Callable[[], None]
Handler = Callable[[Request], Awaitable[Response]]


class Resource:
    """The handlers of one path, by method; ``admit`` raises if it is overloaded."""

    def __init__(self, handlers: dict[str, Handler], admit: Admit) -> None:
        self._handlers, self._admit = handlers, admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond within the caller's deadline; exception handlers turn problems into responses."""
        self._admit()
        request = Request(scope, receive)
        async with deadline.kept(request):
            response = await self._handlers[scope["method"]](request)
        await response(scope, receive, send)


def resource(path: str, admit: Admit, **handlers: Handler) -> Route:
    """Return the route of ``path``; ``handlers`` by method: ``get``, ``post``, ``put``, ``delete``.

    One route for each path lets a wrong method be answered with all allowed ones.
    """
    by_method = {method.upper(): handler for method, handler in handlers.items()}
    if "GET" in by_method:
        by_method["HEAD"] = by_method["GET"]
    return Route(path, Resource(by_method, admit), methods=list(by_method))
