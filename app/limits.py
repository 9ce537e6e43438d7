"""How large a request's body may be, and how long it may take to arrive.

The head of a request is read by uvicorn before any of our code runs: its size and its time are
limited by nginx, in front of both services (large_client_header_buffers, client_header_timeout).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLOSE = {"Connection": "close"}  # the rest of the body is not worth waiting for


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes for the body of a request."""

    body_seconds: float
    body_bytes: int


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
