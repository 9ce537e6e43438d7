"""What the tests of the backup share: a database, and the real scripts."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from observability.stack.local import postgres
from tests.parts import PATIENCE, ROLES, ROOT, PostgresServer

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SCRIPTS = ROOT / "deploy/backup"


def stand_in(folder: Path, name: str, script: str) -> str:
    """Write a stand-in for a program; return the PATH that finds it first."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)
    return f"{tools}:{postgres.BIN}:{os.environ['PATH']}"


@pytest.fixture
def database(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database with rows."""
    name = f"backup{abs(hash(request.node.name))}"
    url = postgres_server.create_database(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO users (username, email, pw_hash)"
            " SELECT 'user ' || n, 'a@b', 'x' FROM generate_series(1, 200) n"
        )
        connection.execute(
            "INSERT INTO messages (author_id, text, pub_date)"
            " SELECT 1 + n % 200, 'text é \\ ' || n, n FROM generate_series(1, 5000) n"
        )
        connection.execute("INSERT INTO follows SELECT n, n + 1 FROM generate_series(1, 99) n")
    yield name


@pytest.fixture
def environment(postgres_server: PostgresServer, database: str, tmp_path: Path) -> dict[str, str]:
    """The environment of the component backup."""
    [role] = [role for role in ROLES if role.purpose == "backup"]
    (tmp_path / "password").write_text(role.password)
    (tmp_path / "owner").write_text(postgres_server._password)
    return {
        "PATH": f"{postgres.BIN}:{os.environ['PATH']}",
        "DATABASE_ADDRESS": f"127.0.0.1:{postgres_server.port}",
        "PGDATABASE": database,
        "PGUSER": role.name,
        "PGPASSWORD_FILE": str(tmp_path / "password"),
        "BACKUPS": str(tmp_path / "backups"),
        "CDPATH": f".:{tmp_path}",  # of a shell: "cd" then goes elsewhere, and prints where
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run a script: the backup as the read-only role, others as the owner."""
    owner = {"PGUSER": postgres.USER, "PGPASSWORD_FILE": str(tmp_path / "owner")}

    def run(script: str, *arguments: str, **other: str) -> subprocess.CompletedProcess[str]:
        mine = environment | (owner if script != "backup.sh" else {}) | other
        return subprocess.run(
            ["sh", script, *arguments], cwd=SCRIPTS,
            env=mine, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    return run
