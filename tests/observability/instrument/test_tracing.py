"""Which traces are kept, and that a receiver in trouble costs spans and nothing else."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from app import settings
from app.settings import Environment, SettingsError
from observability import catalog
from observability.catalog import Attribute
from observability.instrument import context, spans
from observability.instrument.context import Call
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter
from observability.instrument.middleware import Telemetry, touch_routes
from observability.instrument.tracing import Kept, Tracer, TraceSettings, call, traceparent
from tests.collector import Collector, parsed, receiver
from tests.observability.instrument.test_metrics import _boom, _hello, run_request, samples
from tests.parts import free_port, wait_for

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"
QUEUE = 20


def exemplars(openmetrics: str, metric: str = "") -> list[str]:
    """The trace ids of all exemplars, or of those of one metric."""
    return re.findall(rf'^{metric}.*# \{{trace_id="([0-9a-f]{{32}})"\}}', openmetrics, re.MULTILINE)


class Served:
    """A service of two routes, its log and its instruments."""

    def __init__(self, folder: Path, endpoint: str, sample: float) -> None:
        self.meter = Meter(catalog.WEB)
        self.file = folder / "web.log"
        self.log = Log(LogSettings(stdout=False, file=self.file), self.meter)
        self.tracer = Tracer(TraceSettings(endpoint, sample), self.meter, self.log)
        app = Starlette(routes=[Route("/hello/{name}", _hello), Route("/boom", _boom)])
        served = touch_routes(app, self.meter)
        self.app = Telemetry(app, self.meter, self.log, self.tracer, served)

    def get(self, path: str, count: int = 1) -> None:
        for _ in range(count):
            run_request(self.app, "GET", path)

    def spans(self) -> dict[str, float]:
        return {key[0]: n for key, n in samples(self.meter, catalog.TRACE_SPANS.name).items()}

    def lines(self) -> str:
        return self.file.read_text() if self.file.exists() else ""

    def close(self) -> None:
        self.tracer.close()
        self.log.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with receiver() as collector:
        yield collector


def begun(sample: float, header: str = "") -> context.RequestContext:
    """A request just begun by a service that keeps traces."""
    meter = Meter(catalog.API)
    log = Log(LogSettings(stdout=False), meter)
    tracer = Tracer(TraceSettings(f"http://127.0.0.1:{free_port()}", sample), meter, log)
    request = context.enter(None)
    tracer.begin(request, header.encode())
    tracer.close()
    log.close()
    return request


@pytest.mark.parametrize(
    ("header", "joined", "sampled"),
    [
        (PARENT.format(flags="01"), True, True),
        (PARENT.format(flags="00"), True, False),
        (PARENT.format(flags="03"), True, True),
        (PARENT.format(flags="01").replace("00-", "cc-", 1) + "-later", True, True),
        (PARENT.format(flags="01") + "-later", False, False),
        (PARENT.format(flags="01").replace("00-", "ff-", 1), False, False),
        (PARENT.format(flags="01").upper(), False, False),
        (PARENT.format(flags="01") + "\n", False, False),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", False, False),
        ("00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01", False, False),
        ("", False, False),
        ("nonsense", False, False),
    ],
)
def test_a_caller_is_joined_where_its_header_is_good(
    header: str, joined: bool, sampled: bool
) -> None:
    request = begun(0, header)
    assert (request.trace_id == PARENT.split("-")[1]) == joined
    assert (request.parent_id == PARENT.split("-")[2]) == joined
    assert (request.kept_from == 0) == sampled
    assert re.fullmatch("[0-9a-f]{32}", request.trace_id)
    assert re.fullmatch("[0-9a-f]{16}", request.span_id)


@given(st.binary())
def test_no_header_breaks_a_request(header: bytes) -> None:
    meter = Meter(catalog.API)
    request = context.RequestContext("x")
    Tracer(TraceSettings(), meter, _QUIET).begin(request, header)
    assert len(request.trace_id) == 32


_QUIET = Log(LogSettings(stdout=False), Meter(catalog.API))


def test_the_share_is_as_it_was_set() -> None:
    tracer = Tracer(TraceSettings(sample=0.1), Meter(catalog.API), _QUIET)
    tracer._sink = object()  # type: ignore[assignment]
    kept = 0
    for _ in range(20_000):
        request = context.RequestContext("x")
        tracer.begin(request, None)
        kept += request.kept_from == 0
    assert 1_700 < kept < 2_300, "seven times the deviation that chance has"


def test_what_is_passed_on_is_the_span_of_the_call_and_the_decision() -> None:
    for sample, flags in ((1, "01"), (0, "00")):
        request = begun(sample)
        with call("somewhere", {}) as noted:
            header = traceparent(noted)
        assert header == f"00-{request.trace_id}-{noted.span_id}-{flags}"
        assert request.calls == [noted]
        assert noted.started <= noted.ended


def test_exemplars_are_those_of_kept_traces(collector: Collector, tmp_path: Path) -> None:
    served = Served(tmp_path, collector.url, 0)
    served.get("/hello/a", 5)
    text = served.meter.render("application/openmetrics-text")[0].decode()
    assert exemplars(text) == []
    served.get("/boom")
    served.close()
    [trace_id] = exemplars(served.meter.render("application/openmetrics-text")[0].decode())
    [span] = collector.spans
    assert (span.trace_id, span.name, span.failed) == (trace_id, "GET /boom", True)
    assert span.attributes["error.type"] == "RuntimeError"
    assert "secret text" not in str(span)


@pytest.mark.parametrize("trouble", ["dead", "hang", 500, 400])
def test_a_receiver_in_trouble_costs_spans_and_no_time(
    tmp_path: Path, collector: Collector, trouble: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "QUEUE_SIZE", QUEUE)
    monkeypatch.setattr(spans, "BATCH", 5)
    monkeypatch.setattr(spans, "TIMEOUT_SECONDS", 1.0)
    if trouble != "dead":
        collector.mode = trouble
    url = f"http://127.0.0.1:{free_port()}" if trouble == "dead" else collector.url
    served = Served(tmp_path, url, 1)
    began = time.monotonic()
    served.get("/hello/a", 10 * QUEUE)
    assert time.monotonic() - began < 5, "no request waits for a receiver"
    wait_for("lost spans are counted", lambda: served.spans()["dropped"] > QUEUE)
    began = time.monotonic()
    served.close()
    assert time.monotonic() - began < spans.DRAIN_SECONDS + 3
    assert served.spans() == {"exported": 0, "dropped": 10 * QUEUE}
    assert served.lines().count('"event":"trace_dropped"') == 1
    assert '"event":"library"' not in served.lines()


def test_when_the_receiver_is_back_spans_arrive_and_the_log_says_so(
    tmp_path: Path, collector: Collector
) -> None:
    collector.mode = 400
    served = Served(tmp_path, collector.url, 1)
    served.get("/hello/a", 3)
    wait_for("the loss", lambda: served.spans()["dropped"] == 3)
    collector.mode = 200
    served.get("/hello/b", 4)
    wait_for("spans", lambda: len(collector.spans) == 4)
    served.close()
    assert served.spans() == {"exported": 4, "dropped": 3}
    assert served.lines().count('"event":"trace_dropped"') == 2
    assert "delivered again" in served.lines()


@pytest.mark.parametrize(
    "value", ['"', "\n\u2028\x00é", True, 0, -(2**53), 0.1, math.inf, -math.inf]
)
def test_any_value_of_an_attribute_arrives(value: Any) -> None:
    one = Call("name", {Attribute.ROUTE: value}, "b7ad6b7169203331")
    kept = Kept("0af7651916cd43dd8448eb211c80319c", "", one, ())
    request = parsed(spans.Resource("api", "1").spans([kept]))
    [attribute] = request.resource_spans[0].scope_spans[0].spans[0].attributes
    assert getattr(attribute.value, attribute.value.WhichOneof("value") or "") == value


def test_names_and_parameters_of_people_are_in_no_span(
    tmp_path: Path, collector: Collector
) -> None:
    served = Served(tmp_path, collector.url, 1)
    served.get("/hello/someone")
    run_request(served.app, "BREW", "/hello/someone")
    served.close()
    assert [span.name for span in collector.spans] == ["GET /hello/{name}", "_OTHER /hello/{name}"]
    assert "someone" not in str(collector.spans)


def test_settings() -> None:
    read = settings.server(
        Environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://tempo:4318", "TRACE_SAMPLE": "0.5"}), 1
    ).trace
    assert read == TraceSettings("http://tempo:4318", 0.5)
    assert settings.server(Environment({}), 1).trace == TraceSettings()
    assert "tempo" not in repr(read)
    for wrong in ({"TRACE_SAMPLE": "2"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "tempo:4318"}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            settings.server(Environment(wrong), 1)


def test_a_call_outside_any_request_is_noted_nowhere() -> None:
    context._current.set(None)
    with call("alone", {}) as noted:
        assert traceparent(noted) == ""
    assert isinstance(noted, Call)
