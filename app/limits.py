"""Limits for the size and time of a request's body and of its response.

uvicorn reads the request line and headers before any of our code runs: nginx, in front of both
services, limits their size and time (large_client_header_buffers, client_header_timeout).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE = 64 * 1024  # bytes; as much as uvicorn buffers before it waits for the client
LIST_BYTES = 2 * 1024**2  # of JSON: ten thousand messages of the usual length fit
CLOSE = {"Connection": "close"}  # the rest of the body is not worth waiting for


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes for a request's body, seconds for a response's body.

    ``answer_bytes``: what all responses that are being read, and are larger than ``PIECE``, may
    hold together.
    """

    body_seconds: float
    body_bytes: int
    write_seconds: float = 20
    answer_bytes: int = 32 * 1024**2


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
    """Limits slow readers: the time of each, and the bytes of all together.

    A large response is sent in pieces: uvicorn waits before each until the client has read enough,
    and buffers one piece rather than the whole response. The response itself stays in memory until
    then, so where there are too many of them already the answer is 503, at once.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._seconds, self._free = app, limits.write_seconds, limits.answer_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; everything but HTTP passes through unchanged."""
        held, refused = 0, False

        async def limited(message: Message) -> None:
            nonlocal held, refused
            if message["type"] == "http.response.start":
                held = _large(message)
                refused = held > self._free
                self._free -= 0 if refused else held
            if not refused:
                await self._in_pieces(message, send)
            elif message["type"] == "http.response.start":
                await _BUSY(scope, receive, send)

        try:
            await self._app(scope, receive, limited if scope["type"] == "http" else send)
        finally:
            self._free += 0 if refused else held

    async def _in_pieces(self, message: Message, send: Send) -> None:
        body = message.get("body", b"")
        if len(body) <= PIECE:
            await send(message)
            return
        async with asyncio.timeout(self._seconds):
            for start in range(0, len(body), PIECE):
                more = message.get("more_body", False) or start + PIECE < len(body)
                piece = body[start : start + PIECE]
                await send({**message, "body": piece, "more_body": more})


_BUSY = JSONResponse(
    {"status": 503, "error_msg": "Too many large answers are being read; try again later"},
    503,
    {"Retry-After": "1"},
)


def _large(start: Message) -> int:
    """Return the bytes of the response that ``start`` begins; 0 in one piece."""
    size = int(dict(start.get("headers", ())).get(b"content-length", 0))
    return size if size > PIECE else 0


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
