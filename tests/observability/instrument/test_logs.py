"""JSON logs: one object a line whatever is logged, rotation without loss, sinks that fail."""

from __future__ import annotations

import ast
import fcntl
import json
import logging
import os
import resource
import shutil
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability import catalog
from observability.instrument import redaction
from observability.instrument.log_line import Record, make_line
from observability.instrument.logfile import LogFile
from observability.instrument.logs import (
    QUEUE_SIZE,
    Log,
    LogSettings,
    capture_libraries,
)
from observability.instrument.metrics import Meter
from tests.observability.instrument.served import samples
from tests.parts import ROOT, Service, wait_for


@given(
    st.text(), st.dictionaries(st.sampled_from(catalog.LOG_FIELDS[5:]), st.text() | st.integers())
)
@settings(max_examples=200, deadline=None)
def test_any_text_is_one_line_of_ascii_json(message: str, fields: dict[str, object]) -> None:
    text = make_line("api", Record(time.time_ns(), "info", "request", message, fields)).text
    assert text.endswith("\n")
    assert all(" " <= character < "\x7f" for character in text[:-1])
    assert json.loads(text)["message"] == redaction.text(message)


def test_the_time_is_utc_with_nanoseconds() -> None:
    record = Record(1_700_000_000_123_456_789, "info", "request", "", {})
    assert json.loads(make_line("api", record).text)["ts"] == "2023-11-14T22:13:20.123456789Z"


def test_lines_stand_in_the_order_in_which_they_were_logged(tmp_path: Path) -> None:
    """The lines of a request come before its request log line."""
    meter, path = Meter(catalog.API), tmp_path / "app.log"
    log = Log(LogSettings(stdout=False, file=path), meter)
    for number in range(5_000):
        log.info("request", count=number)
        log.error("db_error", count=number)
        if number % 1_000 == 0:
            wait_for("room", lambda: not log.pending)
    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["count"] for line in lines] == [number // 2 for number in range(10_000)]
    counted = samples(meter, catalog.LOG_RECORDS.name)
    assert (counted[("info",)], counted[("error",)]) == (5_000, 5_000)
    assert sum(samples(meter, catalog.LOG_DROPPED.name).values()) == 0


@pytest.mark.parametrize("how", ["removed", "renamed", "folder removed", "another put there"])
def test_a_file_that_vanishes_is_made_anew(how: str, tmp_path: Path) -> None:
    """What a runbook advises on a full disk must not end the log."""
    meter, folder = Meter(catalog.API), tmp_path / "logs"
    path = folder / "app.log"
    log = Log(LogSettings(stdout=False, file=path), meter)
    log.info("request", count=1)
    wait_for("a line", lambda: path.exists() and path.stat().st_size)
    if how == "removed":
        path.unlink()
    elif how == "renamed":
        path.rename(folder / "old.log")
    elif how == "folder removed":
        shutil.rmtree(folder)
    else:
        (folder / "new.log").write_text("")
        (folder / "new.log").replace(path)
    log.info("request", count=2)
    log.close()
    assert [json.loads(line)["count"] for line in path.read_text().splitlines()] == [2]
    assert samples(meter, catalog.LOG_DROPPED.name)[("file",)] == 0


def test_a_line_that_was_torn_is_not_fused_with_the_next(tmp_path: Path) -> None:
    """A limit on the file's size tears a line as a full disk does."""
    path = tmp_path / "app.log"
    out = LogFile(path, 1_000_000, 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (25, hard))
        with pytest.raises(OSError, match="File too large"):
            out.write(b'{"count":1,"text":"this is cut off"}\n')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    out.write(b'{"count":2}\n')
    out.write(b'{"count":3}\n')
    out.close()
    torn, *lines = path.read_text().splitlines()
    assert torn == '{"count":1,"text":"this is'[:25]
    assert lines == ['{"count":2}', '{"count":3}']


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
        before = written()
        log = Log(where, Meter(catalog.API))
        for number in range(lines):
            log.info("request", count=number)
        wait_for("its lines", lambda: written() >= before + 1)
        return log

    def written() -> int:
        return sum(len(p.read_text().splitlines()) for p in tmp_path.glob("app*.log"))

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


def test_a_stalled_sink_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(catalog.API)
    reader, writer = os.pipe()  # that nobody reads
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1)  # rounded up to a page
    os.write(writer, bytes(fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)))
    out = os.fdopen(writer, "wb", buffering=0)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    log = Log(LogSettings(), meter)
    log.info("request")
    wait_for("the line on which the writer waits", lambda: log.pending == 0)
    for _ in range(2 * QUEUE_SIZE):
        log.info("request")
    assert log.pending == QUEUE_SIZE
    assert samples(meter, catalog.LOG_DROPPED.name)[("queue",)] == QUEUE_SIZE
    os.close(reader)
    log.close()
    out.close()


@pytest.mark.parametrize("suffix", ["", ".lock"])
def test_a_fifo_in_place_of_the_file_is_counted_and_survived(tmp_path: Path, suffix: str) -> None:
    """Opening one waits for a reader, who may never come."""
    meter, path = Meter(catalog.API), tmp_path / "app.log"
    pipe = tmp_path / f"app.log{suffix}"
    os.mkfifo(pipe)
    log = Log(LogSettings(stdout=False, file=path), meter)
    log.info("request", count=1)
    wait_for("the count", lambda: samples(meter, catalog.LOG_DROPPED.name)[("file",)] == 1)
    pipe.unlink()
    log.info("request", count=2)
    log.close()
    assert json.loads(path.read_text())["count"] == 2


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
    identity = answer.headers["x-request-id"]
    found = wait_for("its line", lambda: [r for r in api.logs() if r.get("request_id") == identity])
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
    found = wait_for(
        "its line", lambda: [r for r in api.logs() if r.get("request_id") == "invalid-one"]
    )
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
