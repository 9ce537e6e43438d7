"""Request deadlines: one for each page, propagated with its calls to api.

The header carries the milliseconds left, as gRPC's does, because clocks of hosts differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from starlette.requests import Request

from app.problems import Unavailable
from observability.catalog import TIMEOUT_HEADER

_LONGEST_MS = 60_000
_until: ContextVar[float | None] = ContextVar("deadline", default=None)


def begin(seconds: float) -> float:
    """Return the seconds left for this request; start a deadline if it has none yet."""
    now = asyncio.get_running_loop().time()
    until = _until.get()
    if until is None:
        _until.set(until := now + seconds)
    return until - now


def left(most: float) -> float:
    """Return the seconds left, at most ``most``; ``most`` without a deadline."""
    until = _until.get()
    return most if until is None else min(most, until - asyncio.get_running_loop().time())


@asynccontextmanager
async def kept(request: Request) -> AsyncIterator[None]:
    """Cancel the block when the caller's deadline has passed. Raises Unavailable then."""
    text = request.headers.get(TIMEOUT_HEADER, "")
    if not (text.isascii() and text.isdigit()):
        yield
        return
    seconds = begin(min(int(text[:9]), _LONGEST_MS) / 1000)
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise Unavailable from None
        raise
