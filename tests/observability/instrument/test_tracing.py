"""Sampled traces and their content; a failing collector costs no time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import settings
from app.settings import Environment, SettingsError
from observability.catalog import Attribute
from observability.instrument import (
    context,
    id_generator,
    recording,
    redaction,
    tail_sampling,
    tracing,
)
from observability.instrument.head_sampling import TrustedCallers, join
from observability.instrument.recording import Recorded
from observability.instrument.sampling import SAMPLERS
from observability.instrument.tail_sampling import MOST_A_SECOND, Budget
from observability.instrument.tracing import TraceSettings
from tests.collector import Collector, Span, receiver
from tests.observability.instrument.served import ALWAYS, NEVER, PARENT, Served
from tests.parts import free_port, wait_for

TRACE_ID, SPAN_ID = PARENT.split("-")[1:3]
ASGI = "opentelemetry.instrumentation.asgi"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with receiver() as collector:
        yield collector


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans leave soon: the SDK's own variable."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


def servers(collector: Collector) -> list[Span]:
    return [span for span in collector.spans if span.kind == "server"]


@pytest.mark.parametrize(
    ("header", "joined"),
    [
        (PARENT.format(flags="01"), True),
        (PARENT.format(flags="00"), True),
        (PARENT.format(flags="03"), True),
        (PARENT.format(flags="01").replace("00-", "cc-", 1) + "-later", True),
        (PARENT.format(flags="01") + "-later", False),
        (PARENT.format(flags="01").replace("00-", "ff-", 1), False),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", False),
        ("00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01", False),
        ("nonsense", False),
    ],
)
def test_a_caller_is_joined_where_its_header_is_good(header: str, joined: bool) -> None:
    request = context.RequestContext()
    own = request.trace_id
    join(request, [(b"traceparent", header.encode())])
    assert (request.trace_id, f"{request.parent.span_id:016x}" if request.parent else "") == (
        (TRACE_ID, SPAN_ID) if joined else (own, "")
    )


@given(st.binary())
def test_no_header_breaks_a_request(header: bytes) -> None:
    request = context.RequestContext()
    join(request, [(b"traceparent", header), (b"tracestate", header)])
    assert len(request.trace_id) == 32 and len(request.span_id) == 16


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_sampler_of_the_environment(name: str, collector: Collector, tmp_path: Path) -> None:
    served = Served(tmp_path, collector.url, name)  # the ratio is 0.05
    served.get("/hello/a", 400)
    served.get("/hello/b", headers={"traceparent": PARENT.format(flags="01")})
    served.get("/hello/c", headers={"traceparent": PARENT.format(flags="00")})
    served.close()
    begun = [span for span in servers(collector) if not span.parent_id]
    joined = [span for span in servers(collector) if span.parent_id == SPAN_ID]
    own = name.removeprefix("parentbased_")
    least, most = {"always_on": (400, 400), "always_off": (0, 0), "traceidratio": (2, 60)}[own]
    assert least <= len(begun) <= most
    if name.startswith("parentbased"):
        assert len(joined) == 1


def test_a_caller_that_is_not_trusted_is_not_joined_and_its_headers_go_no_further(
    collector: Collector, tmp_path: Path
) -> None:
    served = Served(tmp_path, collector.url, NEVER, trusted="10.0.0.0/8")
    headers = {"traceparent": PARENT.format(flags="01"), "tracestate": "a=b", "baggage": "c=d"}
    for client, believed in (("203.0.113.9", False), ("10.1.2.3", True), ("::1", True)):
        served.get("/hello/a", headers={"accept": "x", **headers}, client=client)
        names = {name.decode() for name, _ in served.seen[-1]["headers"]}
        assert names == ({"accept", *headers} if believed else {"accept"})
    served.close()
    assert [span.parent_id for span in servers(collector)] == [SPAN_ID] * 2
    assert served.lines().count(TRACE_ID) == 2


def test_who_is_trusted() -> None:
    some = TrustedCallers("10.0.0.0/8, 192.0.2.7")
    assert [some.has(host) for host in ("10.9.9.9", "192.0.2.7", "127.0.0.1", "::1")] == [True] * 4
    assert not some.has("192.0.2.8") and not some.has("") and not some.has("nonsense")
    assert TrustedCallers("*").has("203.0.113.9") and not TrustedCallers("").has("10.0.0.1")


def test_what_is_passed_on_is_the_span_of_the_call_and_the_decision() -> None:
    for sampled, flags in ((True, "01"), (False, "00")):
        request = context.enter(None)
        request.sampled = sampled
        with recording.span("somewhere", {}) as noted:
            header = recording.headers(noted)["traceparent"]
        assert header == f"00-{request.trace_id}-{noted.span_id:016x}-{flags}"
        assert request.spans == [noted]
        assert noted.started <= noted.ended


def test_a_call_outside_any_request_is_noted_nowhere() -> None:
    context._current.set(None)
    with recording.span("alone", {}) as noted:
        assert recording.headers(noted) == {}
    assert isinstance(noted, Recorded)


def comparable(span: Span) -> Span:
    """Without what may differ: ids, times, the scope and the reason."""
    attributes = {k: v for k, v in span.attributes.items() if k not in VARYING}
    return replace(
        span, trace_id="", span_id="", parent_id="", start=0, end=0, scope="",
        attributes=attributes,
    )  # fmt: skip


VARYING = (Attribute.REASON, Attribute.REQUEST_ID)


@pytest.mark.parametrize("traceparent", [None, PARENT])
def test_sampled_and_afterwards_differ_in_scope_and_reason_only(
    collector: Collector, tmp_path: Path, traceparent: str | None
) -> None:
    found = {}
    for sampler, flags in ((ALWAYS, "01"), (NEVER, "00")):
        collector.spans.clear()
        served = Served(tmp_path, collector.url, sampler)
        headers = {"traceparent": traceparent.format(flags=flags)} if traceparent else {}
        served.get("/boom", headers=headers)
        served.close()
        found[sampler] = sorted(collector.spans, key=lambda span: span.kind, reverse=True)
    sampled, made = found[ALWAYS], found[NEVER]
    assert [comparable(span) for span in sampled] == [comparable(span) for span in made]
    assert [span.scope for span in (sampled[0], made[0])] == [ASGI, "minitwit"]
    assert sampled[0].attributes[Attribute.REASON] == "sampled"
    assert made[0].attributes[Attribute.REASON] == "error"
    for server, statement in found.values():
        assert server.failed and statement.failed
        assert server.name == "GET /boom"
        assert server.attributes[Attribute.STATUS] == 500
        assert statement.parent_id == server.span_id
        assert server.parent_id == (SPAN_ID if traceparent else "")
        assert server.start <= statement.start <= statement.end <= server.end
        assert f'"trace_id":"{server.trace_id}","span_id":"{server.span_id}"' in served.lines() or (
            sampled[0] is server
        )
    assert b"secret text" not in b"".join(collector.bodies)


def test_a_slow_request_becomes_a_trace(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_sampling, "SLOW_SECONDS", 0.0)
    served = Served(tmp_path, collector.url, NEVER)
    served.get("/hello/a")
    served.close()
    [span] = servers(collector)
    assert (span.attributes[Attribute.REASON], span.failed) == ("slow", False)
    assert served.exemplars() == [span.trace_id]


def test_an_outage_is_described_by_so_many_traces_a_second_and_no_more(
    collector: Collector, tmp_path: Path
) -> None:
    served = Served(tmp_path, collector.url, NEVER)
    began = time.monotonic()
    served.get("/boom", 200)
    seconds = int(time.monotonic()) - int(began) + 1
    served.close()
    made = len(servers(collector))
    assert MOST_A_SECOND <= made <= MOST_A_SECOND * seconds
    assert served.spans() == {"exported": 2 * made, "dropped": 0, "limited": 2 * (200 - made)}


def test_a_budget_is_new_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    budget = Budget(2)
    assert [budget.take() for _ in range(4)] == [True, True, False, False]
    now[0] = 101.2
    assert budget.take()


def test_exemplars_are_those_of_traces_that_exist(collector: Collector, tmp_path: Path) -> None:
    served = Served(tmp_path, collector.url, NEVER)
    served.get("/hello/a", 5)
    assert served.exemplars() == []
    served.get("/boom")
    served.close()
    assert served.exemplars() == [servers(collector)[0].trace_id]


@pytest.mark.parametrize("trouble", ["dead", "hang", 500, 503, 400])
def test_a_receiver_in_trouble_costs_spans_and_no_time(
    tmp_path: Path, collector: Collector, trouble: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "QUEUE_SIZE", 40)
    monkeypatch.setattr(tracing, "BATCH", 10)
    if trouble != "dead":
        collector.mode = trouble
    url = f"http://127.0.0.1:{free_port()}" if trouble == "dead" else collector.url
    served = Served(tmp_path, url)
    began = time.monotonic()
    served.get("/hello/a", 200)
    assert time.monotonic() - began < 5, "no request waits for a receiver"
    wait_for("what found no room is counted", lambda: served.spans()["dropped"] >= 400 - 40)
    if trouble == "hang":
        wait_for("the receiver has a batch", lambda: collector.posts)
    began = time.monotonic()
    served.tracing.close()
    assert time.monotonic() - began < tracing.SHUTDOWN_SECONDS + 1
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
    assert "delivered again" in served.lines()


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
