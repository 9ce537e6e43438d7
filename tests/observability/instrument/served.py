"""A service of three routes inside this process: requests straight through ASGI."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from observability import catalog
from observability.instrument import recording
from observability.instrument.instrument_app import instrument_app
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter
from observability.instrument.tracing import TraceSettings, Tracing
from tests.collector import Collector, Span

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"
ALWAYS, NEVER = ("parentbased_always_on", "parentbased_always_off")


def exemplars(openmetrics: str, metric: str = "") -> list[str]:
    """The trace ids of all exemplars, or of those of one metric."""
    return re.findall(rf'^{metric}.*# \{{trace_id="([0-9a-f]{{32}})"\}}', openmetrics, re.MULTILINE)


def samples(meter: Meter, name: str) -> dict[tuple[str, ...], float]:
    text = meter.render("text/plain")[0].decode()
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


async def boom(request: Request) -> Response:
    with recording.span("a statement", {"db.query.summary": "a statement"}) as span:
        span.error = "statement"
    raise RuntimeError("secret text")


async def hello(request: Request) -> Response:
    with recording.span("a statement", {}):
        return PlainTextResponse("hello")


class Served:
    """A service of three routes, its log and its instruments."""

    def __init__(
        self, folder: Path, endpoint: str = "", sampler: str = ALWAYS, trusted: str = ""
    ) -> None:
        self.meter = Meter(catalog.WEB)
        self.file = folder / "web.log"
        self.log = Log(LogSettings(stdout=False, file=self.file), self.meter)
        settings = TraceSettings(endpoint, sampler)
        self.tracing = Tracing(settings, self.meter, self.log, "1.2.3", 5000)
        routes = [Route("/hello/{name:path}", hello), Route("/boom", boom), Route("/head", hello)]
        self.seen: list[dict[str, Any]] = []
        self._starlette = Starlette(routes=routes)
        self.app = instrument_app(
            self._starlette, self._look, self.meter, self.log, self.tracing, settings, trusted
        )

    async def _look(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        await self._starlette(scope, receive, send)

    def get(
        self,
        path: str,
        count: int = 1,
        headers: dict[str, str] | None = None,
        method: str = "GET",
        client: str = "127.0.0.1",
    ) -> list[dict[str, Any]]:
        """Send a request, ``count`` times; the messages of the last answer."""
        given = [(name.encode(), text.encode()) for name, text in (headers or {}).items()]
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": path,
            "raw_path": path.encode(), "query_string": b"secret=hush", "headers": given,
            "root_path": "", "scheme": "http", "server": ("test", 80), "client": (client, 1),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        async def run() -> None:
            for _ in range(count):
                sent.clear()
                await self.app(dict(scope), receive, send)

        asyncio.run(run())
        return sent

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """The samples of a metric by their labels' values."""
        return samples(self.meter, name)

    def spans(self) -> dict[str, float]:
        """How many spans were exported, dropped, limited."""
        return {key[0]: n for key, n in self.samples(catalog.TRACE_SPANS.name).items()}

    def lines(self) -> str:
        """The log."""
        return self.file.read_text() if self.file.exists() else ""

    def exemplars(self) -> list[str]:
        """The trace ids of all exemplars."""
        return exemplars(self.meter.render("application/openmetrics-text")[0].decode())

    def close(self) -> None:
        """End it, as the server does."""
        self.tracing.close()
        self.log.close()


def servers(collector: Collector) -> list[Span]:
    """Return the server spans that a collector has got."""
    return [span for span in collector.spans if span.kind == "server"]
