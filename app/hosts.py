"""Checks the Host header, and keeps it out of responses."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Hosts:
    """Responds 400 to a repeated or missing Host; makes redirects to the own host relative.

    nginx decides which hosts are known.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; everything but HTTP passes through unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) > 1 or (not hosts and scope["http_version"] != "1.0"):
            refusal = JSONResponse(
                {"status": 400, "error_msg": "There must be one Host header"}, 400
            )
            await refusal(scope, receive, send)
            return
        own = tuple(scheme + b"://" + host for scheme in (b"http", b"https") for host in hosts)

        async def relative(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, _path(value, own) if name == b"location" else value)
                    for name, value in message.get("headers", ())
                ]
            await send(message)

        await self._app(scope, receive, relative)


def _path(location: bytes, own: tuple[bytes, ...]) -> bytes:
    """Return the path of one of our URLs; a double slash would start another host."""
    for prefix in own:
        if location.startswith(prefix + b"/"):
            return b"/" + location[len(prefix) :].lstrip(b"/")
    return location
