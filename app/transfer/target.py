"""The target database (PostgreSQL): checkpoint, rows, and rejected keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from app.database.connection import connect
from app.database.migrate import require_current
from app.transfer.problems import TransferError
from app.transfer.source import After
from app.transfer.tables import BY_NAME, TABLES, USERS, Key, Table

BEFORE_ALL = -(2**63)  # the checkpoint's position before the first row
# The key of the advisory lock that allows one migration at a time.
LOCK = 0x6D6F7665
LOCK_WAIT = "10s"


@dataclass(frozen=True, slots=True)
class State:
    """The checkpoint: the last rowid copied in ``step``, and the last change applied."""

    token: str
    step: str
    position: int
    seq: int


class Target:
    """A migrated schema that holds no users yet, or those of an earlier try."""

    def __init__(self, url: str) -> None:
        self.db = connect(url)
        require_current(self.db)
        self.db.execute("SET synchronous_commit = off")  # a lost step is repeated
        try:
            with self.db.transaction():
                # The session of an import that was killed ends by itself, a little later.
                self.db.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_WAIT,))
                self.db.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        except psycopg.errors.LockNotAvailable:
            self.db.close()
            raise TransferError("another import is running") from None

    def begin(self, token: str) -> State:
        """Return the checkpoint of an earlier try, or the beginning.

        Raises TransferError if there are rows that this file did not bring.
        """
        row = self.db.execute("SELECT token, step, position, seq FROM sqlite_import").fetchone()
        if row:
            if row[0] != token:
                raise TransferError("the database has the rows of another SQLite file")
            return State(*row)
        if self._one("SELECT EXISTS (SELECT FROM users)"):
            raise TransferError("the database has users already: import into an empty one")
        self.db.execute(
            "INSERT INTO sqlite_import VALUES (%s, %s, %s, 0)", (token, USERS.name, BEFORE_ALL)
        )
        return State(token, USERS.name, BEFORE_ALL, 0)

    @contextmanager
    def step(self, state: State) -> Iterator[None]:
        """Run one transaction, and store the checkpoint in it."""
        with self.db.transaction():
            yield
            self.db.execute(
                "UPDATE sqlite_import SET step = %s, position = %s, seq = %s",
                (state.step, state.position, state.seq),
            )

    def copy(self, table: Table, text: bytes) -> None:
        """Insert many rows in COPY's text format."""
        names = ", ".join(table.columns)
        with self.db.cursor().copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            copy.write(text)

    def put(self, table: Table, rows: list[tuple[Any, ...]]) -> None:
        """Insert or replace rows."""
        names, marks = ", ".join(table.columns), ", ".join(["%s"] * len(table.columns))
        rest = [c for c in table.columns if c not in table.key_columns]
        changes = ", ".join(f"{c} = excluded.{c}" for c in rest)
        action = f"UPDATE SET {changes}" if rest else "NOTHING"
        if rows:
            self.db.cursor().executemany(
                f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
                f" ON CONFLICT ({', '.join(table.key_columns)}) DO {action}",
                rows,
            )

    def remove(self, table: Table, keys: Iterable[Key]) -> None:
        """Delete the rows under these keys."""
        where = " AND ".join(f"{column} = %s" for column in table.key_columns)
        whole = [key for key in keys if None not in key]
        if whole:
            self.db.cursor().executemany(f"DELETE FROM {table.name} WHERE {where}", whole)

    def park(self, ids: Iterable[int]) -> None:
        """Give users temporary names, so that two users can swap theirs."""
        self.db.execute(
            "UPDATE users SET username = 'being moved ' || id || ' ' || gen_random_uuid()"
            " WHERE id = ANY(%s)",
            (list(ids),),
        )

    def named(self, names: Iterable[str]) -> set[Key]:
        """Return the users with one of these names."""
        rows = self.db.execute("SELECT id FROM users WHERE username = ANY(%s)", (list(names),))
        return {(row[0],) for row in rows}

    def belonging(self, table: Table, ids: Iterable[int]) -> set[Key]:
        """Return the keys of the rows that belong to these users."""
        owners = [c for c in table.columns if c in ("author_id", "follower_id", "followee_id")]
        where = " OR ".join(f"{column} = ANY(%(ids)s)" for column in owners)
        query = f"SELECT {', '.join(table.key_columns)} FROM {table.name} WHERE {where}"
        return set(self.db.execute(query, {"ids": list(ids)}))

    def user_ids(self) -> list[int]:
        """Return the ids of all users."""
        return [row[0] for row in self.db.execute("SELECT id FROM users")]

    # ---- rejects --------------------------------------------------------------------------
    def reject(self, table: Table, keys: Iterable[Key], why: dict[Key, tuple[str, str]]) -> None:
        """Record which of ``keys`` are rejected: those in ``why`` (reason, content)."""
        gone = [(table.name, json.dumps(key)) for key in keys if key not in why]
        if gone:
            self.db.cursor().executemany(
                "DELETE FROM sqlite_import_rejects WHERE name = %s AND key = %s::jsonb", gone
            )
        if why:
            self.db.cursor().executemany(
                "INSERT INTO sqlite_import_rejects VALUES (%s, %s::jsonb, %s, %s)"
                " ON CONFLICT (name, key) DO UPDATE SET reason = excluded.reason,"
                " content = excluded.content",
                [(table.name, json.dumps(key), *texts) for key, texts in why.items()],
            )

    def rejected(self, table: Table) -> set[Key]:
        """Return the keys of this table's rejected rows."""
        query = "SELECT key FROM sqlite_import_rejects WHERE name = %s"
        return {tuple(row[0]) for row in self.db.execute(query, (table.name,))}

    def rejects(self) -> list[tuple[str, list[int | None], str, str]]:
        """Return table, key, reason and content of each rejected row, in order."""
        query = "SELECT name, key, reason, content FROM sqlite_import_rejects ORDER BY name, key"
        return list(self.db.execute(query))

    # ---- the end --------------------------------------------------------------------------
    def checksum(self, table: Table) -> tuple[int, int]:
        """Return number and checksum of the rows; see ``source.Checksum``."""
        query = (
            f"SELECT count(*), coalesce(sum(('x' || left({_line(table)}, 15))::bit(60)::bigint), 0)"
            f" FROM {table.name}"
        )
        row = self.db.execute(query).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def page(self, table: Table, after: After, rows: int) -> list[tuple[Key, str]]:
        """Return key and MD5 of the next rows by key; see ``source.page``."""
        keys, marks = ", ".join(table.key_columns), ", ".join(["%s"] * table.keys)
        query = (
            f"SELECT {keys}, {_line(table)} FROM {table.name} WHERE ({keys}) > ({marks})"
            f" ORDER BY {keys} LIMIT {rows}"
        )
        return [(tuple(row[:-1]), row[-1]) for row in self.db.execute(query, after)]

    def set_sequences(self, last: dict[str, int]) -> None:
        """Make new rows get ids above all that were ever assigned."""
        for name, value in last.items():
            if BY_NAME[name].keys == 1 and value:
                query = sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), {})")
                self.db.execute(query.format(sql.Literal(name), sql.Literal(value)))

    def settle(self) -> None:
        """Flush what was written to disk, and update the planner's statistics."""
        self.db.execute("SET synchronous_commit = on")
        for table in TABLES:
            self.db.execute(f"ANALYZE {table.name}")

    def _one(self, query: str) -> Any:
        row = self.db.execute(query).fetchone()
        return row[0] if row else None


def _line(table: Table) -> str:
    """Return SQL for the MD5 of a row, whose columns are joined as in ``Source``."""
    columns = [f"{c}::int" if c == "flagged" else c for c in table.columns]
    return f"md5(concat_ws(chr(31), {', '.join(columns)}))"
