"""Cancels work whose client has disconnected."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from app.problems import ClientClosedRequest

T = TypeVar("T")


async def cancel_on_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of ``work``; cancel it when the client disconnects.

    Raises ClientClosedRequest then. The request's body must have been read: what ASGI delivers
    after it can only be the disconnect.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_end(request))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientClosedRequest
        return working.result()
    finally:
        gone.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait((working,))
        if not working.cancelled():
            working.exception()  # mark it as retrieved


async def _end(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
