"""The three tables: how a row is read from SQLite, and which rows are rejected.

A SQLite column keeps any type of value. ``string`` columns have numeric affinity: a name ``007``
was stored as the number 7, so only 7 is left to migrate. CAST AS TEXT formats such numbers as
SQLite does; it does not change text.
"""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[int | None, ...]

LOWEST = -9.3e18  # below any id of SQLite, the lowest of which is -(2**63)
# Above it too few ids are left for new rows. SQLite itself goes on below it.
HIGHEST = 2**62
NAME_BYTES = 2600  # a longer one does not fit into the unique index


@dataclass(frozen=True, slots=True)
class Table:
    """A table: ``columns`` in PostgreSQL, the SQLite expressions ``values``, ``keys`` key columns.

    ``held`` are the columns in SQLite.
    ``texts`` are the columns of free text, ``flaws`` pairs of an SQL condition and the reason why
    such a row is rejected, ``authors`` the columns that must name a migrated user. The key columns
    come first.
    """

    name: str
    source: str
    columns: tuple[str, ...]
    held: tuple[str, ...]
    values: tuple[str, ...]
    keys: int
    texts: tuple[str, ...]
    flaws: tuple[tuple[str, str], ...]
    authors: tuple[str, ...] = ()

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key columns in PostgreSQL."""
        return self.columns[: self.keys]

    @property
    def key_values(self) -> tuple[str, ...]:
        """The key expressions in SQLite."""
        return self.values[: self.keys]

    @property
    def line(self) -> str:
        """The SQLite expression for all values of a row, whose checksum is compared."""
        return " || char(31) || ".join(self.values)

    @property
    def accepted(self) -> str:
        """The SQL condition for a row that is not among the rejected ones; see ``Source``."""
        a, b = (*self.key_values, "NULL")[:2]
        return (
            "NOT EXISTS (SELECT 1 FROM temp.rejected r"
            f" WHERE r.name = '{self.name}' AND r.a IS {a} AND r.b IS {b})"
        )

    @property
    def distinct(self) -> str:
        """SQL that counts equal rows once where SQLite does not keep them apart."""
        return "DISTINCT" if self.keys == 2 else ""


def _text(column: str) -> str:
    # CAST would round what became a floating-point number to 15 digits; see ``Source`` for exact().
    exact = f"exact({column})"
    return f"CASE typeof({column}) WHEN 'real' THEN {exact} ELSE CAST({column} AS TEXT) END"


def _seconds(column: str) -> str:
    """Return SQL for the Unix time of a number, digits or a date.

    Early versions wrote all three. A date without a zone is UTC, as SQLite's own CURRENT_TIMESTAMP
    is. Digits are not passed to strftime(), which would read them as a Julian day. The result is
    NULL for anything else.
    """
    digits = f"({column} NOT GLOB '*[^0-9]*' AND length({column}) BETWEEN 1 AND 18)"
    whole = f"({column} = CAST({column} AS INTEGER))"
    return (
        f"CASE typeof({column}) WHEN 'integer' THEN {column}"
        f" WHEN 'real' THEN CASE WHEN {whole} THEN CAST({column} AS INTEGER) END"
        f" WHEN 'text' THEN CASE WHEN {digits} THEN CAST({column} AS INTEGER)"
        f" WHEN {column} GLOB '[0-9][0-9][0-9][0-9]-*'"
        f" THEN CAST(strftime('%s', {column}) AS INTEGER) END END"
    )


def _high(key: str) -> tuple[str, str]:
    return (f"{key} > {HIGHEST}", f"{key} is too high: too few ids would be left for new rows")


def _flaws(*columns: str) -> tuple[tuple[str, str], ...]:
    null = tuple((f"{c} IS NULL", f"{c} is NULL") for c in columns)
    return null + tuple(
        (f"instr(CAST({c} AS TEXT), char(0))", f"{c} contains a NUL character") for c in columns
    )


USERS = Table(
    "users",
    "user",
    ("id", "username", "email", "pw_hash"),
    ("user_id", "username", "email", "pw_hash"),
    ("user_id", _text("username"), _text("email"), _text("pw_hash")),
    keys=1,
    texts=("username", "email", "pw_hash"),
    flaws=(
        _high("user_id"),
        *_flaws("username", "email", "pw_hash"),
        (f"length(CAST(username AS BLOB)) > {NAME_BYTES}", "username is too long to be unique"),
    ),
)
MESSAGES = Table(
    "messages",
    "message",
    ("id", "author_id", "text", "pub_date", "flagged"),
    ("message_id", "author_id", "text", "pub_date", "flagged"),
    # The old application shows messages with flagged = 0, and never those with NULL.
    ("message_id", "author_id", _text("text"), _seconds("pub_date"),
     "CASE WHEN flagged = 0 THEN 0 ELSE 1 END"),
    keys=1,
    texts=("text",),
    flaws=(
        _high("message_id"),
        *_flaws("text"),
        ("pub_date IS NULL", "pub_date is NULL"),
        (f"({_seconds('pub_date')}) IS NULL", "pub_date is no whole number and no date"),
        ("typeof(author_id) <> 'integer'", "author_id is no whole number"),
    ),
    authors=("author_id",),
)  # fmt: skip
FOLLOWS = Table(
    "follows",
    "follower",
    ("follower_id", "followee_id"),
    ("who_id", "whom_id"),
    ("who_id", "whom_id"),
    keys=2,
    texts=(),
    flaws=(
        ("who_id IS NULL OR whom_id IS NULL", "one side is NULL"),
        ("typeof(who_id) <> 'integer' OR typeof(whom_id) <> 'integer'", "no whole number"),
    ),
    authors=("who_id", "whom_id"),
)
TABLES = (USERS, MESSAGES, FOLLOWS)
# Columns that must be integers in every row: otherwise a change cannot be tracked by its key.
KEYS = (
    ("user", "user_id", "'integer'"),
    ("message", "message_id", "'integer'"),
    ("follower", "who_id", "'integer', 'null'"),
    ("follower", "whom_id", "'integer', 'null'"),
)
BY_NAME = {table.name: table for table in TABLES}
