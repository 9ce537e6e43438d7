"""What no Promtail follows pushes its log to Loki: migrate, flag, import-sqlite, the simulator."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.database.roles import ONE
from tests.observability.instrument.test_loki import Loki
from tests.parts import PATIENCE, ROOT, PostgresServer, Service, free_port, wait_for

LOST = "lines of the log did not reach Loki"
SCHEMA = """
CREATE TABLE user (user_id INTEGER PRIMARY KEY, username TEXT, email TEXT, pw_hash TEXT);
CREATE TABLE follower (who_id INTEGER, whom_id INTEGER);
CREATE TABLE message (
    message_id INTEGER PRIMARY KEY, author_id INTEGER, text TEXT, pub_date INTEGER, flagged INTEGER
);
"""


@pytest.fixture
def server() -> Iterator[Loki]:
    server = Loki()
    yield server
    server.close()


def run(*command: str, port: int, **variables: str) -> subprocess.CompletedProcess[str]:
    loki = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "LOKI_URL": loki, **variables}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=environment, timeout=PATIENCE,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


Line = tuple[str, str, str]


def pushed(status: int, service: str, *command: str, **variables: str) -> tuple[str, list[Line]]:
    """What a command said on standard error, and pushed: level, event, message."""
    with closing(Loki()) as server:  # of its own: what is late is of no other run
        done = run(*command, port=server.port, **variables)
    assert done.returncode == status, done.stderr
    rows = [row for row in server.entries if row["service"] == service]
    return done.stderr, [(row["level"], row["event"], row["message"]) for row in rows]


def whole(status: int, service: str, *command: str, **variables: str) -> list[Line]:
    """What a command pushed; run again if the stand-in did not answer it in time."""

    def log() -> list[Line]:
        said, lines = pushed(status, service, *command, **variables)
        return [] if LOST in said else lines

    return wait_for("the whole log", log)


def test_a_command_pushes_what_it_did_and_how_it_ended(database_url: str, tmp_path: Path) -> None:
    known = {"DATABASE_URL": database_url}
    assert whole(0, "migrate", "app", "migrate", **known) == [
        ("info", "migration", "the schema is up to date"),
        ("info", "migration", ONE), ("info", "migration", "done"),
    ]  # fmt: skip
    [(level, event, message)] = whole(1, "flag", "app", "flag", "set", "7", **known)
    assert (level, event) == ("error", "flag")
    assert "7" in message
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.executescript(SCHEMA)
    command = ("app", "import-sqlite", str(tmp_path / "old.db"), "--dry-run")
    assert [event for _, event, _ in whole(0, "import", *command, **known)] == ["import", "import"]


def test_the_simulator_pushes_its_start_its_failures_and_its_end(api: Service) -> None:
    command = ("simulator", "--actions", "20", "--max", "--password", "wrong", "--url", api.url)

    def log() -> list[Line]:
        """All of it, if its end is there: what gets lost, unsaid, comes last."""
        lines = pushed(1, "simulator", *command)[1]
        return lines if lines and lines[-1][1] == "shutdown" else []

    lines = wait_for("the whole log", log)
    assert lines[0][1] == "startup"
    failed = [message for _, event, message in lines if event == "action"]
    assert failed
    assert lines[-1] == ("info", "shutdown", f"20 actions, {len(failed)} errors")


@pytest.mark.parametrize("how", ["hang", "refuse", "away"])
def test_a_bad_loki_fails_no_command_and_what_is_lost_is_told(
    how: str, server: Loki, postgres_server: PostgresServer
) -> None:
    server.mode = 400 if how == "refuse" else "hang"
    port = free_port() if how == "away" else server.port
    url = postgres_server.create_database(f"loki_{how}")
    done = run("app", "migrate", port=port, DATABASE_URL=url)
    assert done.returncode == 0
    assert LOST in done.stderr
    assert "Traceback" not in done.stderr
