"""From the services' files to Loki: every line once, whatever falls over on the way."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from alerts.rule_files import log_alerts
from observability import catalog
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter
from observability.promql.logql import lines as lines_of
from observability.stack.config.deployments import TENANT
from observability.stack.local.up import absent
from tests.alerts.runbook_pages import NAMES, read
from tests.collector import Collector, receiver
from tests.observability.instrument.served import exemplars
from tests.parts import PATIENCE, PATIENT, ROOT, get, request, wait_for
from tests.stack.links import TRACE_BOARD, Links, page_spans, traced_page
from tests.stack.pipeline import (
    ask,
    difference,
    kill,
    labels_of,
    lines_since,
    nanoseconds,
    push,
    resident,
    stored,
    undelivered,
    written,
)
from tests.stack.platform import Platform

PARTS = ("postgres", "migrate", "api", "web", "loki", "promtail")
WITHOUT = "LOG PIPELINE NOT TESTED: Loki or Promtail is not on this machine"
pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]
RULE = """
groups:
  - name: test
    rules: [{alert: Lines, expr: 'sum(count_over_time({service="api"}[1h])) > 0'}]
"""
BURSTS, LINES = 6, 800  # a burst is less than a file
LIMIT_KB = 400 * 1024


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where the traces go."""
    with receiver() as collector:
        yield collector


