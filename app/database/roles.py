"""Database roles: the owner creates them and grants each the privileges it needs.

The owner runs the migrations. ``app`` reads and writes rows, ``import`` fills the tables and sets
the ids, ``monitor`` reads statistics, ``backup`` reads all rows and records when a backup
was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql

# purpose → privileges, granted at each migration, so that they cover new tables
GRANTS = {
    "app": (
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "REVOKE INSERT, UPDATE, DELETE ON schema_version, backups FROM {role}",
        "REVOKE ALL ON sqlite_import, sqlite_import_rejects FROM {role}",
        # Ids are identity columns, which need no privilege on their sequence.
        "GRANT SELECT, UPDATE ON SEQUENCE simulator_latest TO {role}",
    ),
    "import": (
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT ON schema_version TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE"
        " ON users, messages, follows, sqlite_import, sqlite_import_rejects TO {role}",
        "GRANT SELECT, UPDATE ON SEQUENCE users_id_seq, messages_id_seq TO {role}",
        # Statistics right after the import; PostgreSQL before 17 makes its own within minutes.
        "DO $$ BEGIN IF current_setting('server_version_num')::int >= 170000"
        " THEN GRANT MAINTAIN ON users, messages, follows TO {role}; END IF; END $$",
    ),
    "monitor": ("GRANT pg_monitor TO {role}",),
    "backup": ("GRANT pg_read_all_data TO {role}", "GRANT INSERT ON backups TO {role}"),
}
ONE = "one role for everything: it may do all that a migration may"
_LIMITS = "LOGIN NOCREATEDB NOCREATEROLE"
# Only a superuser may name these for a role that exists, so they are named where they are needed.
_NEVER = "NOSUPERUSER NOREPLICATION NOBYPASSRLS"


class RolesError(Exception):
    """The list of roles is malformed."""


@dataclass(frozen=True, slots=True)
class Role:
    """A PostgreSQL role with one of the purposes of ``GRANTS``."""

    purpose: str
    name: str
    password: str

    def __repr__(self) -> str:
        return f"Role({self.purpose!r}, {self.name!r}, '***')"


def parse(text: str) -> list[Role]:
    """Parse lines of ``PURPOSE NAME PASSWORD``; lines that begin with # are comments."""
    return [_role(line) for line in text.splitlines() if line.strip() and line[0] != "#"]


def _role(line: str) -> Role:
    parts = line.split()
    if len(parts) != 3 or parts[0] not in GRANTS:
        raise RolesError(f"DATABASE_ROLES: a line is PURPOSE NAME PASSWORD, of {', '.join(GRANTS)}")
    return Role(*parts)


def give(connection: psycopg.Connection, roles: Iterable[Role]) -> Iterator[str]:
    """Create missing roles and grant their privileges, as the owner; return what was done."""
    for role in roles:
        with connection.transaction():
            _ensure(connection, role)
            for grant in GRANTS[role.purpose]:
                connection.execute(sql.SQL(grant).format(role=sql.Identifier(role.name)))
        yield f"the role {role.name} is for {role.purpose}"


def _ensure(connection: psycopg.Connection, role: Role) -> None:
    """Create or update a role; one that may do more than it must loses that.

    Only a hash of the password is sent, so that no log of the server's statements contains it.
    """
    known = connection.execute(
        "SELECT rolsuper OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %s",
        [role.name],
    ).fetchone()
    limits = f"{_LIMITS} {_NEVER}" if known is None or known[0] else _LIMITS
    name, secret = role.name.encode(), role.password.encode()
    verifier = connection.pgconn.encrypt_password(secret, name, b"scram-sha-256").decode()
    statement = f"{'ALTER' if known else 'CREATE'} ROLE {{}} WITH {limits} PASSWORD {{}}"
    connection.execute(sql.SQL(statement).format(sql.Identifier(role.name), sql.Literal(verifier)))
