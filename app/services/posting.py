"""Posting and reading messages."""

from __future__ import annotations

from app.database import messages
from app.database.pool import Database
from app.problems import Invalid, NotFound
from app.services import validation
from observability.instrument.events import Events, Posted


class Posting:
    """The rules for messages."""

    def __init__(self, database: Database, events: Events, probe_user: str = "") -> None:
        """Set up the rules; messages of ``probe_user`` are neither counted nor shown."""
        self._probe_user = probe_user
        self._database = database
        self._events = events

    async def post(self, username: str, text: object, latest: int | None = None) -> None:
        """Post as ``username``. Raises Invalid for an empty text, NotFound for an unknown user."""
        counted = not self._probe_user or username != self._probe_user
        try:
            content = validation.required(
                text, "You have to enter a message", validation.MESSAGE_LENGTH
            )
        except Invalid:
            self._events.emit(Posted("invalid"), counted=counted)
            raise
        add = messages.add if counted else messages.add_hidden
        known = validation.name(username) and await add(self._database, username, content, latest)
        self._events.emit(Posted("ok" if known else "unknown_author"), counted=counted)
        if not known:
            raise NotFound
