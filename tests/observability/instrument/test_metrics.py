"""The instruments: known children from the start, exemplars, what a request leaves behind."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Histogram
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from observability import catalog
from observability.instrument import context
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter, QuickHistogram
from observability.instrument.middleware import Telemetry, touch_routes
from observability.instrument.tracing import Tracer, TraceSettings
from tests.parts import Service

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def samples(meter: Meter, name: str) -> dict[tuple[str, ...], float]:
    text = meter.render("text/plain")[0].decode()
    return {
        tuple(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_every_known_child_is_zero_before_anything_happened() -> None:
    meter = Meter(catalog.API)
    for metric in catalog.METRICS:
        known = set(metric.children())
        if metric.kind == "counter" and known and catalog.API in metric.services:
            found = samples(meter, metric.name)
            assert set(found) == known
            assert set(found.values()) == {0}


def test_names_follow_the_conventions() -> None:
    for metric in catalog.METRICS:
        assert metric.name.startswith("minitwit_")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert not metric.unit or f"_{metric.unit}" in metric.name
        assert metric.help.endswith(".")
    assert catalog.SIMULATOR_TIMEOUT in catalog.DURATION_BUCKETS


def test_exemplars_appear_only_in_openmetrics() -> None:
    meter = Meter(catalog.API)
    meter.observe(catalog.HTTP_DURATION, 0.02, "GET", "/x", exemplar={"trace_id": "abc123"})
    assert b'# {trace_id="abc123"}' in meter.render(OPENMETRICS)[0]
    assert b"abc123" not in meter.render("text/plain")[0]


async def _boom(request: Request) -> Response:
    raise RuntimeError("secret text")


async def _hello(request: Request) -> Response:
    return PlainTextResponse("hello")


def run_request(app: Telemetry, method: str, path: str) -> list[dict[str, Any]]:
    """One request straight through ASGI; the messages sent."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": b"", "headers": [], "root_path": "",
        "scheme": "http", "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent


@pytest.fixture
def wrapped(tmp_path: Path) -> tuple[Telemetry, Meter, Path, Log]:
    meter = Meter(catalog.API)
    log = Log(LogSettings(stdout=False, file=tmp_path / "app.log"), meter)
    app = Starlette(routes=[Route("/hello/{name:path}", _hello), Route("/boom", _boom)])
    tracer = Tracer(TraceSettings(), meter, log)
    telemetry = Telemetry(app, meter, log, tracer, touch_routes(app, meter))
    return telemetry, meter, tmp_path / "app.log", log


Wrapped = tuple[Telemetry, Meter, Path, Log]


def test_a_request_is_counted_once_under_its_template(wrapped: Wrapped) -> None:
    app, meter, _, log = wrapped
    for path in ("/hello/a", "/hello/b/c", "/nothing", "/else/../x"):
        run_request(app, "GET", path)
    for method in ("BREW", "POST", "HEAD"):
        run_request(app, method, "/hello/a")
    log.close()
    found = samples(meter, catalog.HTTP_REQUESTS.name)
    assert found[("GET", "/hello/{name}", "200")] == 3
    assert found[("other", "unmatched", "404")] == 2
    assert found[("other", "unmatched", "405")] == 2
    assert sum(found.values()) == 7
    assert sum(samples(meter, catalog.HTTP_DURATION.name + "_count").values()) == 7
    assert samples(meter, catalog.HTTP_IN_PROGRESS.name) == {(): 0}


def test_a_request_that_raises_leaves_a_500_its_duration_and_a_line(wrapped: Wrapped) -> None:
    app, meter, path, log = wrapped
    sent = run_request(app, "GET", "/boom")
    log.close()
    assert sent[0]["status"] == 500
    assert b"secret text" not in sent[1]["body"]
    assert samples(meter, catalog.HTTP_REQUESTS.name)[("GET", "/boom", "500")] == 1
    assert samples(meter, catalog.HTTP_DURATION.name + "_count")[("GET", "/boom")] == 1
    text = path.read_text()
    assert '"event":"unhandled"' in text
    assert "RuntimeError" in text


def test_what_waits_for_its_line_lets_go_of_its_connection(
    wrapped: Wrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or ten thousand refused requests would wait with their bodies."""
    app, _, _, log = wrapped
    queued: list[Any] = []
    monkeypatch.setattr(log, "request", queued.append)
    run_request(app, "GET", "/hello/a")
    log.close()
    [(_, _, request, _, _)] = queued
    assert request._send is context._nobody


def test_both_services_export_what_the_catalogue_promises(api: Service, web: Service) -> None:
    for service in (api, web):
        assert service.get("/healthz").json() == {"status": "ok"}
        text = service.get("/metrics").body.decode()
        for metric in catalog.METRICS:
            promised = service.name in metric.services
            assert (f"# HELP {metric.name.removesuffix('_total')}" in text) == promised, metric
        assert "process_resident_memory_bytes" in text
        assert "python_gc_objects_collected_total" in text
        assert service.metric("minitwit_ready") == 1


def test_ten_thousand_paths_make_no_new_series(api: Service) -> None:
    before = len(api.get("/metrics").body.splitlines())
    for number in range(300):
        api.get(f"/random/{number}")
        api.get(f"/msgs/user{number}")
    assert len(api.get("/metrics").body.splitlines()) - before < 40


@pytest.mark.parametrize("amount", [0, 0.0005, 0.001, 0.0011, 0.3, 0.31, 2.5, 2.6, 1e9])
def test_an_amount_goes_into_the_bucket_that_the_library_would_choose(amount: float) -> None:
    bounds = catalog.HTTP_DURATION.buckets
    ours, theirs = (
        kind("seconds", "", registry=None, buckets=bounds) for kind in (QuickHistogram, Histogram)
    )
    ours.observe(amount)
    theirs.observe(amount)
    [mine], [other] = ours.collect(), theirs.collect()
    assert [s.value for s in mine.samples] == [s.value for s in other.samples]
