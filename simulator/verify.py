"""Compares a server's state with the expected state of a scenario."""

from __future__ import annotations

from collections import Counter

from simulator.reader import Reader
from simulator.scenario import State


async def differences(state: State, reader: Reader, latest: int | None) -> list[str]:
    """Return one line per difference; ``latest`` None is not compared.

    Other users of the server are ignored. Raises ReadError if it cannot be read.
    """
    found = []
    if latest is not None and (told := await reader.latest()) != latest:
        found.append(f"latest is {told}, expected {latest}")
    wanted: dict[str, set[str]] = {user: set() for user in state.users}
    for user, other in state.edges:
        wanted[user].add(other)
    for user in sorted(state.users):
        follows = await reader.follows(user)
        if follows is None:
            found.append(f"{user}: no such user")
            continue
        # Whether following oneself leaves an edge is up to the server.
        for other in sorted((follows ^ wanted[user]) - {user}):
            verb = "does not follow" if other in wanted[user] else "still follows"
            found.append(f"{user}: {verb} {other}")
        found += _messages(user, state.messages[user], await reader.messages(user))
    return found


def _messages(user: str, wanted: Counter[str], held: Counter[str]) -> list[str]:
    lines = []
    if lost := wanted - held:
        lines.append(f"{user}: {lost.total()} messages missing, such as {next(iter(lost))!r}")
    if more := held - wanted:
        lines.append(f"{user}: {more.total()} messages too many, such as {next(iter(more))!r}")
    return lines