@pytest.fixture(scope="module")
def pipeline(collector: Collector) -> Iterator[Platform]:
    """The services, Promtail and Loki."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        platform.environment |= PATIENT | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        if absent(platform.settings, ("loki", "promtail")):
            pytest.skip(WITHOUT)
        try:
            platform.up(*PARTS)
            (platform.settings.data / f"loki-rules/{TENANT}/test.yml").write_text(RULE)
            yield platform
        finally:
            platform.down()


def test_every_line_is_in_loki_once_whatever_falls_over(pipeline: Platform) -> None:
    command = [
        sys.executable, "-m", "simulator", "--url", pipeline.url("api"), "--max",
        "--clients", "8", "--timeout", "60",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        log = pipeline.run_dir / "logs/json/api.log"
        wait_for("the first lines", lambda: log.exists() and log.stat().st_size > 1_000_000)
        peak = {name: resident(pipeline, name) for name in ("loki", "promtail")}
        pipeline.stop("loki")
        try:
            size = log.stat().st_size
            wait_for("what is read and not delivered", lambda: undelivered(pipeline) > 0)
            kill(pipeline)
            wait_for("lines without Loki", lambda: log.stat().st_size > size + 1_000_000)
        finally:
            pipeline.start("loki")
        run.communicate(timeout=PATIENCE * 3)

    # The last lines are still in the queue when the last answer is there. On a machine that has no
    # time registrations are refused, and later actions fail; each is a line nevertheless.
    wait_for("a line for each action", lambda: len(written(pipeline, "api")) > 25_922)
    lines = written(pipeline, "api")
    expected, newest = Counter(lines), nanoseconds(lines[-1])
    wait_for("the last line", lambda: ask(pipeline, '{service="api"}', newest, newest + 1))
    with suppress(AssertionError):  # what follows says more
        wait_for("all lines", lambda: not expected - stored(pipeline, "api", lines))
    assert stored(pipeline, "api", lines) == expected, difference(pipeline, "api", lines)
    peak = {name: max(peak[name], resident(pipeline, name)) for name in peak}
    print(f"{len(lines)} lines, each once; at most (KiB): {peak}")
    assert sum(peak.values()) < LIMIT_KB


def test_what_is_sent_again_is_shown_once(pipeline: Platform) -> None:
    """However fast: Loki would split a stream whose rate it knows into several."""
    begin = time.time_ns()
    lines = [(str(begin + number), f"{number} {'x' * 800}") for number in range(4000)]
    for _ in range(3):  # more than Loki takes at once, so that the last comes when it knows
        wait_for("room below Loki's limits", partial(push, pipeline, {"job": "again"}, lines))
    assert sorted(ask(pipeline, '{job="again"}', begin, begin + len(lines))) == sorted(lines)


def test_rotation_under_load_loses_nothing_also_with_a_kill(pipeline: Platform) -> None:
    file = pipeline.run_dir / "logs/json/rotated.log"
    settings = LogSettings(stdout=False, file=file, file_bytes=400_000, file_count=20)
    log = Log(settings, Meter(catalog.WEB))
    begin = time.time_ns()

    def arrived(text: str) -> Counter[str]:
        selector = f'{{service="web", event="library"}} |= `{text}`'
        found = lines_since(pipeline, selector, begin)
        return Counter(json.loads(line)["message"] for _, line in found)

    for burst in range(BURSTS):
        if burst == BURSTS // 2:
            kill(pipeline)
        for number in range(LINES):
            log.info("library", f"{burst}.{number}", component="rotation", stack="x " * 150)
            if number % 200 == 0:  # the queue has its bounds, and drops what is beyond
                wait_for("room", lambda: not log.pending)

        # No further than one file behind: what is more is beyond what rotating files can hold.
        def complete(burst: int = burst) -> bool:
            return len(arrived(f'"message":"{burst}.')) == LINES

        wait_for(f"all of burst {burst}", complete)
    log.close()
    assert len(list(file.parent.glob("rotated.log.*[0-9]"))) >= BURSTS // 2, "rotated"
    for burst in range(BURSTS):
        assert arrived(f'"message":"{burst}.') == Counter(f"{burst}.{n}" for n in range(LINES))


def test_a_line_is_found_by_its_request_id(pipeline: Platform) -> None:
    waits = []
    for number in range(7):
        identity = f"found-by-its-id-{number}"
        since = time.time_ns()
        request("GET", pipeline.url("api") + "/latest", headers={"X-Request-ID": identity})
        begin = time.monotonic()
        selector = f'{{service="api", event="request"}} | request_id="{identity}"'
        seen = partial(lines_since, pipeline, selector, since)
        [(_, line)] = wait_for("the line", seen)
        waits.append(time.monotonic() - begin)
        assert json.loads(line)["route"] == "/latest"
    print(f"from the answer to the line in Loki: median {statistics.median(waits):.2f} s")


def test_an_exemplar_leads_to_its_spans_and_these_to_their_lines(
    pipeline: Platform, collector: Collector
) -> None:
    links, begin = Links(), time.time_ns()
    trace_id = wait_for("a page", lambda: traced_page(pipeline))

    def exposed() -> str:
        """Return the metrics if the trace is among their exemplars."""
        accept = {"Accept": "application/openmetrics-text"}
        text = request("GET", pipeline.url("web") + "/metrics", headers=accept).body.decode()
        return text if trace_id in exemplars(text, "minitwit_http_request_duration_seconds") else ""

    text = wait_for("its exemplar", exposed)
    assert links.exemplar["url"] == TRACE_BOARD
    assert f'{links.exemplar["name"]}="{trace_id}"' in text

    spans = wait_for("the spans", lambda: page_spans(collector, trace_id))
    page, call, served, statement = spans
    assert [call.parent_id, served.parent_id, statement.parent_id] == [
        page.span_id, call.span_id, served.span_id,
    ]  # fmt: skip

    assert links.source(links.logs["datasourceUid"])["type"] == "loki"
    query = links.logs["query"].replace("${__trace.traceId}", trace_id)

    def lines() -> list[dict[str, Any]]:
        found = lines_since(pipeline, query, begin)
        return [json.loads(line) for _, line in found] if len(found) >= 2 else []

    found = wait_for("the lines", lines)
    assert {line["span_id"] for line in found} == {page.span_id, served.span_id}
    assert {line["request_id"] for line in found} == {page.attributes["minitwit.request_id"]}

    assert links.trace["matcherType"] == "label"
    labels = wait_for("labels", lambda: labels_of(pipeline, query, begin))
    assert labels[links.trace["matcherRegex"]] == trace_id


def test_the_ruler_evaluates_what_lies_in_its_folder(pipeline: Platform) -> None:
    def evaluated() -> dict[str, str]:
        answer = get(pipeline.url("loki") + "/prometheus/api/v1/rules")
        rules = [rule for group in answer.json()["data"]["groups"] for rule in group["rules"]]
        return {rule["name"]: rule["state"] for rule in rules if rule["health"] == "ok"}

    def done() -> bool:
        """One that is true fires, and those of the alerts are evaluated beside it."""
        states = evaluated()
        return states.get("Lines") == "firing" and log_alerts() <= states.keys()

    wait_for("the rules", done)


def test_what_a_service_forgot_to_mask_is_masked_and_what_is_no_json_is_kept(
    pipeline: Platform,
) -> None:
    log = pipeline.run_dir / "logs/json/other.log"
    secrets = {
        "password=hunter22": "hunter22",
        "Authorization: Bearer abcdef123456": "abcdef123456",
        "from someone@example.com": "someone@example.com",
        "postgresql://minitwit:opensesame@db/minitwit": "opensesame",
        "PassWd: swordfish": "swordfish",
        "PWD=correcthorse": "correcthorse",
        "Client_Secret='batterystaple'": "batterystaple",
        "apiToken: tr0ub4dor": "tr0ub4dor",
        "Set-Cookie: 5e55104": "5e55104",
    }
    begin = time.time_ns()
    log.write_text("".join(f"no json {number}: {text}\n" for number, text in enumerate(secrets)))

    def arrived() -> list[str]:
        found = lines_since(pipeline, '{job="minitwit"} |= "no json"', begin)
        return [line for _, line in found] if len(found) >= len(secrets) else []

    lines = "\n".join(wait_for("the lines", arrived))
    assert "***" in lines
    for secret in secrets.values():
        assert secret not in lines


def test_the_logs_of_what_runs_once_and_of_the_simulator_arrive(pipeline: Platform) -> None:
    """At their end both push for a moment only: a busy Loki may miss it."""
    loki, begin = {"LOKI_URL": pipeline.url("loki")}, time.time_ns()
    command = [
        sys.executable, "-m", "simulator", "--url", pipeline.url("api"), "--max",
        "--actions", "20", "--timeout", "10", "--password", "wrong",
    ]  # fmt: skip

    def events(service: str) -> set[str]:
        found = lines_since(pipeline, lines_of(service=service), begin)  # as the boards ask
        return {json.loads(line)["event"] for _, line in found}

    def simulated() -> bool:
        done = subprocess.run(command, cwd=ROOT, env=os.environ | loki, check=False)
        assert done.returncode == 1
        return {"startup", "action", "shutdown"} <= events("simulator")

    def migrated() -> bool:
        if pipeline.process("migrate").state == "EXITED":
            pipeline.start("migrate")
        return "migration" in events("migrate")

    wait_for("the simulator's lines", simulated)
    wait_for("what migrate told", migrated)


def test_a_log_file_that_is_removed_is_followed_again(pipeline: Platform) -> None:
    """As after a full disk: the space is free, and no later line is missing."""
    log = pipeline.run_dir / "logs/json/api.log"
    log.unlink()
    identity, begin = "after-the-removal", time.time_ns()
    request("GET", pipeline.url("api") + "/latest", headers={"X-Request-ID": identity})
    selector = f'{{service="api", event="request"}} | request_id="{identity}"'
    found = wait_for("the line", lambda: lines_since(pipeline, selector, begin))
    assert len(found) == 1
    assert identity in log.read_text()


def test_loki_takes_every_query_of_the_runbooks(pipeline: Platform) -> None:
    found = [block.text for name in NAMES for block in read(name).blocks("logql")]
    assert len(found) > 10
    now = time.time_ns()
    for query in found:
        asked = {"query": query, "start": now - 60 * 10**9, "end": now}
        path = f"/loki/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        answer = get(pipeline.url("loki") + path)
        assert answer.status == 200, f"{query}: {answer.body.decode()}"
