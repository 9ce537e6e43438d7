"""Fixtures of the import: a SQLite file, an empty database, and the command."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import PATIENCE, ROOT, PostgresServer
from tests.transfer import old
from tests.transfer.sides import Import


@pytest.fixture
def url(postgres_server: PostgresServer, request: pytest.FixtureRequest) -> str:
    """An empty database of one's own."""
    return postgres_server.create_database(f"moved{abs(hash(request.node.name))}")


@pytest.fixture
def source(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = old.create(tmp_path / "minitwit.db")
    yield connection
    connection.close()


@pytest.fixture
def run(url: str, postgres_server: PostgresServer, tmp_path: Path) -> Import:
    def run(*arguments: str, **shell: str) -> subprocess.CompletedProcess[str]:
        file = str(tmp_path / "minitwit.db")
        return subprocess.run(
            [sys.executable, "-m", "app", "import-sqlite", file, *arguments],
            cwd=ROOT,
            env={"DATABASE_URL": postgres_server.import_url(url), "PATH": "", **shell},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    return run
