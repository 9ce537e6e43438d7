"""The export of traces: a failing collector costs no time, and settings apply."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app import settings
from app.settings import Environment, SettingsError
from observability.catalog import Attribute
from observability.instrument import (
    id_generator,
    redaction,
    tracing,
)
from observability.instrument.tracing import SHUTDOWN_SECONDS, TraceSettings
from tests.collector import Collector
from tests.observability.instrument.served import Served, servers
from tests.parts import free_port, wait_for


@pytest.mark.parametrize("trouble", ["dead", "hang", 500, 503, 400])
def test_a_receiver_in_trouble_costs_spans_and_no_time(
    tmp_path: Path, collector: Collector, trouble: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "QUEUE_SIZE", 40)
    monkeypatch.setattr(tracing, "BATCH", 10)
    monkeypatch.setattr(tracing, "SHUTDOWN_SECONDS", SHUTDOWN_SECONDS)
    if trouble != "dead":
        collector.mode = trouble
    url = f"http://127.0.0.1:{free_port()}" if trouble == "dead" else collector.url
    served = Served(tmp_path, url)
    served.get("/hello/a", 200)  # one that waited for a receiver that hangs would not come back
    wait_for("what found no room is counted", lambda: served.spans()["dropped"] >= 400 - 40)
    if trouble == "hang":
        wait_for("the receiver has a batch", lambda: collector.posts)
    began = time.monotonic()
    served.tracing.close()
    assert time.monotonic() - began < 15, "the SDK alone waits twenty seconds, we two"
    assert served.spans() == {"exported": 0, "dropped": 400, "limited": 0}
    served.close()
    assert served.lines().count('"event":"trace_dropped"') == 1
    assert '"event":"library"' not in served.lines()


def test_when_the_receiver_is_back_spans_arrive_and_the_log_says_so(
    tmp_path: Path, collector: Collector
) -> None:
    collector.mode = 400
    served = Served(tmp_path, collector.url)
    served.get("/hello/a", 3)
    wait_for("the loss", lambda: served.spans()["dropped"] == 6)
    collector.mode = 200
    served.get("/hello/b", 4)
    wait_for("spans", lambda: len(collector.spans) == 8)
    served.close()
    assert served.spans() == {"exported": 8, "dropped": 6, "limited": 0}
    assert served.lines().count('"event":"trace_dropped"') == 2
    assert "exported again" in served.lines()


def test_names_and_parameters_of_people_are_in_no_span(
    tmp_path: Path, collector: Collector
) -> None:
    served = Served(tmp_path, collector.url)
    private = {"user-agent": "hush/1", "cookie": "hush", "host": "hush.example"}
    served.get("/hello/someone", headers=private)
    served.get("/hello/someone", headers=private, method="BREW")
    served.close()
    assert [s.name for s in servers(collector)] == ["GET /hello/{name}", "_OTHER /hello/{name}"]
    for secret in (b"someone", b"hush", b"127.0.0.1", b"BREW"):
        assert not any(secret in body for body in collector.bodies)
    assert {name for span in collector.spans for name in span.attributes} <= set(Attribute)


def test_the_resource_is_ours_and_the_environment_has_the_last_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = tracing.resource("api", "1.2.3", 5001).attributes
    assert (ours["service.name"], ours["service.version"]) == ("api", "1.2.3")
    assert str(ours["service.instance.id"]).endswith(":5001")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "other")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    set_by_hand = tracing.resource("api", "1.2.3", 5001).attributes
    assert set_by_hand["service.name"] == "other"
    assert set_by_hand["deployment.environment.name"] == "test"


def test_headers_of_the_environment_reach_the_receiver(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=blue")
    served = Served(tmp_path, collector.url)
    served.get("/hello/a")
    served.close()
    assert collector.headers["x-tenant"] == "blue"


def read(**variables: str) -> TraceSettings:
    return settings.server(Environment(variables), 1).trace


def test_settings() -> None:
    good = read(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://tempo:4318", OTEL_TRACES_SAMPLER="traceidratio",
        OTEL_TRACES_SAMPLER_ARG="0.5", OTEL_EXPORTER_OTLP_TIMEOUT="3",
    )  # fmt: skip
    assert good == TraceSettings("http://tempo:4318", "traceidratio", 0.5)
    assert read() == TraceSettings("", "parentbased_traceidratio", 0.05)
    assert "tempo" not in repr(good)
    off = read(OTEL_EXPORTER_OTLP_ENDPOINT="http://tempo:4318", OTEL_SDK_DISABLED="true")
    assert off.endpoint == ""
    read(OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20hush-hush-hush")
    assert "hush-hush-hush" not in redaction.text("Bearer hush-hush-hush")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "tempo:4318"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_SDK_DISABLED", "perhaps"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{name: value})


def test_two_spans_of_one_request_never_share_an_id(collector: Collector, tmp_path: Path) -> None:
    served = Served(tmp_path, collector.url)
    served.get("/hello/a", 50)
    served.close()
    found = [span.span_id for span in collector.spans]
    assert len(found) == len(set(found)) == 100


def test_the_given_ids_are_for_one_span_and_for_its_block() -> None:
    generator = id_generator.RequestIdGenerator()
    with id_generator.given(7, 9):
        assert (generator.generate_trace_id(), generator.generate_span_id()) == (7, 9)
        assert generator.generate_span_id() != 9, "a span that a library begins inside"
    assert generator.generate_trace_id() != 7
