"""Head and tail sampling: which requests become traces, and with which spans."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.catalog import Attribute
from observability.instrument import (
    context,
    recording,
    tail_sampling,
)
from observability.instrument.head_sampling import TrustedCallers, join
from observability.instrument.recording import Recorded
from observability.instrument.sampling import SAMPLERS
from observability.instrument.tail_sampling import MOST_A_SECOND, Budget
from tests.collector import Collector, Span
from tests.observability.instrument.served import ALWAYS, NEVER, PARENT, Served, servers

TRACE_ID, SPAN_ID = PARENT.split("-")[1:3]
ASGI = "opentelemetry.instrumentation.asgi"


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
def test_each_sampler_of_the_environment(
    name: str, collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_sampling, "SLOW_SECONDS", math.inf)
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
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_sampling, "SLOW_SECONDS", math.inf)
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
    served.get("/boom")
    served.close()
    # On a machine without time one of the five may be slow, and so have a trace of its own.
    traces = {span.trace_id: span.name for span in servers(collector)}
    exemplars = set(served.exemplars())
    assert exemplars <= traces.keys()
    assert "GET /boom" in {traces[one] for one in exemplars}
