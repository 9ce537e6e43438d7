"""Backups are complete, of one moment, and can be restored: rehearsed with the real scripts."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg

from observability.catalog import BACKUP_SIZE, BACKUP_TIME
from observability.stack.local import postgres
from tests.deploy.conftest import Run
from tests.parts import FOREIGN_PG, PATIENCE, PostgresServer, Service, start_service, wait_for


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
        began = int(time.time())
        assert run("backup.sh").returncode == 0
        [file] = (tmp_path / "backups").glob("*.dump")
        # After its next run of the periodic tasks, ten seconds later at most.
        wait_for("the backup in api's metrics", lambda: api.metric(BACKUP_TIME.name) > 0)
        assert api.metric(BACKUP_SIZE.name) == file.stat().st_size
        assert began <= api.metric(BACKUP_TIME.name) <= time.time()
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


def test_psql_is_opened_as_the_owner(run: Run, database: str) -> None:
    """What ``make psql`` runs: the owner of this very database."""
    done = run("psql.sh", "--tuples-only", "--command", "SELECT current_user, current_database()")
    assert done.returncode == 0, done.stderr
    assert [word.strip() for word in done.stdout.split("|")] == [postgres.USER, database]
