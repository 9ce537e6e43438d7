"""The databases of our own PostgreSQL: whether MiniTwit's exists, and its creation."""

from __future__ import annotations

import psycopg
from psycopg import sql

from observability.stack.local.layout import Layout
from observability.stack.settings import StackError

# What restore.sh calls the database whose place a restored one takes.
FORMER = "_before_"


def exists(layout: Layout) -> bool:
    """Return whether the database exists; psycopg.Error if PostgreSQL is down."""
    with _connect(layout) as connection:
        return name(layout) in _names(connection)


def ensure(layout: Layout) -> None:
    """Create the database if absent; psycopg.Error if PostgreSQL is down.

    ``StackError`` if a former database exists: an empty one would hide that the data are there.
    """
    wanted = name(layout)
    with _connect(layout) as connection:
        names = _names(connection)
        if wanted in names:
            return
        if former := [other for other in names if other.startswith(wanted + FORMER)]:
            raise StackError(_refusal(wanted, max(former)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(wanted)))


def name(layout: Layout) -> str:
    """Return the name of the database."""
    return _url(layout).rpartition("/")[2]


def _url(layout: Layout) -> str:
    return (layout.settings.secrets / "owner_url").read_text()


def _connect(layout: Layout) -> psycopg.Connection:
    server = _url(layout).rpartition("/")[0]
    return psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=2)


def _names(connection: psycopg.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT datname FROM pg_database")]


def _refusal(wanted: str, former: str) -> str:
    return (
        f"There is no database {wanted}, but {former}: a restore was interrupted. No empty one was "
        "created.\nGive the former its name again, then run `make up`:\n"
        "    .venv/bin/python -m observability.stack psql postgres\n"
        f'    ALTER DATABASE "{former}" RENAME TO "{wanted}";\n'
        f'    ALTER DATABASE "{wanted}" ALLOW_CONNECTIONS true;'
    )
