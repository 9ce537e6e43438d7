"""Which actions must wait for which, when several clients play one scenario.

With one client everything goes in order. With more, only that order is kept on which the final
state depends: an action waits until the registrations of all users that it names were answered
(or given up), and a follow or unfollow waits for the one before it between the same two. So
tweets of one user may overtake each other, which changes no count and no edge.
"""

from __future__ import annotations

import asyncio

from simulator.scenario import Action

Key = str | tuple[str, str]


class Order:
    """The actions on their way, by what they decide: a user, or an edge between two."""

    def __init__(self) -> None:
        self._pending: dict[Key, Turn] = {}

    def enter(self, action: Action) -> Turn:
        """The turn of the next action; call it in the scenario's order."""
        own, needs = _keys(action)
        turn = Turn(self._pending, own, [self._pending[k] for k in needs if k in self._pending])
        if own is not None:
            self._pending[own] = turn
        return turn


class Turn:
    """``async with turn:`` waits for what must come first, then holds back what waits for it."""

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
    """What an action decides, and all that decides about it."""
    user, other = action.username, action.rest[0]
    if action.command == "register":
        return user, (user,)
    if action.command == "tweet":
        return None, (user,)
    return (user, other), (user, other, (user, other))
