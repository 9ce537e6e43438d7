"""What is moved: the three tables, how a row is read from SQLite, and what makes it impossible.

SQLite keeps in a column whatever it was given. ``string`` columns have numeric affinity: a name
``007`` was stored as the number 7 long ago, and 7 is all that there is to move. CAST AS TEXT gives
such numbers as SQLite itself shows them; it changes nothing that is text.
"""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[int | None, ...]

NAME_BYTES = 2600  # a longer one does not fit into the index that keeps names unique


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` in PostgreSQL are read in SQLite as ``values``; the first ``keys`` are its key.

    ``texts`` are the columns of free text, ``flaws`` pairs of an SQL condition and the reason why
    such a row cannot be moved, ``authors`` the columns that must name a user that was moved.
    """

    name: str
    source: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    keys: int
    texts: tuple[str, ...]
    flaws: tuple[tuple[str, str], ...]
    authors: tuple[str, ...] = ()

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key in PostgreSQL."""
        return self.columns[: self.keys]

    @property
    def key_values(self) -> tuple[str, ...]:
        """The key in SQLite."""
        return self.values[: self.keys]


def _text(column: str) -> str:
    # CAST would round what became a floating-point number to 15 digits; see ``Source`` for exact().
    exact = f"exact({column})"
    return f"CASE typeof({column}) WHEN 'real' THEN {exact} ELSE CAST({column} AS TEXT) END"


def _seconds(column: str) -> str:
    """Seconds since 1970 of what early versions wrote: a number, its digits, or a date as text.

    A date without a zone is UTC, as SQLite's own CURRENT_TIMESTAMP is. Digits are never handed to
    strftime(), which would take them for a Julian day. NULL is what none of this can read.
    """
    digits = f"({column} NOT GLOB '*[^0-9]*' AND {column} <> '')"
    whole = f"({column} = CAST({column} AS INTEGER))"
    return (
        f"CASE typeof({column}) WHEN 'integer' THEN {column}"
        f" WHEN 'real' THEN CASE WHEN {whole} THEN CAST({column} AS INTEGER) END"
        f" WHEN 'text' THEN CASE WHEN {digits} THEN CAST({column} AS INTEGER)"
        f" WHEN {column} GLOB '[0-9][0-9][0-9][0-9]-*'"
        f" THEN CAST(strftime('%s', {column}) AS INTEGER) END END"
    )


def _flaws(*columns: str) -> tuple[tuple[str, str], ...]:
    null = tuple((f"{c} IS NULL", f"{c} is NULL") for c in columns)
    return null + tuple(
        (f"instr(CAST({c} AS TEXT), char(0))", f"{c} contains a NUL character") for c in columns
    )


USERS = Table(
    "users",
    "user",
    ("id", "username", "email", "pw_hash"),
    ("user_id", _text("username"), _text("email"), _text("pw_hash")),
    keys=1,
    texts=("username", "email", "pw_hash"),
    flaws=(
        *_flaws("username", "email", "pw_hash"),
        (f"length(CAST(username AS BLOB)) > {NAME_BYTES}", "username is too long to be unique"),
    ),
)
MESSAGES = Table(
    "messages",
    "message",
    ("id", "author_id", "text", "pub_date", "flagged"),
    # The old application shows what has flagged = 0: NULL it never shows.
    ("message_id", "author_id", _text("text"), _seconds("pub_date"),
     "CASE WHEN flagged = 0 THEN 0 ELSE 1 END"),
    keys=1,
    texts=("text",),
    flaws=(
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
    keys=2,
    texts=(),
    flaws=(
        ("who_id IS NULL OR whom_id IS NULL", "one side is NULL"),
        ("typeof(who_id) <> 'integer' OR typeof(whom_id) <> 'integer'", "no whole number"),
    ),
    authors=("who_id", "whom_id"),
)
TABLES = (USERS, MESSAGES, FOLLOWS)
# What must be a whole number in every row: a row without cannot be followed by its key.
KEYS = (
    ("user", "user_id", "'integer'"),
    ("message", "message_id", "'integer'"),
    ("follower", "who_id", "'integer', 'null'"),
    ("follower", "whom_id", "'integer', 'null'"),
)
BY_NAME = {table.name: table for table in TABLES}
