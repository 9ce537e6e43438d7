"""Schema migrations: plain SQL files, each applied once, in order, by one replica."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.database.connection import connect
from app.database.roles import Role, give

DIRECTORY = Path(__file__).parent / "migrations"
# The key of the advisory lock: an arbitrary number, the same in every replica.
LOCK = 0x6D696E6974776974
_NAME = re.compile(r"(\d{4})_\w+\.sql\Z")


class MigrationError(Exception):
    """The schema cannot be migrated."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file: number, name and SQL."""

    version: int
    name: str
    sql: bytes


def known() -> list[Migration]:
    """Return the migrations of this version, numbered 1, 2, … without a gap."""
    found: list[Migration] = []
    for path in sorted(DIRECTORY.glob("*.sql")):
        match = _NAME.match(path.name)
        if not match or int(match[1]) != len(found) + 1:
            raise MigrationError(f"{path.name}: expected {len(found) + 1:04d}_<name>.sql")
        found.append(Migration(len(found) + 1, path.stem, path.read_bytes()))
    return found


def migrate(url: str, roles: Sequence[Role] = ()) -> list[str]:
    """Apply pending migrations and grant ``roles`` their privileges; return a line for each.

    Each migration is one transaction together with its row in ``schema_version``. An advisory lock
    makes replicas that start together wait for the first. Raises MigrationError if the database is
    newer than this version, cannot store Unicode, or cannot be reached.
    """
    try:
        with connect(url) as connection:
            _require_unicode(connection)
            connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            applied = [f"applied {name}" for name in _apply(connection, known())]
            return [*applied, *give(connection, roles)]
    except psycopg.Error as error:
        raise MigrationError(str(error).strip()) from error


def require_current(connection: psycopg.Connection) -> None:
    """Raise MigrationError unless all migrations of this version are applied."""
    found = connection.execute("SELECT to_regclass('schema_version')").fetchone()
    query = "SELECT coalesce(max(version), 0) FROM schema_version"
    row = connection.execute(query).fetchone() if found and found[0] else None
    current, wanted = row[0] if row else 0, len(known())
    if current != wanted:
        raise MigrationError(
            f"the database is at version {current}, this code needs {wanted}: run"
            " `python -m app migrate` as the owner first"
        )


def _require_unicode(connection: psycopg.Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise MigrationError(
            f"the database {connection.info.dbname} has the encoding {encoding}, which cannot hold"
            " what people write. Create it again: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE"
            " template0"
        )


def _apply(connection: psycopg.Connection, migrations: list[Migration]) -> list[str]:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_version ("
        " version integer PRIMARY KEY, name text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
    current = row[0] if row else 0
    if current > len(migrations):
        raise MigrationError(
            f"the database is at version {current}, this code knows only {len(migrations)}:"
            " run a newer release"
        )
    for migration in migrations[current:]:
        with connection.transaction():
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_version (version, name) VALUES (%s, %s)",
                (migration.version, migration.name),
            )
    return [migration.name for migration in migrations[current:]]
