"""Backups are complete, of one moment, and can be restored: rehearsed with the real scripts."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from observability.catalog import BACKUP_SIZE, BACKUP_TIME
from observability.stack.local import postgres
from tests.parts import (
    FOREIGN_PG,
    PATIENCE,
    ROLES,
    ROOT,
    PostgresServer,
    Service,
    start_service,
    wait_for,
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SCRIPTS = ROOT / "deploy/backup"


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
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run a script: the backup as the read-only role, others as the owner."""
    owner = {"PGUSER": postgres.USER, "PGPASSWORD_FILE": str(tmp_path / "owner")}

    def run(script: str, *arguments: str, **other: str) -> subprocess.CompletedProcess[str]:
        mine = environment | (owner if script != "backup.sh" else {}) | other
        return subprocess.run(
            ["sh", str(SCRIPTS / script), *arguments],
            env=mine, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    return run


def rows(server: PostgresServer, database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url(database)) as connection:
        return connection.execute(query).fetchall()


def dumps(folder: Path) -> list[Path]:
    return sorted((folder / "backups").glob("*.dump"))


MESSAGES = "SELECT id, author_id, text, pub_date, flagged FROM messages ORDER BY id"


def test_a_rehearsed_restore_brings_back_every_row(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    done = run("backup.sh")
    assert done.returncode == 0, done.stderr
    [file] = dumps(tmp_path)
    [(size,)] = rows(postgres_server, database, "SELECT bytes FROM backups")
    assert size == file.stat().st_size
    restored = run("restore.sh")
    assert restored.returncode == 0, restored.stderr
    new = restored.stdout.rpartition("It is in the database ")[2].partition(".")[0]
    assert new != database
    expected = rows(postgres_server, database, MESSAGES)
    assert len(expected) == 5000
    assert rows(postgres_server, new, MESSAGES) == expected
    assert "messages 5000" in restored.stdout


def test_what_the_shell_says_of_other_databases_changes_nothing(
    run: Run, postgres_server: PostgresServer, database: str
) -> None:
    with psycopg.connect(postgres_server.url(database)) as connection:
        connection.execute("UPDATE messages SET text = 'ål \N{CHRISTMAS TREE}' WHERE id = 1")
        connection.execute("CREATE SCHEMA foreign_schema CREATE TABLE users (id int)")
    done = run("backup.sh", **FOREIGN_PG)
    assert done.returncode == 0, done.stderr
    done = run("restore.sh")
    assert done.returncode == 0, done.stderr
    assert run("restore.sh", **FOREIGN_PG).returncode == 0
    show = run("psql.sh", "--tuples-only", "--command", "SHOW statement_timeout", **FOREIGN_PG)
    assert show.stdout.strip() == "54321ms"


def test_a_backup_is_a_consistent_snapshot_while_others_write(
    run: Run, postgres_server: PostgresServer, database: str
) -> None:
    over = threading.Event()

    def write() -> None:
        with psycopg.connect(postgres_server.url(database), autocommit=True) as connection:
            while not over.is_set():
                connection.execute(
                    "INSERT INTO messages (author_id, text, pub_date) VALUES (1, 'meanwhile', 1)"
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert run("backup.sh").returncode == 0
    finally:
        over.set()
        writer.join(PATIENCE)
    done = run("restore.sh")
    assert done.returncode == 0, done.stdout + done.stderr


def test_swapping_it_in_brings_a_running_api_back_to_that_moment(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    url = postgres_server.url(database)
    own = postgres_server.role_url("app", database)
    with start_service("api", tmp_path, DATABASE_URL=own) as api:
        assert run("backup.sh").returncode == 0
        [file] = (tmp_path / "backups").glob("*.dump")
        # After its next run of the periodic tasks, ten seconds later at most.
        wait_for("the backup in api's metrics", lambda: api.metric(BACKUP_TIME.name) > 0)
        assert api.metric(BACKUP_SIZE.name) == file.stat().st_size
        assert abs(time.time() - api.metric(BACKUP_TIME.name)) < 60
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("TRUNCATE messages")
        done = run("restore.sh", "--swap")
        assert done.returncode == 0, done.stderr
        wait_for("api to answer again", lambda: _messages(api) == 100)


def _messages(api: Service) -> int:
    answer = api.get("/msgs?no=100", Authorization="Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh")
    return len(answer.json()) if answer.status == 200 else 0


def test_what_was_tampered_with_is_not_restored(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    assert run("backup.sh").returncode == 0
    [file] = dumps(tmp_path)
    sums = file.with_name(file.name + ".sums")
    sums.write_text(sums.read_text().replace("|5000|", "|5001|"))
    done = run("restore.sh", "--swap")
    assert done.returncode == 1
    assert "not what was backed up" in done.stderr
    file.write_bytes(file.read_bytes()[:-2000])
    done = run("restore.sh", "--swap", str(file))
    assert done.returncode == 1 and f"{database} is as it was" in done.stderr
    names = rows(postgres_server, "postgres", "SELECT datname FROM pg_database")
    assert [n for (n,) in names if str(n).startswith(f"{database}_")] == []


def test_a_backup_that_fails_leaves_the_last_one_alone(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    assert run("backup.sh").returncode == 0
    before = dumps(tmp_path)
    done = run("backup.sh", DATABASE_ADDRESS="127.0.0.1:1")
    assert done.returncode == 1
    assert "it failed" in done.stderr and "refused" in done.stderr
    assert dumps(tmp_path) == before
    assert len(rows(postgres_server, database, "SELECT FROM backups")) == 1
    missing = run("restore.sh", "nothing.dump")
    assert missing.returncode == 1 and "there is no backup nothing.dump" in missing.stderr


def test_only_the_owner_may_read_a_dump_also_an_older_one(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o755)
    (folder / "minitwit-20200101T000000Z.dump").write_text("old")
    assert run("backup.sh").returncode == 0
    assert len(dumps(tmp_path)) == 2
    for path in (folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_only_the_newest_are_kept(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 6):
        for end in ("", ".sums"):
            (folder / f"minitwit-2020010{day}T000000Z.dump{end}").write_text("old")
    assert run("backup.sh", KEEP="3").returncode == 0
    assert [p.name[9:17] for p in dumps(tmp_path)][:2] == ["20200104", "20200105"]
    assert len(dumps(tmp_path)) == 3
    assert len(list(folder.glob("*.sums"))) == 3
    assert list(folder.glob(".new*")) == []


def test_two_at_once_are_one_backup_and_one_refusal(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with (folder / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = run("backup.sh")
    assert done.returncode == 1 and "another one is running" in done.stderr
    assert (done.stdout, dumps(tmp_path)) == ("", [])
    assert run("backup.sh").returncode == 0
    assert len(dumps(tmp_path)) == 1


def test_every_step_is_checked(run: Run, tmp_path: Path) -> None:
    """A dump that cannot be moved to its final name is not a backup."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mv").write_text("#!/bin/sh\nexit 1\n")
    (tools / "mv").chmod(0o755)
    done = run("backup.sh", PATH=f"{tools}:{postgres.BIN}:{os.environ['PATH']}")
    assert done.returncode == 1 and "nothing was kept" in done.stderr
    assert (done.stdout, dumps(tmp_path)) == ("", [])


def test_told_to_stop_it_leaves_nothing_behind(environment: dict[str, str]) -> None:
    command = ["sh", str(SCRIPTS / "backup.sh"), "--every", "3600"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout
    assert "KiB" in process.stdout.readline()
    group = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_for("it sleeps", lambda: group.read_text().strip())
    process.terminate()
    process.stdout.close()
    assert process.wait(PATIENCE) == 0

    def gone() -> bool:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for("all of it to end", gone)


def test_psql_is_opened_as_the_owner(run: Run, database: str) -> None:
    """What ``make psql`` runs: the owner of this very database."""
    done = run("psql.sh", "--tuples-only", "--command", "SELECT current_user, current_database()")
    assert done.returncode == 0, done.stderr
    assert [word.strip() for word in done.stdout.split("|")] == [postgres.USER, database]
