"""Liveness, readiness and metrics endpoints; not counted as requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from observability import catalog
from observability.instrument.metrics import Meter

# A check returns None if it succeeds, else one short sentence.
Check = Callable[[], Awaitable[str | None]]
CHECK_SECONDS = 1.0


class Health:
    """Serves ``/healthz``, ``/readyz`` and ``/metrics`` in front of an application."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        self._app = app
        self._meter = meter
        self._checks: dict[str, Check] = {}
        self.draining = False

    def add(self, name: str, check: Check) -> None:
        """Make readiness depend on ``check``."""
        self._checks[name] = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the three paths; pass everything else on."""
        answer = _ANSWERS.get(scope["path"]) if scope["type"] == "http" else None
        if answer is None or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        status, content_type, body = await answer(self, scope)
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(
            {"type": "http.response.body", "body": body if scope["method"] == "GET" else b""}
        )

    async def ready(self) -> tuple[bool, dict[str, str]]:
        """Return whether this replica should get requests, and the result of each check."""
        results = {name: await self._run(check) for name, check in self._checks.items()}
        if self.draining:
            results["shutdown"] = "draining"
        good = all(result == "ok" for result in results.values())
        self._meter.set(catalog.READY, good)
        return good, results

    async def _run(self, check: Check) -> str:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                return await check() or "ok"
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:g} s"

    async def _healthz(self, scope: Scope) -> tuple[int, str, bytes]:
        return 200, "application/json", b'{"status":"ok"}'

    async def _readyz(self, scope: Scope) -> tuple[int, str, bytes]:
        good, results = await self.ready()
        body = {"status": "ok" if good else "unavailable", "checks": results}
        return 200 if good else 503, "application/json", json.dumps(body).encode()

    async def _metrics(self, scope: Scope) -> tuple[int, str, bytes]:
        accept = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"accept"), "")
        await self.ready()
        body, content_type = self._meter.render(accept)
        return 200, content_type, body


_ANSWERS: dict[str, Callable[[Health, Scope], Awaitable[tuple[int, str, bytes]]]] = {
    "/healthz": Health._healthz,
    "/readyz": Health._readyz,
    "/metrics": Health._metrics,
}
