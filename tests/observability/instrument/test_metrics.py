"""The instruments: known children from the start, exemplars, what a request leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from observability import catalog
from observability.instrument.metrics import Meter
from observability.instrument.runtime import watch_event_loop
from tests.observability.instrument.served import Served, samples
from tests.parts import Service, wait_for

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def test_every_known_child_is_zero_before_anything_happened() -> None:
    meter = Meter(catalog.API)
    for metric in catalog.METRICS:
        known = set(metric.children())
        if metric.kind == "counter" and known and catalog.API in metric.services:
            found = samples(meter, metric.name)
            assert set(found) == known
            assert set(found.values()) == {0}


def test_what_is_counted_or_observed_once_is_there_once() -> None:
    meter = Meter(catalog.API)
    meter.count(catalog.DB_ERRORS, "timeout")
    meter.count(catalog.DB_ERRORS, "statement", by=3)
    found = samples(meter, catalog.DB_ERRORS.name)
    assert (found[("timeout",)], found[("statement",)]) == (1, 3)
    meter.observe(catalog.HTTP_DURATION, 0.02, "GET", "/x")
    assert set(samples(meter, f"{catalog.HTTP_DURATION.name}_count").values()) == {1}


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


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A service without an OTLP collector."""
    served = Served(tmp_path)
    yield served
    served.close()


def test_a_route_is_known_before_its_first_request(served: Served) -> None:
    assert served.samples(catalog.HTTP_REQUESTS.name)[("GET", "/head", "200")] == 0
    assert served.samples(catalog.HTTP_DURATION.name + "_count")[("GET", "/head")] == 0


def test_the_event_loop_s_lag_is_observed_once_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    meter, rounds = Meter(catalog.API), iter(range(3))

    async def round_(seconds: float) -> None:
        if next(rounds, None) is None:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", round_)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watch_event_loop(meter))
    assert samples(meter, f"{catalog.EVENT_LOOP_LAG.name}_count") == {(): 3}


def test_a_request_is_counted_once_under_its_template(served: Served) -> None:
    for path in ("/hello/a", "/hello/b/c", "/nothing", "/else/../x"):
        served.get(path)
    for method in ("BREW", "POST", "HEAD"):
        served.get("/hello/a", method=method)
    found = served.samples(catalog.HTTP_REQUESTS.name)
    assert found[("GET", "/hello/{name}", "200")] == 3
    assert found[("other", "unmatched", "404")] == 2
    assert found[("other", "unmatched", "405")] == 2
    assert sum(found.values()) == 7
    assert sum(served.samples(catalog.HTTP_DURATION.name + "_count").values()) == 7
    assert served.samples(catalog.HTTP_IN_PROGRESS.name) == {(): 0}


def test_a_request_that_raises_leaves_a_500_its_duration_and_a_line(served: Served) -> None:
    sent = served.get("/boom")
    served.close()
    assert sent[0]["status"] == 500
    assert b"secret text" not in sent[1]["body"]
    assert served.samples(catalog.HTTP_REQUESTS.name)[("GET", "/boom", "500")] == 1
    assert served.samples(catalog.HTTP_DURATION.name + "_count")[("GET", "/boom")] == 1
    assert '"event":"unhandled"' in served.lines()
    assert "RuntimeError" in served.lines()


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
        wait_for("the watcher", partial(service.metric, "minitwit_event_loop_lag_seconds_count"))


@pytest.mark.parametrize("accepted", ["application/openmetrics-text", "text/plain"])
@pytest.mark.parametrize(
    "detail",
    ["version=abc", "version=", "version=1.x", "version=" + "9" * 5000, "escaping=abc",
     "version=1.0.0;escaping=", "version=-1", "version=1.0.0;version=x"],
)  # fmt: skip
def test_an_accept_header_that_makes_no_sense_gets_the_metrics(
    api: Service, accepted: str, detail: str
) -> None:
    answer = api.get("/metrics", Accept=f"{accepted};{detail}")
    assert answer.status == 200
    assert b"minitwit_ready" in answer.body


def test_ten_thousand_paths_make_no_new_series(api: Service) -> None:
    before = len(api.get("/metrics").body.splitlines())
    for number in range(300):
        api.get(f"/random/{number}")
        api.get(f"/msgs/user{number}")
    assert len(api.get("/metrics").body.splitlines()) - before < 40
