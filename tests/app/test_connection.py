"""What a shell says of other databases decides nothing about ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from app import settings
from app.database.connection import connect, needs
from app.settings import Environment, SettingsError
from tests.parts import FOREIGN_PG, ROLES, ROOT, PostgresServer

SCHEMA = "CREATE SCHEMA foreign_schema CREATE TABLE users (id int) CREATE TABLE messages (id int)"
NAME = "ål \N{CHRISTMAS TREE}"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in FOREIGN_PG.items():
        monkeypatch.setenv(name, value)
    yield


def command(url: str, *arguments: str, **other: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={"DATABASE_URL": url, "PATH": "", **FOREIGN_PG, **other},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("query", ["", "?options=-csearch_path%3Dother%20-cwork_mem%3D5MB"])
def test_a_connection_means_the_same_from_every_shell(
    shell: None, database_url: str, query: str
) -> None:
    names = ("client_encoding", "search_path", "TimeZone", "DateStyle",
                "default_transaction_read_only", "statement_timeout", "work_mem")  # fmt: skip
    with closing(connect(database_url + query)) as db:
        found = [str(db.execute(f"SHOW {one}").fetchone()) for one in names]
        role = db.execute("SELECT current_user = session_user").fetchone()
    memory = "5MB" if query else "4MB"
    expected = ("UTF8", "public", "UTC", "ISO, MDY", "off", "54321ms", memory)
    assert (found, role) == ([f"('{one}',)" for one in expected], (True,))
    assert "PGTZ" not in os.environ


def test_the_schema_is_made_and_moderated_in_its_place(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("ambient", migrated=False)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(SCHEMA)
    roles = "\n".join(f"{role.purpose} {role.name} {role.password}" for role in ROLES)
    assert "applied 0001_initial" in command(url, "migrate", DATABASE_ROLES=roles)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("INSERT INTO users (username, email, pw_hash) VALUES (%s, 'e', 'h')", (NAME,))
        db.execute("INSERT INTO messages (author_id, text, pub_date) VALUES (1, 'now', 0)")
        db.execute("INSERT INTO messages (author_id, text, pub_date) VALUES (1, 'far', 2^60)")
    assert command(url, "flag", "set", "1") == "flagged 1\n"
    listed = command(url, "flag", "list", "--author", NAME, PYTHONUTF8="1")
    assert f"1970-01-01 00:00  {NAME!r}: 'now'" in listed
    assert f"{2**60}  {NAME!r}: 'far'" in listed


def test_an_address_that_names_another_schema_is_refused() -> None:
    url = "postgresql://a@b/c?options=-cSearch_Path%3Dmini"
    with pytest.raises(SettingsError, match="must not set search_path"):
        settings.database(Environment({"DATABASE_URL": url}))


def test_the_pool_keeps_the_options_of_the_address() -> None:
    options = needs("postgresql://a@b/c?options=endpoint%3Dd", "-c work_mem=5MB")["options"]
    assert options.startswith("endpoint=d -c work_mem=5MB -c search_path=public")
