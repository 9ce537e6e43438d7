"""Logs unhandled exceptions and responds with 500."""

from __future__ import annotations

import json
import traceback

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from observability.instrument import context
from observability.instrument.context import CLIENT_CLOSED
from observability.instrument.logs import Log


class Unhandled:
    """Middleware that lets no exception pass."""

    def __init__(self, app: ASGIApp, log: Log) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; everything but HTTP passes through unchanged."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            if request := context.current():
                request.status = CLIENT_CLOSED
        except Exception as error:
            what = f"{type(error).__name__} while serving a request"
            stack = traceback.format_exc()
            self._log.error("unhandled", what, error=str(error), stack=stack)
            if not begun:
                context.failed(error)
                await _answer(send)
            elif request := context.current():
                request.status = 500  # the response is incomplete


async def _answer(send: Send) -> None:
    body = {"status": 500, "error_msg": "Internal Server Error", "request_id": context.request_id()}
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
