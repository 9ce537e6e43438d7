"""While somebody writes, and killed at any moment: the same end each time."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from app.transfer.move import Move
from app.transfer.source import Source
from app.transfer.tables import TABLES
from app.transfer.target import Target
from tests.parts import PATIENCE, ROOT, PostgresServer
from tests.transfer import old

KILLS = 20
REJECTS = "2"  # a message of nobody, a name that is taken


def importing(path: Path, url: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "app", "import-sqlite", str(path), *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={"DATABASE_URL": url, "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def sums(url: str) -> list[tuple[int, int]]:
    target = Target(url)
    with closing(target.db):
        return [target.checksum(table) for table in TABLES]


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_somebody_writes_all_the_while(
    journal: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    path = tmp_path / "minitwit.db"
    with closing(old.create(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        old.fill(connection, 500, 20_000, 5_000)
    url = postgres_server.create_database(f"live_{journal}")
    writer = old.Writer(path)
    writer.start()
    with closing(Move(Source(path), Target(url))) as move:
        move.copy()
        end = time.monotonic() + 120
        while writer.done <= 300 and time.monotonic() < end:
            if not move.follow():
                time.sleep(0.05)
        checks, held = move.switch(accepted=None)
    writer.join(PATIENCE)
    assert writer.failed == []
    assert "has moved" in writer.refused
    assert writer.done > 300
    assert all(check.equal for check in checks)
    assert [check.source[0] > 0 for check in checks] == [True] * 3
    print(f"{journal}: {writer.done} writes, the slowest {writer.slowest:.2f} s, held {held:.2f} s")


def test_killed_at_twenty_moments_the_end_is_the_same(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    path = tmp_path / "minitwit.db"
    with closing(old.create(path)) as connection:
        old.fill(connection, 2000, 60_000, 20_000)
        connection.execute("INSERT INTO message VALUES (NULL, 99999, 'whose?', 1, 0)")
        connection.execute("INSERT INTO user VALUES (NULL, 'User 1', 'e', 'h')")
    plain = tmp_path / "plain.db"
    plain.write_bytes(path.read_bytes())
    expected_url = postgres_server.create_database("plain")
    begin = time.monotonic()
    with importing(plain, expected_url, "--cut-over", "--accept-rejects", REJECTS) as process:
        assert process.wait(PATIENCE) == 3
    whole = time.monotonic() - begin
    expected = sums(expected_url)

    dice, url = random.Random(20), postgres_server.create_database("killed")
    killed = 0
    for _ in range(KILLS):
        process = importing(path, url)
        try:
            process.wait(0.1 + dice.random() * whole)
            raise AssertionError("it follows until it is told to stop")
        except subprocess.TimeoutExpired:
            with process:
                process.kill()
            killed += 1
        _write(path, dice)
    _write(plain_again := tmp_path / "minitwit.db", dice)
    process = importing(plain_again, url, "--cut-over", "--accept-rejects", REJECTS)
    text = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 3, text
    assert killed == KILLS
    assert "DIFFERENT" not in text
    found = sums(url)
    users, messages, follows = (count for count, _ in expected)
    assert [count for count, _ in found] == [users, messages + KILLS + 1, follows]
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM messages WHERE text = 'between'").fetchone()
    assert row == (KILLS + 1,)


def _write(path: Path, dice: random.Random) -> None:
    """Something changes between two tries."""
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection, connection:
        connection.execute(
            "INSERT INTO message (author_id, text, pub_date, flagged) VALUES (?, 'between', 1, 0)",
            (dice.randint(1, 2000),),
        )
