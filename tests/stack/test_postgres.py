"""Our own PostgreSQL: its user on this machine, its privileges, and its log."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from observability.stack.local import postgres
from tests.parts import PostgresServer

PERSONAL = "somebody@example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """In a folder that nobody but us may enter, as a checkout below /root is."""
    with tempfile.TemporaryDirectory(prefix="minitwit-closed-") as folder:
        home = Path(folder) / "state"
        home.mkdir()
        server = PostgresServer(home)
        try:
            yield server
        finally:
            server.stop()
            if home.is_symlink():
                shutil.rmtree(home.resolve())


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: there is nothing to drop")
def test_it_runs_without_any_right_of_ours(server: PostgresServer) -> None:
    status = Path(f"/proc/{server.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) != {"0"}
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(fields[name], 16) == 0, name
    assert fields["NoNewPrivs"] == "1"


def test_its_owner_reads_no_file_of_ours(server: PostgresServer, tmp_path: Path) -> None:
    """Not even a superuser of the database, where the database is another user than we."""
    if os.geteuid() != 0:
        pytest.skip("not root: the database runs as us")
    secret = tmp_path / "secret"
    secret.write_text("ours")
    secret.chmod(0o600)
    with (
        psycopg.connect(server.url("postgres")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT pg_read_file(%s)", [str(secret)])


def test_its_log_has_nothing_that_people_sent(server: PostgresServer) -> None:
    log = server.home / "log"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE people (email text NOT NULL, hash text NOT NULL)")
        connection.execute("SET log_min_duration_statement = 0")
        connection.execute("INSERT INTO people VALUES (%s, %s)", (PERSONAL, "h"))
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute("INSERT INTO people VALUES (%s, %s)", (PERSONAL, None))
    text = log.read_text()
    assert "INSERT INTO people" in text
    assert "violates not-null" in text
    assert PERSONAL not in text


def test_its_programs_are_where_its_user_can_run_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a checkout below /root; two processes may copy them at once."""
    if os.geteuid() != 0:
        pytest.skip("not root: they are run where they are")
    with tempfile.TemporaryDirectory() as closed, tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o755)
        wheels = Path(closed) / "packages"
        for part in (postgres._PROGRAMS, postgres._LIBRARIES):
            shutil.copytree(postgres._PACKAGES / part, wheels / part, symlinks=True)
        monkeypatch.setattr(postgres, "BIN", wheels / postgres._PROGRAMS / "bin")
        monkeypatch.setattr(postgres, "_PACKAGES", wheels)
        monkeypatch.setattr(postgres, "SHARED", Path(shared))
        with ThreadPoolExecutor(2) as pool:
            [program] = {*pool.map(postgres.program.__wrapped__, ["initdb"] * 2)}
        assert Path(program).is_relative_to(shared)
        assert len([*Path(shared).iterdir()]) == 1
        done = subprocess.run([*postgres.as_unprivileged(), program, "--version"], check=False)
        assert done.returncode == 0
