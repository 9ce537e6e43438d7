"""Moderation: a flagged message disappears from every timeline and list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from app.database.connection import connect

_SELECT = """
    SELECT m.id, m.flagged, u.username, m.pub_date, m.text
    FROM messages m JOIN users u ON u.id = m.author_id
"""
_FLAGGED = _SELECT + " WHERE m.flagged ORDER BY m.pub_date DESC, m.id DESC"
_BY = _SELECT + " WHERE u.username = %(author)s ORDER BY m.pub_date DESC, m.id DESC LIMIT 100"
_FLAG = "UPDATE messages SET flagged = %(flagged)s WHERE id = %(id)s RETURNING id"


class ModerationError(Exception):
    """The database is unavailable, or there is no such message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a moderator sees it."""

    id: int
    flagged: bool
    author: str
    posted: int  # Unix time in seconds
    text: str

    def __str__(self) -> str:
        # repr() keeps what users typed from moving the cursor of the moderator's terminal.
        mark = "flagged" if self.flagged else "       "
        try:
            posted = f"{datetime.fromtimestamp(self.posted, UTC):%Y-%m-%d %H:%M}"
        except (ValueError, OverflowError, OSError):  # beyond the year 9999
            posted = str(self.posted)
        return f"{self.id:>10}  {mark}  {posted}  {self.author!r}: {self.text!r}"


def find(url: str, author: str | None) -> list[Message]:
    """Return all flagged messages, or the newest hundred of one author; newest first."""
    rows = _run(url, _BY if author else _FLAGGED, {"author": author})
    return [Message(*row) for row in rows]


def flag(url: str, message_id: int, flagged: bool) -> None:
    """Flag or unflag one message. Raises ModerationError if there is none."""
    if not _run(url, _FLAG, {"flagged": flagged, "id": message_id}):
        raise ModerationError(f"there is no message {message_id}")


def _run(url: str, statement: str, parameters: dict[str, object]) -> list[tuple[Any, ...]]:
    try:
        with connect(url) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()
    except psycopg.Error as error:
        raise ModerationError(str(error).strip()) from error
