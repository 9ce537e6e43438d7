"""Work that ends when its client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from app.problems import ClientClosedRequest

T = TypeVar("T")


async def cancel_on_disconnect(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives; it is cancelled when the client hangs up. Raises ClientClosedRequest then.

    To be used once the request's body is read: what comes after it can only be the end.
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
            working.exception()  # nobody is left to hear of it


async def _end(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
