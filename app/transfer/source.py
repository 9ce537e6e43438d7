"""The source database (SQLite): track changes, read rows, refuse further writes."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from app.transfer.checksum import Checksum, digest
from app.transfer.problems import TransferError
from app.transfer.tables import FOLLOWS, HIGHEST, KEYS, TABLES, USERS, Key, Table

After = tuple[float | None, ...]  # the key before a page
Row = tuple[object, ...]
CHANGES, MARK = "minitwit_import_changes", "minitwit_import"
BUSY_SECONDS = 30.0
MOVED = "this database has moved to PostgreSQL"
# COPY's text format: field and row separators are escaped.
ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


class Source:
    """A database file that others may be writing to.

    Reads are short, because a reader blocks writers.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise TransferError(f"{path}: there is no such file")
        self.path = path
        # SQLite serialises access by several threads itself.
        self.db = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self.db.text_factory = bytes
        self.db.create_function("exact", 1, repr, deterministic=True)
        self._check()
        self.db.execute("PRAGMA temp_store = MEMORY")
        self.db.execute("CREATE TEMP TABLE moved (id INTEGER PRIMARY KEY)")
        self.db.execute("CREATE TEMP TABLE rejected (name TEXT, a INTEGER, b INTEGER)")
        self.db.execute("CREATE INDEX temp.rejected_keys ON rejected (name, a, b)")
        self.db.create_aggregate("checksum", 1, Checksum)  # type: ignore[arg-type]

    def _check(self) -> None:
        try:
            for table in TABLES:
                values = ", ".join(table.values)
                self.db.execute(f"SELECT {values} FROM {table.source} LIMIT 1")
        except sqlite3.DatabaseError as error:
            self._refuse(f"no MiniTwit of SQLite: {error}")
        for table in TABLES:
            try:
                self.db.execute(f"SELECT rowid FROM {table.source} LIMIT 1")
            except sqlite3.DatabaseError:
                self._refuse(f"{table.source} is WITHOUT ROWID; copy it into an ordinary table")
        for name, column, types in KEYS:
            query = f"SELECT count(*) FROM {name} WHERE typeof({column}) NOT IN ({types})"
            if count := self.db.execute(query).fetchone()[0]:
                self._refuse(f"{count:,} rows of {name} have no whole number as {column}")
        for name, column in ((table.source, *table.key_values) for table in TABLES[:2]):
            query = f"SELECT {column} FROM {name} GROUP BY 1 HAVING count(*) > 1 LIMIT 1"
            if twice := self.db.execute(query).fetchone():
                self._refuse(f"several rows of {name} have the {column} {twice[0]}")

    def _refuse(self, why: str) -> NoReturn:
        self.db.close()
        raise TransferError(f"{self.path}: {why}")

    # ---- changes --------------------------------------------------------------------------
    def track(self) -> str:
        """Install triggers that record every change; return the token of this file."""
        with self.locked():
            self.db.execute(f"CREATE TABLE IF NOT EXISTS {MARK} (token TEXT NOT NULL)")
            self.db.execute(
                f"CREATE TABLE IF NOT EXISTS {CHANGES} (seq INTEGER PRIMARY KEY AUTOINCREMENT,"
                " name TEXT NOT NULL, a INTEGER, b INTEGER)"
            )
            for name, statement in _triggers():
                self.db.execute(f"CREATE TRIGGER IF NOT EXISTS {name} {statement}")
            row = self.db.execute(f"SELECT token FROM {MARK}").fetchone()
            if row is None:
                row = (secrets.token_hex(8).encode(),)
                self.db.execute(f"INSERT INTO {MARK} VALUES (?)", (row[0].decode(),))
            return str(row[0].decode())

    def token(self) -> str:
        """Return the token that ``track`` gave to this file; TransferError if there is none."""
        try:
            row = self.db.execute(f"SELECT token FROM {MARK}").fetchone()
        except sqlite3.OperationalError:
            row = None
        if row is None:
            raise TransferError(f"{self.path} was not migrated by this program")
        return str(row[0].decode())

    def changes(self, after: int, count: int) -> tuple[int, dict[str, set[Key]]]:
        """Return the number of the last of the next ``count`` changes, and their keys."""
        rows = self.db.execute(
            f"SELECT seq, name, a, b FROM {CHANGES} WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, count),
        ).fetchall()
        keys: dict[str, set[Key]] = {table.name: set() for table in TABLES}
        for _, name, a, b in rows:
            keys[name.decode()].add((a, b) if name == FOLLOWS.name.encode() else (a,))
        return (rows[-1][0] if rows else after), keys

    def closed(self) -> bool:
        """Whether this source was migrated and closed already."""
        query = "SELECT count(*) FROM sqlite_master WHERE name LIKE 'minitwit_moved_%'"
        return bool(self.db.execute(query).fetchone()[0])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold SQLite's write lock during the block; commit all or nothing of it."""
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise TransferError(f"{self.path}: {error}") from None
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def close_for_good(self) -> None:
        """Refuse all further writes and remove the triggers; inside ``locked``."""
        for name, _ in _triggers():
            self.db.execute(f"DROP TRIGGER IF EXISTS {name}")
        self.db.execute(f"DROP TABLE IF EXISTS {CHANGES}")
        for table in TABLES:
            for action in ("INSERT", "UPDATE", "DELETE"):
                self.db.execute(
                    f"CREATE TRIGGER IF NOT EXISTS minitwit_moved_{table.name}_{action.lower()}"
                    f" BEFORE {action} ON {table.source} BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
                )

    def know_rejected(self, keys: Iterable[tuple[str, Key]]) -> None:
        """Set which rows are not to be in PostgreSQL."""
        self.db.execute("DELETE FROM temp.rejected")
        self.db.executemany(
            "INSERT INTO temp.rejected VALUES (?, ?, ?)",
            ((name, *key, *(None,) * (2 - len(key))) for name, key in keys),
        )

    def checksum(self, table: Table) -> tuple[int, int]:
        """Return number and checksum of the rows to be migrated."""
        query = (
            f"SELECT count(*), checksum(line) FROM (SELECT {table.distinct} {table.line} AS line"
            f" FROM {table.source} WHERE {table.accepted})"
        )
        count, total = self.db.execute(query).fetchone()
        return int(count), int(total or 0)  # None: no row

    def page(self, table: Table, after: After, rows: int) -> list[tuple[Key, str]]:
        """Return key and MD5 of the next rows to be migrated, by key."""
        keys, marks = ", ".join(table.key_values), ", ".join("?" * table.keys)
        whole = " AND ".join(f"{key} IS NOT NULL" for key in table.key_values)
        query = (
            f"SELECT {table.distinct} {keys}, {table.line} FROM {table.source}"
            f" WHERE ({keys}) > ({marks}) AND {whole} AND {table.accepted}"
            f" ORDER BY {keys} LIMIT {rows}"
        )
        found = self.db.execute(query, after).fetchall()
        return [(tuple(row[: table.keys]), digest(row[-1])) for row in found]

    # ---- rows -----------------------------------------------------------------------------
    def count(self, table: Table) -> int:
        """Return the number of rows."""
        return int(self.db.execute(f"SELECT count(*) FROM {table.source}").fetchone()[0])

    def last_id(self, table: Table) -> int:
        """Return the highest id ever assigned, also to deleted rows, up to HIGHEST."""
        key, name = table.values[0], table.source
        used = self.db.execute(f"SELECT max({key}) FROM {name} WHERE {key} <= {HIGHEST}").fetchone()
        try:
            row = self.db.execute(
                "SELECT max(CAST(seq AS INTEGER)) FROM sqlite_sequence"
                f" WHERE name = ? COLLATE NOCASE AND CAST(seq AS INTEGER) <= {HIGHEST}",
                (name,),
            ).fetchone()
        except sqlite3.OperationalError:  # no AUTOINCREMENT in this file
            row = (0,)
        return max(0, used[0] or 0, row[0] or 0)

    def bound(self, table: Table, after: float, rows: int) -> int | None:
        """Return the rowid of the last of the next ``rows`` rows; None at the end."""
        found = self.db.execute(
            f"SELECT max(rowid) FROM (SELECT rowid FROM {table.source}"
            " WHERE rowid > ? ORDER BY rowid LIMIT ?)",
            (after, rows),
        ).fetchone()[0]
        return None if found is None else int(found)

    def know_moved(self, ids: Iterable[int]) -> None:
        """Set which users are in PostgreSQL."""
        self.db.execute("DELETE FROM temp.moved")
        self.db.executemany("INSERT INTO temp.moved VALUES (?)", ((one,) for one in ids))

    def sound(self, table: Table) -> str:
        """Return the SQL condition for a valid row whose users were migrated."""
        parts = [f"NOT ifnull({condition}, 0)" for condition, _ in table.flaws]
        parts += [f"{column} IN temp.moved" for column in table.authors]
        if table is USERS:
            parts.append(
                "user_id NOT IN (SELECT user_id FROM user u JOIN (SELECT CAST(username AS TEXT) n,"
                " min(user_id) first FROM user GROUP BY 1 HAVING count(*) > 1) d"
                " ON CAST(u.username AS TEXT) = d.n AND u.user_id > d.first)"
            )
        return " AND ".join(parts)

    def copy_text(self, table: Table, low: float, high: int) -> bytes:
        """Return the valid rows with ``low`` < rowid <= ``high`` in COPY's text format."""
        pairs = zip(table.columns, table.values, strict=True)
        fields = [_escaped(value) if name in table.texts else value for name, value in pairs]
        line = " || char(9) || ".join(fields) + " || char(10)"
        distinct = "" if table is not FOLLOWS else (
            " AND rowid IN (SELECT min(rowid) FROM follower GROUP BY who_id, whom_id)"
        )  # fmt: skip
        query = (
            f"SELECT group_concat({line}, '') FROM {table.source}"
            f" WHERE rowid > ? AND rowid <= ? AND {self.sound(table)}{distinct}"
        )
        return self.db.execute(query, (low, high)).fetchone()[0] or b""

    def unsound(self, table: Table, low: float, high: int) -> set[Key]:
        """Return the keys of the invalid rows."""
        query = (
            f"SELECT {', '.join(table.key_values)} FROM {table.source}"
            f" WHERE rowid > ? AND rowid <= ? AND NOT ifnull({self.sound(table)}, 0)"
        )
        return set(self.db.execute(query, (low, high)))

    def keys(self, table: Table, low: float, high: int) -> set[Key]:
        """Return the keys of all rows there."""
        query = (
            f"SELECT {', '.join(table.key_values)} FROM {table.source}"
            " WHERE rowid > ? AND rowid <= ?"
        )
        return set(self.db.execute(query, (low, high)))

    def repeated(self) -> list[tuple[str, list[int | None], str, str]]:
        """Return follow edges that occur more than once, as for the file of rejects."""
        query = "SELECT who_id, whom_id, count(*) FROM follower GROUP BY 1, 2 HAVING count(*) > 1"
        return [
            (FOLLOWS.name, [a, b], f"stands there {count} times, moved once", "{}")
            for a, b, count in self.db.execute(query)
            if a is not None and b is not None
        ]

    def rows(self, table: Table, keys: Iterable[Key]) -> list[tuple[Row, Row, str]]:
        """Return these rows: as read, as SQLite holds them, why rejected or ''."""
        reason = "CASE " + " ".join(f"WHEN {c} THEN '{r}'" for c, r in table.flaws)
        for column in table.authors:
            reason += f" WHEN {column} NOT IN temp.moved THEN '{column}: no such user was moved'"
        if table is USERS:
            reason += (
                " WHEN EXISTS (SELECT 1 FROM user u WHERE u.user_id < user.user_id AND"
                " CAST(u.username AS TEXT) = CAST(user.username AS TEXT))"
                " THEN 'an older user has this name'"
            )
        reason += " ELSE '' END"
        where = " AND ".join(f"{column} IS ?" for column in table.key_values)
        columns = ", ".join((*table.values, *table.held, reason))
        query = f"SELECT {columns} FROM {table.source} WHERE {where}"
        rows = (row for key in keys for row in self.db.execute(query, key))
        width = len(table.values)
        return [(row[:width], row[width:-1], row[-1].decode()) for row in rows]


def _escaped(value: str) -> str:
    for plain, escaped in ESCAPES:
        value = f"replace({value}, {_literal(plain)}, {_literal(escaped)})"
    return value


def _literal(text: str) -> str:
    return "char(" + ", ".join(str(ord(one)) for one in text) + ")"


def _triggers() -> Iterator[tuple[str, str]]:
    for table in TABLES:
        keys = table.key_values if table.keys == 2 else (*table.key_values, "NULL")
        for action, sides in (("INSERT", "N"), ("UPDATE", "ON"), ("DELETE", "O")):
            body = ""
            for side in sides:
                values = ", ".join(
                    k if k == "NULL" else f"{'NEW' if side == 'N' else 'OLD'}.{k}" for k in keys
                )
                body += f" INSERT INTO {CHANGES} (name, a, b) VALUES ('{table.name}', {values});"
            yield (
                f"{CHANGES}_{table.name}_{action.lower()}",
                f"AFTER {action} ON {table.source} BEGIN{body} END",
            )
