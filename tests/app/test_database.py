"""The schema: migrated once by many replicas, every statement served by an index, names unique."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from app.database import attempts, follows, latest, messages, migrate, users
from app.database.pool import PLANNING, Statement
from app.limits import LIST_BYTES
from tests.parts import ROOT, PostgresServer, Service, wait_for

STATEMENTS = list(
    {
        value: None
        for module in (attempts, users, messages, follows, latest)
        for table in vars(module).values()
        for value in (table.values() if isinstance(table, dict) else [table])
        if isinstance(value, Statement)
    }
)
# The one merges the newest of each followed author, the other sorts the two keys it is given.
SORTING = {"timeline_home", "login_attempt_count"}
PARAMETERS = {
    "username": "user 77", "target": "user 78", "email": "a@b", "pw_hash": "x", "text": "x",
    "token_hash": b"x", "user_id": 5, "seconds": 60, "latest": 5, "no": 100, "most": LIST_BYTES,
    "limit": 31, "pub_date": 2**63 - 1, "id": 2**63 - 1, "keys": ["account:x"],
    "account": "account:x", "address": "address:x", "fresh": "x",
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(database_url: str) -> str:
    """A database with enough rows that a sequential scan would never be the better plan."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("""
            INSERT INTO users (username, email, pw_hash)
            SELECT 'user ' || n, 'a@b', 'x' FROM generate_series(1, 5000) n""")
        connection.execute("""
            INSERT INTO messages (author_id, text, pub_date)
            SELECT CASE WHEN n % 5 = 0 THEN 77 ELSE 1 + n % 5000 END, 'text', n
            FROM generate_series(1, 100000) n""")
        connection.execute("""
            INSERT INTO follows SELECT 1 + n % 5000, 1 + n * 7 % 5000
            FROM generate_series(1, 20000) n ON CONFLICT DO NOTHING""")
        connection.execute("""
            INSERT INTO sessions
            SELECT sha256(n::text::bytea), 1 + n % 5000, now() + interval '1 day'
            FROM generate_series(1, 20000) n""")
        connection.execute("""
            INSERT INTO login_attempts
            SELECT 'account:' || n, 1, now() FROM generate_series(1, 20000) n""")
        connection.execute("VACUUM ANALYZE")
    return database_url


@pytest.fixture(scope="module")
def empty(postgres_server: PostgresServer) -> str:
    """A database just migrated: what a pool plans for at its very first start."""
    return postgres_server.create_database("just_migrated")


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: s.name)
@pytest.mark.parametrize("rows", ["none yet", "many"])
def test_every_statement_is_served_by_indexes(
    filled: str, empty: str, statement: Statement, rows: str
) -> None:
    plain = plan_of(filled if rows == "many" else empty, statement)
    scans = re.findall(r'"Node Type": "Seq Scan".*?"Relation Name": "(\w+)"', plain, re.S)
    assert [table for table in scans if table != "simulator_latest"] == []
    assert '"Node Type": "Sort"' not in plain or statement.name in SORTING


def plan_of(url: str, statement: Statement) -> str:
    """Return the plan, as JSON text, of the statement prepared as in the pool."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement.sql)))
    text = statement.sql
    for number, name in enumerate(names, 1):
        text = text.replace(f"%({name})s", f"${number}")
    with psycopg.connect(url, options=PLANNING) as connection:
        connection.execute(f"PREPARE s AS {text}".encode())
        values = ", ".join(
            psycopg.sql.Literal(PARAMETERS[name]).as_string(connection) for name in names
        )
        call = f"EXECUTE s({values})" if names else "EXECUTE s"
        row = connection.execute(f"EXPLAIN (FORMAT JSON) {call}".encode()).fetchone()
    assert row
    return json.dumps(row[0], indent=1)


def test_the_plan_check_sees_a_missing_index(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("unindexed")
    with psycopg.connect(url) as connection:
        connection.execute("DROP INDEX messages_newest")
        connection.execute("""
            INSERT INTO users (username, email, pw_hash) VALUES ('u', 'a@b', 'x')""")
        connection.execute("""
            INSERT INTO messages (author_id, text, pub_date)
            SELECT 1, 'text', n FROM generate_series(1, 20000) n""")
    statement = next(s for s in STATEMENTS if s.name == "messages_newest")
    assert "Seq Scan" in plan_of(url, statement)


def test_migrations_survive_many_replicas_at_once(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("race", migrated=False)
    with ThreadPoolExecutor(8) as pool:
        applied = list(pool.map(migrate.migrate, [url] * 8))
    names = [f"applied {migration.name}" for migration in migrate.known()]
    assert sorted(applied, key=len)[-1] == names
    assert sum(map(len, applied)) == len(names)
    assert migrate.migrate(url) == []


def test_a_failing_migration_leaves_nothing(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = postgres_server.create_database("half", migrated=False)
    (tmp_path / "0001_bad.sql").write_text("CREATE TABLE first (id int); SELECT nonsense;")
    monkeypatch.setattr(migrate, "DIRECTORY", tmp_path)
    with pytest.raises(migrate.MigrationError, match="nonsense"):
        migrate.migrate(url)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('first')").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM schema_version").fetchone() == (0,)


def test_a_newer_database_is_refused_in_one_line(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("newer")
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO schema_version VALUES (9999, 'from_the_future')")
    done = subprocess.run(
        [sys.executable, "-m", "app", "migrate"],
        cwd=ROOT,
        env={"DATABASE_URL": url, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("migrate: the database is at version 9999")
    assert done.stderr.count("\n") == 1


def test_one_name_registered_by_many_at_once_is_one_user(api: Service, database_url: str) -> None:
    body = {"username": "contested", "email": "a@b", "pwd": "x"}

    def registered() -> int:
        """The status, or 0 where too many others wait: the request is sent again."""
        status = api.send("POST", "/register", body).status
        return 0 if status == 503 else status

    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: wait_for("a place", registered), range(40)))
    assert sorted(statuses) == [204] + [400] * 39
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM users WHERE username = 'contested'")
        assert row.fetchone() == (1,)
