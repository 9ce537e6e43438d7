"""Traces from the page through the API to each statement, and tail sampling."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import VERSION
from observability.catalog import SIMULATOR_TIMEOUT, Attribute
from observability.instrument.tracing import SHUTDOWN_SECONDS
from tests.app.test_contract import AUTHORIZATION, call, path, register
from tests.collector import Collector, Span, receiver
from tests.observability.instrument.served import exemplars
from tests.parts import Service, free_port, start_service, wait_for


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with receiver() as collector:
        yield collector


@pytest.fixture(scope="module")
def api(
    database_url: str, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The api service; it samples no trace that begins there."""
    with start_service(
        "api",
        tmp_path_factory.mktemp("api"),
        DATABASE_URL=database_url,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_TRACES_SAMPLER_ARG="0",
        OTEL_BSP_SCHEDULE_DELAY="100",
    ) as service:
        yield service


@pytest.fixture(scope="module")
def web(
    api: Service, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The web service; it samples every trace."""
    with start_service(
        "web",
        tmp_path_factory.mktemp("web"),
        API_URL=api.url,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_TRACES_SAMPLER_ARG="1",
        OTEL_BSP_SCHEDULE_DELAY="100",
    ) as service:
        yield service


def arrived(collector: Collector, request_id: str, count: int) -> list[Span]:
    """The spans of a request's trace, once there are ``count``."""

    def look() -> list[Span]:
        spans = collector.of_request(request_id)
        return spans if len(spans) >= count else []

    spans = wait_for(f"{count} spans of {request_id}", look)
    assert len(spans) == count
    return spans


def lines(service: Service, request_id: str) -> list[dict[str, Any]]:
    """What a service has logged of a request."""
    return [line for line in service.logs() if line.get("request_id") == request_id]


def test_a_page_is_one_trace_down_to_the_statement(
    web: Service, api: Service, collector: Collector
) -> None:
    register(api, "Tracy Seen")
    before = time.time_ns()
    answer = web.get("/Tracy%20Seen?secret=hush", X_Request_ID="page-of-tracy")
    page, call_, served, statement = arrived(collector, "page-of-tracy", 4)
    assert answer.status == 200
    assert [(s.service, s.kind, s.name) for s in (page, call_, served, statement)] == [
        ("web", "server", "GET /{username}"),
        ("web", "client", "GET timeline"),
        ("api", "server", "GET /api/timelines/user/{username}"),
        ("api", "client", "timeline_user"),
    ]
    assert page.parent_id == ""
    assert call_.parent_id == page.span_id
    assert served.parent_id == call_.span_id
    assert statement.parent_id == served.span_id
    assert before < page.start < call_.start < served.start < statement.start
    assert statement.end < served.end  # which may be after its caller has the answer
    assert statement.end < call_.end < page.end < time.time_ns()
    assert not any(s.failed for s in (page, call_, served, statement))
    assert page.scope == served.scope == "opentelemetry.instrumentation.asgi"
    assert page.resource["service.version"] == VERSION
    assert page.resource["service.instance.id"].endswith(web.url.rpartition(":")[2])
    assert page.attributes[Attribute.REASON] == served.attributes[Attribute.REASON] == "sampled"
    assert page.attributes[Attribute.STATUS] == served.attributes[Attribute.STATUS] == 200
    assert served.attributes[Attribute.ROUTE] == "/api/timelines/user/{username}"
    assert 0 < served.attributes[Attribute.DB_SECONDS] < (served.end - served.start) / 1e9
    assert statement.attributes == {
        Attribute.DB_SYSTEM: "postgresql", Attribute.DB_QUERY: "timeline_user",
    }  # fmt: skip
    for span in (page, call_, served, statement):
        assert set(span.attributes) <= set(Attribute)
        told = f"{span.name} {span.attributes}"
        assert "Tracy" not in told and "hush" not in told


def test_the_exemplar_the_lines_and_the_spans_have_the_same_id(
    web: Service, api: Service, collector: Collector
) -> None:
    web.get("/public", X_Request_ID="one-of-a-kind")
    trace_id = arrived(collector, "one-of-a-kind", 4)[0].trace_id
    for service in (web, api):
        [line] = wait_for("its line", lambda service=service: lines(service, "one-of-a-kind"))  # type: ignore[misc]
        assert line["trace_id"] == trace_id
        assert line["span_id"] in {span.span_id for span in collector.trace(trace_id)}
    ids = set(exemplars(web.get("/metrics", Accept="application/openmetrics-text").body.decode()))
    assert trace_id in ids
    wait_for("every exemplar's trace", lambda: all(collector.trace(one) for one in ids))
    # A service that samples nothing by chance has exemplars of its caller's sampled traces.
    own = exemplars(api.get("/metrics", Accept="application/openmetrics-text").body.decode())
    assert trace_id in own
    assert all(collector.trace(one) for one in own)


CALLER = "b7ad6b7169203331"


def decided(api: Service, flags: str) -> dict[str, Any]:
    """The log line of a request whose caller has sampled its trace, or not."""
    trace_id, name = secrets.token_hex(16), f"decided-{secrets.token_hex(4)}"
    header = f"00-{trace_id}-{CALLER}-{flags}"
    api.get("/latest", traceparent=header, X_Request_ID=name, baggage="user=me")
    [line] = wait_for("a line", lambda: lines(api, name))
    assert line["trace_id"] == trace_id
    return line


def test_the_caller_decides(api: Service, collector: Collector) -> None:
    def quick() -> dict[str, Any] | None:
        """One that is not sampled; one that was slow has a trace all the same."""
        line = decided(api, "00")
        return line if line["duration_ms"] < SIMULATOR_TIMEOUT * 1000 else None

    other, kept = wait_for("a quick one", quick), decided(api, "01")
    spans = arrived(collector, kept["request_id"], 2)
    assert {span.trace_id for span in spans} == {kept["trace_id"]}
    assert spans[0].parent_id == CALLER
    assert not collector.trace(other["trace_id"])


def test_a_slow_request_is_kept_with_its_statements(
    api: Service, collector: Collector, database_url: str
) -> None:
    register(api, "Slow Poke")
    with psycopg.connect(database_url) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        answer = pool.submit(
            api.send, "POST", path("msgs", "Slow Poke"), {"content": "late"},
            X_Request_ID="slow-request", Authorization=AUTHORIZATION,
        )  # fmt: skip
        wait_for("its statement", lambda: held_up(database_url))
        time.sleep(SIMULATOR_TIMEOUT + 0.2)  # of which the statement has waited all
        holder.rollback()
    assert answer.result().status == 204
    served, statement = arrived(collector, "slow-request", 2)
    assert (served.parent_id, statement.parent_id) == ("", served.span_id)
    assert served.attributes[Attribute.REASON] == "slow"
    assert served.end - served.start > SIMULATOR_TIMEOUT * 1e9
    assert served.attributes[Attribute.DB_SECONDS] > SIMULATOR_TIMEOUT
    assert statement.name == "message_add"


def held_up(database_url: str) -> bool:
    """Whether a message waits for a lock; api's own counts may, too."""
    query = """
        SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO messages%'"""
    with psycopg.connect(database_url) as connection:
        return connection.execute(query).rowcount > 0


def test_errors_are_kept_and_what_is_ordinary_is_not(
    api: Service, collector: Collector, database_url: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE follows RENAME TO away")
        try:
            failed = api.send(
                "GET", "/fllws/anyone", X_Request_ID="broken-request",
                Authorization=AUTHORIZATION,
            )  # fmt: skip
        finally:
            connection.execute("ALTER TABLE away RENAME TO follows")
    assert failed.status == 500
    assert failed.json()["request_id"] == "broken-request"
    served, statement = arrived(collector, "broken-request", 2)
    assert served.failed and statement.failed
    assert served.attributes[Attribute.ERROR_TYPE] == "Refused"
    assert statement.attributes[Attribute.ERROR_TYPE] == "statement"
    assert served.attributes[Attribute.REASON] == "error"
    call(api, "GET", "/msgs")
    refused = api.get("/msgs", X_Request_ID="refused-request")
    assert refused.status == 403
    assert api.metric("minitwit_trace_spans_total", outcome="dropped") == 0
    assert not collector.of_request("refused-request")


def test_without_a_receiver_there_are_ids_and_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in os.environ
    with start_service(
        "api", tmp_path, DATABASE_URL=database_url, OTEL_TRACES_SAMPLER_ARG="1"
    ) as service:
        service.get("/latest", X_Request_ID="id-of-mine")
        text = service.get("/metrics", Accept="application/openmetrics-text").body.decode()
        assert exemplars(text) == []
    [line] = lines(service, "id-of-mine")
    assert len(line["trace_id"]) == 32 and len(line["span_id"]) == 16


def test_hashing_a_password_is_a_span(api: Service, collector: Collector) -> None:
    body = {"username": "Hash Me", "email": "a@b.example", "pwd": "a password"}
    header = f"00-{'5a' * 16}-{'5b' * 8}-01"
    api.send("POST", "/register", body, X_Request_ID="hashing-one", traceparent=header)
    spans = arrived(collector, "hashing-one", 4)
    inner = [(span.kind, span.name) for span in spans[1:]]
    assert inner.count(("internal", "hash password")) == 1
    assert [kind for kind, _ in inner].count("client") == 2  # the look-up and the row
    assert {span.parent_id for span in spans[1:]} == {spans[0].span_id}


@pytest.mark.parametrize("trouble", ["hang", "dead"])
def test_a_receiver_in_trouble_holds_up_neither_requests_nor_the_end(
    database_url: str, tmp_path: Path, trouble: str
) -> None:
    with receiver() as hanging:
        hanging.mode = "hang"
        url = hanging.url if trouble == "hang" else f"http://127.0.0.1:{free_port()}"
        settings = {
            "DATABASE_URL": database_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_TRACES_SAMPLER": "always_on",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "60",  # so that a batch on its way still is at the end
        }
        with start_service("api", tmp_path, None, **settings) as service:
            for _ in range(20):
                assert service.get("/latest").status == 200
            if trouble == "hang":
                wait_for("a batch on its way", lambda: hanging.posts)
            service.process.terminate()
            service.process.wait(SHUTDOWN_SECONDS + 15)  # the SDK alone waits for twenty
    dropped = [line for line in service.logs() if line["event"] == "trace_dropped"]
    assert len(dropped) == 1 and dropped[0]["count"] >= (20 if trouble == "hang" else 1)
    assert not [line for line in service.logs() if line["event"] == "library"], "said once"
