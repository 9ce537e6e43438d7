"""How large a request's body may be, how long it may take to arrive, and an answer to leave.

The head of a request is read by uvicorn before any of our code runs: its size and its time are
limited by nginx, in front of both services (large_client_header_buffers, client_header_timeout).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE = 64 * 1024  # bytes; as much as uvicorn keeps before it waits for the reader
CLOSE = {"Connection": "close"}  # the rest of the body is not worth waiting for


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes for the body of a request, seconds for the body of an answer."""

    body_seconds: float
    body_bytes: int
    write_seconds: float = 20


class BodyLimits:
    """Lets a handler that reads a body beyond the limits fail: 408 if late, 413 if too large."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, _Body(receive, self._limits).receive, send)


class WriteLimits:
    """Closes the connection of a client that does not read its answer in time.

    A large answer leaves in pieces: uvicorn waits before each until the client has read enough,
    and holds one piece rather than the whole where the client never does.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._seconds = app, limits.write_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; everything but HTTP passes through untouched."""

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
    """The body of one request, as it arrives."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive, self._limits = receive, limits
        self._deadline = asyncio.get_running_loop().time() + limits.body_seconds
        self._size, self._complete = 0, False

    async def receive(self) -> Message:
        """The next message; once the body is complete, whatever comes whenever it comes."""
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
