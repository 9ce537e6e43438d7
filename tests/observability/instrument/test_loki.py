"""The direct path: whatever Loki does, nobody waits, and every record is delivered or counted."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from logging_loki.emitter import LokiEmitter

from app import settings
from app.settings import Environment, SettingsError
from observability import catalog
from observability.instrument import loki
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter
from tests.observability.instrument.served import samples
from tests.parts import PATIENCE, free_port, start_service, wait_for

QUEUE = 100


class Loki:
    """A push API as strict as Loki's; ``mode`` tells how it misbehaves."""

    def __init__(self, port: int = 0) -> None:
        self.mode: int | str = 204
        self.posts, self.entries = 0, list[dict[str, Any]]()
        self.authorization: set[str | None] = set()
        self.release = threading.Event()
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                stand_in.posts += 1
                stand_in.authorization.add(self.headers["Authorization"])
                mode = stand_in.mode
                if mode == "hang":
                    stand_in.release.wait(PATIENCE)
                elif mode == "slow":
                    stand_in.release.wait(1)
                if mode == "reset":
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status = mode if isinstance(mode, int) else 204
                if status == 204:
                    stand_in.take(self.path, self.headers["Content-Type"], body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that has left is no error here."""

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, path: str, kind: str, body: bytes) -> None:
        assert (path, kind) == ("/loki/api/v1/push", "application/json")
        streams = json.loads(body)["streams"]
        assert len(streams) <= loki.BATCH
        for stream in streams:
            assert set(stream) == {"stream", "values"}
            assert set(stream["stream"]) == {"job", "service", "level", "event"}
            for stamp, text, metadata in stream["values"]:
                assert stamp.isdecimal() and len(stamp) == 19
                assert set(metadata) <= {"trace_id", "request_id", "route"}
                assert all(isinstance(value, str) for value in metadata.values())
                row = json.loads(text)
                assert stream["stream"].items() <= ({"job": "minitwit"} | row).items()
                self.entries.append({**row, "stamp": stamp, "metadata": metadata})

    def counts(self) -> list[int]:
        return [row["count"] for row in self.entries if row["event"] == "request"]

    def close(self) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server() -> Iterator[Loki]:
    server = Loki()
    yield server
    server.close()


@contextmanager
def logging_to(port: int, folder: Path, user: str = "") -> Iterator[tuple[Log, Meter, Path]]:
    meter, path = Meter(catalog.API), folder / "app.log"
    url = f"http://{user}127.0.0.1:{port}"
    log = Log(LogSettings(stdout=False, file=path, loki=url), meter)
    yield log, meter, path
    log.close()


def rows(path: Path, event: str) -> list[dict[str, Any]]:
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    return [row for row in map(json.loads, lines) if row["event"] == event]


def dropped(meter: Meter) -> int:
    return int(samples(meter, catalog.LOG_DROPPED.name)[("loki",)])


def test_every_record_arrives_once_with_its_time_labels_and_ids(
    server: Loki, tmp_path: Path
) -> None:
    password = "p:w/" + secrets.token_hex(8)
    user = f"minitwit:{password.replace(':', '%3A').replace('/', '%2F')}@"
    with logging_to(server.port, tmp_path, user) as (log, meter, path):
        began = time.time_ns()
        for number in range(1000):
            log.info("request", count=number, route="/msgs/{username}", trace_id="ab", db_ms=1.5)
        log.error("unhandled", "no ids here")
        wait_for("all of it", lambda: len(server.entries) >= 1001)
    assert sorted(server.counts()) == list(range(1000))
    for row in server.entries:
        assert began <= int(row["stamp"]) <= time.time_ns()
        if row["event"] == "request":
            assert row["metadata"] == {"trace_id": "ab", "route": "/msgs/{username}"}
    assert server.entries[-1]["metadata"] == {}
    expected = base64.b64encode(f"minitwit:{password}".encode()).decode()
    assert server.authorization == {f"Basic {expected}"}
    assert dropped(meter) == 0
    assert rows(path, "log_dropped") == []
    assert server.posts < 20  # in batches


BAD: dict[str, Callable[[Loki], None]] = {
    "429": lambda server: setattr(server, "mode", 429),
    "500": lambda server: setattr(server, "mode", 500),
    "hang": lambda server: setattr(server, "mode", "hang"),
    "slow": lambda server: setattr(server, "mode", "slow"),
    "reset": lambda server: setattr(server, "mode", "reset"),
    "dead": Loki.close,
}


def emitters_made(monkeypatch: pytest.MonkeyPatch) -> list[LokiEmitter]:
    """The library's emitters, as they are made."""
    made, make = list[LokiEmitter](), loki.emitter

    def emitter(url: str) -> LokiEmitter:
        made.append(make(url))
        return made[-1]

    monkeypatch.setattr(loki, "emitter", emitter)
    return made


@pytest.mark.parametrize("how", BAD)
def test_a_bad_loki_costs_its_own_records_only_and_is_told_once(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loki, "QUEUE_SIZE", QUEUE)
    monkeypatch.setattr(loki, "BATCH", 20)
    monkeypatch.setattr(loki, "RETRY_SECONDS", (0.1,))
    monkeypatch.setattr(loki, "DRAIN_SECONDS", PATIENCE / 2)
    if how in ("hang", "slow"):
        monkeypatch.setattr(loki, "TIMEOUT", (0.5, 0.5))
    emitters = emitters_made(monkeypatch)
    total, port = 20 * QUEUE, free_port()
    server = Loki(port)
    BAD[how](server)
    with logging_to(port, tmp_path) as (log, meter, path):
        for number in range(total):
            log.info("request", count=number)
        wait_for("all in the file", lambda: len(rows(path, "request")) == total)
        wait_for("drops", lambda: dropped(meter) > 0)
        wait_for("the complaint", lambda: rows(path, "log_dropped"))
        # Good again: what waited arrives, and what did not is told.
        if how == "dead":
            server = Loki(port)
        emitters[0].timeout = (PATIENCE, PATIENCE)  # or a slow answer would be another outage
        server.mode = 204
        server.release.set()
        wait_for("recovery", lambda: len(rows(path, "log_dropped")) == 2)
        wait_for("the rest", lambda: len(set(server.counts())) + dropped(meter) >= total)
    complaint, recovery = rows(path, "log_dropped")
    assert (complaint["level"], recovery["level"]) == ("warning", "info")
    assert complaint["component"] == recovery["component"] == "loki"
    assert recovery["count"] == dropped(meter)
    arrived = set(server.counts())
    assert len(arrived) + dropped(meter) in range(total, total + 3)  # our own lines may be lost
    if how in ("429", "500", "reset", "dead"):
        assert len(server.counts()) == len(arrived), "twice"
    server.close()


def test_what_loki_refuses_for_good_is_not_sent_again(server: Loki, tmp_path: Path) -> None:
    server.mode = 400
    with logging_to(server.port, tmp_path) as (log, meter, path):
        log.info("request", count=1)
        wait_for("the drop", lambda: dropped(meter) >= 1)
        server.mode = 204
        log.info("request", count=2)
        wait_for("the next", lambda: server.counts() == [2])
    assert "status 400" in rows(path, "log_dropped")[0]["message"]


def test_the_end_delivers_what_waits(
    server: Loki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loki, "DRAIN_SECONDS", PATIENCE / 2)  # delivering takes what it takes
    with logging_to(server.port, tmp_path) as (log, meter, _):
        for number in range(600):
            log.info("request", count=number)
    assert sorted(server.counts()) == list(range(600))
    assert dropped(meter) == 0


def test_the_end_is_bounded(server: Loki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.mode = "hang"  # and no push times out
    with logging_to(server.port, tmp_path) as (log, meter, path):
        for number in range(600):
            log.info("request", count=number)
        began = time.monotonic()
    assert time.monotonic() - began < PATIENCE / 4, "two seconds, and what the machine takes"
    assert dropped(meter) == 600
    assert len(rows(path, "request")) == 600
    assert rows(path, "log_dropped")[-1]["count"] == 600


def test_a_service_without_a_file_serves_while_loki_hangs(
    server: Loki, database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server.mode = "hang"
    password = "pass-" + secrets.token_hex(6)
    url = f"http://user:{password}@127.0.0.1:{server.port}"
    said: list[str] = []

    def complained() -> bool:
        said.extend(capfd.readouterr())
        return '"component":"loki"' in "".join(said)

    with start_service(
        "api", tmp_path, DATABASE_URL=database_url, LOKI_URL=url, LOG_FILE="", LOG_STDOUT="1"
    ) as api:
        for _ in range(100):
            assert api.get("/latest").status == 200
        wait_for("a push", lambda: server.posts)
        wait_for("the complaint", complained)
    assert api.process.returncode == 0
    said.extend(capfd.readouterr())
    assert password not in "".join(said)


def test_what_promtail_follows_is_not_pushed_as_well(tmp_path: Path) -> None:
    read = settings.server(Environment({"LOKI_URL": "http://h:3100", "LOG_FILE": "x.log"}), 5001)
    assert read.log.loki == ""


@pytest.mark.parametrize(
    "bad", ["loki:3100", "ftp://u:pw-of-loki@h", "http://", "http://[u:pw-of-loki"]
)
def test_a_wrong_address_is_named_but_not_shown(bad: str) -> None:
    with pytest.raises(SettingsError, match="LOKI_URL must be an address") as caught:
        settings.server(Environment({"LOKI_URL": bad}), 5001)
    assert "pw-of-loki" not in str(caught.value)


def test_settings_do_not_show_the_password(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("http://u:pw-of-loki@h:3100\n")
    read = settings.server(Environment({"LOKI_URL_FILE": str(tmp_path / "url")}), 5001)
    assert read.log.loki == "http://u:pw-of-loki@h:3100"
    assert "pw-of-loki" not in repr(read)
