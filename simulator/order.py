"""The order of actions when several clients play one scenario.

With one client everything goes in order. With more, only the order that the final state depends on
is kept: an action waits until the registrations of all users that it names have ended, and a
follow or unfollow waits for the one before it between the same two. Tweets of one user may
overtake each other, which changes no count and no edge.
"""

from __future__ import annotations

import asyncio

from simulator.scenario import Action

Key = str | tuple[str, str]


class Order:
    """Actions in flight, by what they change: a user, or an edge between two."""

    def __init__(self) -> None:
        self._pending: dict[Key, Turn] = {}

    def enter(self, action: Action) -> Turn:
        """Return the turn of the next action; call it in the scenario's order."""
        own, needs = _keys(action)
        turn = Turn(self._pending, own, [self._pending[k] for k in needs if k in self._pending])
        if own is not None:
            self._pending[own] = turn
        return turn


class Turn:
    """``async with turn:`` waits for earlier actions and holds back later ones."""

    __slots__ = ("_over", "_own", "_pending", "_waits")

    def __init__(self, pending: dict[Key, Turn], own: Key | None, waits: list[Turn]) -> None:
        self._pending, self._own, self._waits = pending, own, waits
        self._over = asyncio.Event()

    async def __aenter__(self) -> None:
        for turn in self._waits:
            await turn._over.wait()
        self._waits = []

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        if self._own is not None and self._pending.get(self._own) is self:
            del self._pending[self._own]


def _keys(action: Action) -> tuple[Key | None, tuple[Key, ...]]:
    """Return what an action changes, and what it depends on."""
    user, other = action.username, action.rest[0]
    if action.command == "register":
        return user, (user,)
    if action.command == "tweet":
        return None, (user,)
    return (user, other), (user, other, (user, other))
