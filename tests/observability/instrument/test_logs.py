"""JSON logs: one object a line whatever is logged, rotation without loss, sinks that fail."""

from __future__ import annotations

import ast
import json
import logging
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability import catalog
from observability.instrument import context, redaction
from observability.instrument.access import Access, Kind
from observability.instrument.logs import (
    GATHER_SECONDS,
    Log,
    LogSettings,
    capture_libraries,
    line,
    take,
    written,
)
from observability.instrument.metrics import Meter
from tests.observability.instrument.served import samples
from tests.parts import ROOT, Service, wait_for


@given(
    st.text(), st.dictionaries(st.sampled_from(catalog.LOG_FIELDS[5:]), st.text() | st.integers())
)
@settings(max_examples=200, deadline=None)
def test_any_text_is_one_line_of_ascii_json(message: str, fields: dict[str, object]) -> None:
    data = line("api", (time.time_ns(), "info", "request", message, fields)).data
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 1
    assert all(32 <= byte < 127 for byte in data[:-1])
    assert json.loads(data)["message"] == redaction.text(message)


def test_the_time_is_utc_with_nanoseconds() -> None:
    record = json.loads(line("api", (1_700_000_000_123_456_789, "info", "request", "", {})).data)
    assert record["ts"] == "2023-11-14T22:13:20.123456789Z"


WORDS = st.sampled_from(["ok", "follow", "invalid", "a@b.example", 'say "so"', "line\nbreak"])


@given(
    st.sampled_from(catalog.LOG_FIELDS[5:]).filter(lambda name: not name.endswith("_id")),
    WORDS, WORDS, st.integers(200, 599), st.floats(0, 100), st.booleans(),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_a_request_has_the_line_that_any_record_would_have(
    field: str, value: str, outcome: str, status: int, seconds: float, joined: bool
) -> None:
    request = context.RequestContext("0123456789ab")
    request.trace_id, request.span_id, request.parent_id = "a" * 32, "b" * 16, "c" * 16 * joined
    request.fields, request.db_seconds = {field: value, "outcome": outcome}, seconds / 2
    kind = Kind("api", "GET", "/msgs/{username}", status)
    access = (time.time_ns(), kind, request, seconds, 9)
    expected = line("api", access)
    shown = written("api", access)
    assert json.loads(shown) == json.loads(expected.data)
    assert list(json.loads(shown)) == list(json.loads(expected.data))
    assert shown.count(b"\n") == 1


def test_a_secret_in_the_trace_of_a_caller_is_masked() -> None:
    request = context.RequestContext("0123456789ab")
    request.trace_id, request.span_id, request.parent_id = "5ec" + "d" * 29, "b" * 16, "c" * 16
    access = (time.time_ns(), Kind("api", "GET", "/msgs", 200), request, 1, 9)
    assert "5ec" + "d" * 29 in written("api", access).decode()
    redaction.know("5ec" + "d" * 29)
    try:
        assert "5ec" + "d" * 29 not in written("api", access).decode()
    finally:
        redaction._known.clear()
        redaction.know("")


def served(number: int) -> Access:
    kind = KINDS[number % 2]
    return time.time_ns(), kind, context.RequestContext(f"request-{number}"), 0.001, number


KINDS = (Kind("api", "GET", "/msgs", 200), Kind("api", "GET", "/msgs/{username}", 404))


def test_under_load_each_request_and_each_record_has_one_line(tmp_path: Path) -> None:
    """The event loop and the thread make them, and must not get in each other's way."""
    meter = Meter(catalog.API)
    path = tmp_path / "app.log"
    log = Log(LogSettings(stdout=False, file=path), meter)
    for number in range(20_000):
        log.request(served(number))
        if number % 100 == 0:
            log.error("db_error", "between", count=number)
        if number % 2_000 == 0:
            time.sleep(0.06)  # the thread gets its turn in the midst of it
    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    requests = [line["bytes"] for line in lines if line["event"] != "db_error"]
    assert sorted(requests) == list(range(20_000))
    assert sorted(line["count"] for line in lines if line["event"] == "db_error") == list(
        range(0, 20_000, 100)
    )
    counted = samples(meter, catalog.LOG_RECORDS.name)
    assert (counted[("info",)], counted[("warning",)], counted[("error",)]) == (10_000, 10_000, 200)
    assert sum(samples(meter, catalog.LOG_DROPPED.name).values()) == 0
    log._served.extend([served(1), served(2)])  # the other one has taken the third
    assert len(take(log._served, 3)) == 2


def test_what_was_said_of_a_request_stands_before_its_line(tmp_path: Path) -> None:
    """Who finds a request's line, such as a follower of the file, finds what led to it above."""
    path = tmp_path / "app.log"
    log = Log(LogSettings(stdout=False, file=path), Meter(catalog.API))
    for number in range(400):
        log.error("unhandled", "", bytes=number)
        log.request(served(number))
        time.sleep(0.0005)  # a few of the thread's turns fall in between
    log.close()
    said: set[int] = set()
    for record in map(json.loads, path.read_text().splitlines()):
        if record["event"] == "unhandled":
            said.add(record["bytes"])
        else:
            assert record["bytes"] in said
    assert len(said) == 400


def test_the_thread_rests_while_there_is_load() -> None:
    """If it stayed for what comes meanwhile, it would take the interpreter at every line."""
    log = Log(LogSettings(stdout=False), Meter(catalog.API))
    writes: list[bytes] = []
    log._sinks["counted"] = type("Counted", (), {"write": lambda _, data: writes.append(data),
                                                 "close": lambda _: None})()  # fmt: skip
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        log.info("request")
        time.sleep(0.0005)
    log.close()
    rests = (time.monotonic() - began) / GATHER_SECONDS
    assert len(writes) <= 2 * rests + 2


def test_rotation_by_rename_loses_no_line(tmp_path: Path) -> None:
    meter = Meter(catalog.API)
    path = tmp_path / "app.log"
    log = Log(LogSettings(stdout=False, file=path, file_bytes=20_000, file_count=50), meter)
    for number in range(2_000):
        log.info("request", count=number)
        if number % 100 == 0:
            time.sleep(0.002)  # let the writer take several batches
    log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) > 3
    numbers = [json.loads(row)["count"] for file in files for row in file.read_text().splitlines()]
    assert sorted(numbers) == list(range(2_000))


