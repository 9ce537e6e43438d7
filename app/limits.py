"""Limits for the size and time of a request's body and of its response.

uvicorn reads the request line and headers before any of our code runs: nginx, in front of both
services, limits their size and time (large_client_header_buffers, client_header_timeout).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE = 64 * 1024  # bytes; as much as uvicorn buffers before it waits for the client
CLOSE = {"Connection": "close"}  # the rest of the body is not worth waiting for


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes for a request's body, seconds for a response's body."""

    body_seconds: float
    body_bytes: int
    write_seconds: float = 20


class BodyLimits:
    """Responds 408 to a body that arrives late, 413 to a large one."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; everything but HTTP passes through unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, _Body(receive, self._limits).receive, send)


class WriteLimits:
    """Closes the connection of a client that does not read its response in time.

    A large response is sent in pieces: uvicorn waits before each until the client has read enough,
    and buffers one piece rather than the whole response.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._seconds = app, limits.write_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; everything but HTTP passes through unchanged."""

        async def in_pieces(message: Message) -> None:
            body = message.get("body", b"")
            if len(body) <= PIECE:
                await send(message)
                return
            async with asyncio.timeout(self._seconds):
                for start in range(0, len(body), PIECE):
                    more = message.get("more_body", False) or start + PIECE < len(body)
                    piece = body[start : start + PIECE]
                    await send({**message, "body": piece, "more_body": more})

        await self._app(scope, receive, in_pieces if scope["type"] == "http" else send)


class _Body:
    """The body of one request as it arrives."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self._deadline = asyncio.get_running_loop().time() + limits.body_seconds
        self._size, self._complete = 0, False

    async def receive(self) -> Message:
        """Return the next message; the time limit ends with the last part of the body."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers=CLOSE) from None
        self._size += len(message.get("body", b""))
        if self._size > self._limits.body_bytes:
            raise HTTPException(413, headers=CLOSE)
        self._complete = not message.get("more_body", False)
        return message
