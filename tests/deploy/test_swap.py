"""A swap is done or not done, whatever ends it, and says which."""

from __future__ import annotations

import itertools
from pathlib import Path

import psycopg

from observability.stack.local import postgres
from tests.deploy.conftest import Run, stand_in
from tests.parts import PostgresServer

PSQL = f"{postgres.BIN}/psql"


def messages(server: PostgresServer, database: str) -> int:
    with psycopg.connect(server.url(database)) as connection:
        row = connection.execute("SELECT count(*) FROM messages").fetchone()
    assert row
    return int(row[0])


def add_one(server: PostgresServer, database: str) -> None:
    """From now on the database differs from its backup."""
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        connection.execute("INSERT INTO messages (author_id, text, pub_date) VALUES (1, 'new', 1)")


def test_killed_after_any_step_it_leaves_the_old_database_or_the_new(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    """A stand-in for psql kills the restore after one call more each time."""
    assert run("backup.sh").returncode == 0
    add_one(postgres_server, database)
    calls = tmp_path / "calls"
    path = stand_in(
        tmp_path,
        "psql",
        f"""echo >>{calls}
{PSQL} "$@"; status=$?
[ "$(wc -l <{calls})" -ne "$LAST" ] || kill -9 "$VICTIM"
exit $status""",
    )
    found = []
    for last in itertools.count(1):
        calls.write_text("")
        done = run("-c", "VICTIM=$$ exec sh restore.sh --swap", PATH=path, LAST=str(last))
        found.append(messages(postgres_server, database))
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
    assert len(found) > 3 and (found[0], found[-1]) == (5001, 5000)


def test_a_swap_that_fails_half_way_leaves_the_database_as_it_was(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    """A stand-in for psql adds a last statement, which fails."""
    assert run("backup.sh").returncode == 0
    add_one(postgres_server, database)
    path = stand_in(
        tmp_path,
        "psql",
        f"""case "$*" in *'RENAME TO "{database}"')
    exec {PSQL} "$1" "$2" "$3" "$4" "$5" "$6; SELECT 1 / 0" ;;
esac
exec {PSQL} "$@\"""",
    )
    done = run("restore.sh", "--swap", PATH=path)
    assert done.returncode == 1 and "division by zero" in done.stderr
    assert f"not swapped; {database} is as it was" in done.stderr
    assert messages(postgres_server, database) == 5001


def test_a_swap_that_failed_once_is_tried_again(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    """As when a client comes back before the database is locked."""
    assert run("backup.sh").returncode == 0
    add_one(postgres_server, database)
    failed = tmp_path / "failed"
    path = stand_in(
        tmp_path,
        "psql",
        f"""case "$*" in *'RENAME TO "{database}"') ! mkdir {failed} 2>/dev/null || exit 1 ;; esac
exec {PSQL} "$@\"""",
    )
    done = run("restore.sh", "--swap", PATH=path)
    assert done.returncode == 0 and failed.exists(), done.stderr
    assert messages(postgres_server, database) == 5000


def test_a_swap_whose_reply_is_lost_is_not_said_to_be_undone(
    run: Run, postgres_server: PostgresServer, database: str, tmp_path: Path
) -> None:
    """A stand-in for psql does what it is told, and then fails."""
    assert run("backup.sh").returncode == 0
    add_one(postgres_server, database)
    path = stand_in(
        tmp_path,
        "psql",
        f"""case "$*" in *'RENAME TO "{database}"') {PSQL} "$@"; exit 1 ;; esac
exec {PSQL} "$@\"""",
    )
    done = run("restore.sh", "--swap", PATH=path)
    assert done.returncode == 1
    assert messages(postgres_server, database) == 5000
    assert f"{database} is the restored one" in done.stdout
    assert "as it was" not in done.stderr


def test_a_missing_database_is_not_said_to_be_as_it_was(
    run: Run, postgres_server: PostgresServer, database: str
) -> None:
    assert run("backup.sh").returncode == 0
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database}".encode())
    done = run("restore.sh", "--swap")
    assert done.returncode == 1
    assert f"not swapped; there is no database {database}, the restored one is" in done.stderr