def test_two_replicas_with_one_path_write_two_files_also_after_a_restart(tmp_path: Path) -> None:
    where = LogSettings(stdout=False, file=tmp_path / "app.log", file_bytes=10_000, file_count=50)

    def replica(lines: int) -> Log:
        log = Log(where, Meter(catalog.API))
        for number in range(lines):
            log.info("request", count=number)
        wait_for("its lock", lambda: log._sinks["file"]._lock)  # type: ignore[attr-defined]
        return log

    first, second = replica(1), replica(1)
    first.close()
    third = replica(500)
    second.close()
    third.close()
    counts = {
        name: sum(len(p.read_text().splitlines()) for p in tmp_path.glob(f"{name}.log*"))
        for name in ("app", "app-2")
    }
    assert counts == {"app": 501, "app-2": 1}
    assert not list(tmp_path.glob("app-3*"))


def test_a_full_disk_costs_records_which_are_counted_and_nothing_else() -> None:
    meter = Meter(catalog.API)
    log = Log(LogSettings(stdout=False, file=Path("/dev/full")), meter)
    for _ in range(50):
        log.info("request")
    log.close()
    assert samples(meter, catalog.LOG_DROPPED.name)[("file",)] == 50


def test_a_stalled_sink_blocks_nobody(tmp_path: Path) -> None:
    meter = Meter(catalog.API)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # opening it for writing waits for a reader that never comes
    log = Log(LogSettings(stdout=False, file=pipe), meter)
    started = time.monotonic()
    for _ in range(12_000):
        log.info("request")
    assert time.monotonic() - started < 5
    assert samples(meter, catalog.LOG_DROPPED.name)[("queue",)] > 0
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    log.close()
    os.close(reader)


def test_libraries_log_into_the_same_stream(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]
    log = Log(LogSettings(stdout=False, file=tmp_path / "app.log"), Meter(catalog.API))
    try:
        capture_libraries(log)
        logging.getLogger("some.library").warning("told you: %s", "so")
    finally:
        logging.getLogger().handlers[:] = before
    log.close()
    record = json.loads((tmp_path / "app.log").read_text())
    assert (record["component"], record["message"]) == ("some.library", "told you: so")


def test_a_request_and_its_outcome_are_one_line_with_the_request_id(api: Service) -> None:
    answer = api.send("POST", "/register", {"username": "logged", "email": "a@b", "pwd": "x"})
    found: list[dict[str, object]] = []
    deadline = time.monotonic() + 5
    while not found and time.monotonic() < deadline:
        found = [r for r in api.logs() if r.get("request_id") == answer.headers["x-request-id"]]
    assert len(found) == 1
    record = found[0]
    expected = {
        "event": "request", "method": "POST", "route": "/register", "status": 204,
        "action": "registered", "outcome": "ok", "service": "api", "level": "info",
    }  # fmt: skip
    assert expected.items() <= record.items()
    assert set(record) <= set(catalog.LOG_FIELDS)
    assert 0 < float(str(record["db_ms"])) <= float(str(record["duration_ms"]))


def test_invalid_requests_are_logged_with_their_reason(api: Service) -> None:
    api.send("POST", "/register", b"no json", X_Request_ID="invalid-one")
    deadline = time.monotonic() + 5
    found: list[dict[str, object]] = []
    while not found and time.monotonic() < deadline:
        found = [r for r in api.logs() if r.get("request_id") == "invalid-one"]
    assert found[0]["event"] == "invalid_request"
    assert found[0]["level"] == "warning"
    assert found[0]["reason"] == "The body must be a JSON object"


LOGGED = {"debug", "info", "warning", "error", "note"}


@pytest.mark.parametrize("package", ["app", "observability"])
def test_events_and_fields_in_the_code_are_those_of_the_catalogue(package: str) -> None:
    seen = 0
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in LOGGED or ast.unparse(node.func.value) not in _LOGS:
                continue
            seen += 1
            names = {keyword.arg for keyword in node.keywords}
            assert names <= set(catalog.LOG_FIELDS), f"{path.name}:{node.lineno}: {names}"
            if node.func.attr != "note":
                event = node.args[0]
                assert isinstance(event, ast.Constant)
                assert event.value in catalog.EVENTS, f"{path.name}:{node.lineno}: {event.value!r}"
    assert seen > 0


_LOGS = {"log", "self._log", "context"}
