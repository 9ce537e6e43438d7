"""Moderation: a flagged message disappears from every timeline and list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

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
    posted: datetime
    text: str

    def __str__(self) -> str:
        # repr() keeps what users typed from moving the cursor of the moderator's terminal.
        mark = "flagged" if self.flagged else "       "
        return (
            f"{self.id:>10}  {mark}  {self.posted:%Y-%m-%d %H:%M}  {self.author!r}: {self.text!r}"
        )


def find(url: str, author: str | None) -> list[Message]:
    """Return all flagged messages, or the newest hundred of one author; newest first."""
    rows = _run(url, _BY if author else _FLAGGED, {"author": author})
    return [
        Message(number, flagged, name, datetime.fromtimestamp(posted, UTC), text)
        for number, flagged, name, posted, text in rows
    ]


def flag(url: str, message_id: int, flagged: bool) -> None:
    """Flag or unflag one message. Raises ModerationError if there is none."""
    if not _run(url, _FLAG, {"flagged": flagged, "id": message_id}):
        raise ModerationError(f"there is no message {message_id}")


def _run(url: str, statement: str, parameters: dict[str, object]) -> list[tuple[Any, ...]]:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()
    except psycopg.Error as error:
        raise ModerationError(str(error).strip()) from error
