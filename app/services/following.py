"""Following and unfollowing."""

from __future__ import annotations

from app.database import follows
from app.database.follows import Action
from app.database.pool import Database
from app.problems import NotFound
from app.services import validation
from observability.instrument.events import Events, Followed


class Following:
    """The rules for following: repeating an action is allowed and changes nothing."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    async def change(
        self, action: Action, username: str, target: str, latest: int | None = None
    ) -> None:
        """Follow or unfollow. Raises NotFound if either user is unknown."""
        changed = None
        if validation.name(username) and validation.name(target):
            changed = await follows.change(self._database, action, username, target, latest)
        if changed is None:
            self._events.emit(Followed(action, "unknown_user"))
            raise NotFound
        self._events.emit(Followed(action, "changed" if changed else "unchanged"))
