"""What the import refuses: other files, broken pages, foreign rows, differences."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from app.transfer import target
from app.transfer.move import Move
from app.transfer.problems import TransferError
from app.transfer.source import Source
from app.transfer.target import LOCK, Target
from tests.parts import PATIENCE, ROOT, PostgresServer, wait_for
from tests.transfer import old
from tests.transfer.sides import Import, message, rejects, rows, user


def test_with_rejects_the_source_stays_open(
    source: sqlite3.Connection, url: str, run: Import, tmp_path: Path
) -> None:
    user(source, "ann")
    for _ in range(3):
        message(source, 1, "when?", "last Tuesday", 0)
    for arguments in ((), ("--accept-rejects", "2"), ("--accept-rejects", "4")):
        done = run("--cut-over", *arguments)
        assert done.returncode == 1, done.stdout
        assert "3 rows would not be moved" in done.stderr
        assert len(rejects(tmp_path)) == 3
        message(source, 1, "goes on", 1, 0)
    assert run("--cut-over", "--accept-rejects", "3").returncode == 3
    assert rows(url, "SELECT count(*) FROM messages") == [(3,)]


@pytest.mark.parametrize(
    ("prepare", "complaint"),
    [
        ("CREATE TABLE other (x)", "no MiniTwit of SQLite"),
        ("nothing", "there is no such file"),
        (
            old.SCHEMA.replace("autoincrement,", ",").replace(");", ") WITHOUT ROWID;", 1),
            "user is WITHOUT ROWID",
        ),
        (
            old.SCHEMA.replace("integer primary key autoincrement", "int primary key")
            + "INSERT INTO user VALUES (NULL, 'a', 'b', 'c')",
            "1 rows of user have no whole number as user_id",
        ),
    ],
)
def test_a_file_that_cannot_be_it_is_one_plain_line(
    prepare: str, complaint: str, run: Import, tmp_path: Path
) -> None:
    if prepare != "nothing":
        with closing(sqlite3.connect(tmp_path / "minitwit.db")) as connection:
            connection.executescript(prepare)
    done = run()
    assert done.returncode == 1
    assert complaint in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--dry-run",), ("--cut-over",)])
def test_a_torn_page_is_one_plain_line(
    arguments: tuple[str, ...], source: sqlite3.Connection, run: Import, tmp_path: Path
) -> None:
    old.fill(source, 50, 2000, 10)
    size: int = source.execute("PRAGMA page_size").fetchone()[0]
    source.close()
    with (tmp_path / "minitwit.db").open("r+b") as file:
        file.seek(20 * size)
        file.write(b"\xff" * size)
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("import-sqlite: ")
    assert "Traceback" not in done.stderr


def test_a_database_that_was_not_migrated_is_said_so(
    source: sqlite3.Connection, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.create_database("bare", migrated=False)
    command = [sys.executable, "-m", "app", "import-sqlite", str(tmp_path / "minitwit.db")]
    done = subprocess.run(
        command, cwd=ROOT, env={"DATABASE_URL": url, "PATH": ""}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "run `python -m app migrate`" in done.stderr


def test_a_database_with_other_users_is_left_alone(
    source: sqlite3.Connection, url: str, run: Import
) -> None:
    user(source, "ann")
    with closing(Target(url).db) as db:
        db.execute("INSERT INTO users (username, email, pw_hash) VALUES ('b', 'b', 'b')")
    done = run("--cut-over")
    assert done.returncode == 1
    assert "has users already" in done.stderr
    assert rows(url, "SELECT username FROM users") == [("b",)]


def test_a_difference_stops_the_switch(
    source: sqlite3.Connection, url: str, run: Import, tmp_path: Path
) -> None:
    user(source, "ann")
    message(source, 1, "text", 1, 0)
    with closing(Move(Source(tmp_path / "minitwit.db"), Target(url))) as move:
        move.copy()
        move.target.db.execute("UPDATE messages SET text = 'tampered'")
    done = run("--cut-over")
    assert done.returncode == 1
    assert "not equal: messages; nothing was switched" in done.stderr
    assert "rows that differ: 1\n" in done.stdout
    message(source, 1, "goes on", 2, 0)
    assert run("--verify").returncode == 1


def test_one_import_at_a_time_and_one_that_is_about_to_end_is_waited_for(
    url: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session of one that was killed a little later."""
    own = postgres_server.import_url(url)
    with psycopg.connect(url, autocommit=True) as other, ThreadPoolExecutor(1) as pool:
        other.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        monkeypatch.setattr(target, "LOCK_WAIT", "100ms")
        with pytest.raises(TransferError, match="another import is running"):
            Target(own)
        monkeypatch.setattr(target, "LOCK_WAIT", f"{PATIENCE:g}s")
        second = pool.submit(Target, own)
        waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_for("the second", lambda: other.execute(waiting).rowcount or second.done())
        assert not second.done()
        other.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))
        db = second.result().db
        assert db.execute("SHOW lock_timeout").fetchone() == ("0",), "for the lock alone"
        db.close()
