"""Scenarios: actions in the known tab-separated format.

A line is ``id delay timestamp command username …`` with tabs between, without quoting, UTF-8,
ended by a line feed, or throughout by carriage returns. What follows the user name depends on the
command: ``register`` an e-mail address and, last, a password; ``tweet`` its text; ``follow`` and
``unfollow`` a name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

COMMANDS = ("register", "tweet", "follow", "unfollow")
DELAY_UNITS = 100_000_000  # delays of 1 make a second
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_FORBIDDEN = re.compile(r"[\t\n\r]")


class ScenarioError(ValueError):
    """A scenario cannot be read or written; the text tells where and why."""


class Action(NamedTuple):
    """One line of a scenario; ``rest`` holds the fields after the user name."""

    id: int
    delay: int
    timestamp: str
    command: str
    username: str
    rest: tuple[str, ...]


def read(path: Path) -> list[Action]:
    """Return all actions of a file. Raises ScenarioError at the first bad row."""
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    rows = data.split(b"\n" if b"\n" in data else b"\r")
    while rows and not rows[-1].strip():
        rows.pop()
    if not rows:
        raise ScenarioError(f"{path}: holds no actions")
    actions = []
    for number, row in enumerate(rows, 1):
        try:
            actions.append(_parse(row.removesuffix(b"\r").decode()))
        except ValueError as error:
            why = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            raise ScenarioError(f"{path}:{number}: {why}") from None
    return actions


def write(path: Path, actions: Iterable[Action]) -> None:
    """Write a file that ``read`` reads back unchanged. Raises ScenarioError."""
    with path.open("wb") as file:
        for action in actions:
            fields = (action.timestamp, action.command, action.username, *action.rest)
            if any(map(_FORBIDDEN.search, fields)):
                raise ScenarioError(f"action {action.id}: a field holds a tab or a line break")
            line = "\t".join((str(action.id), str(action.delay), *fields)) + "\n"
            file.write(line.encode())


def _parse(row: str) -> Action:
    fields = row.split("\t")
    if len(fields) < 6:
        raise ScenarioError(f"{len(fields)} fields, expected at least 6 with tabs between them")
    for name, value in zip(("id", "delay"), fields, strict=False):
        if not _NUMBER.fullmatch(value):
            raise ScenarioError(f"{name} is not a whole number: {value!r}")
    if "\r" in row:
        raise ScenarioError("a carriage return inside the line")
    command, rest = fields[3], tuple(fields[5:])
    if command not in COMMANDS:
        raise ScenarioError(f"unknown command {command!r}")
    if command == "register" and len(rest) < 2:
        raise ScenarioError("register without a password")
    if command != "register" and len(rest) != 1:
        raise ScenarioError(f"{command} with {len(rest)} fields after the user name, expected 1")
    return Action(int(fields[0]), int(fields[1]), fields[2], command, fields[4], rest)


@dataclass
class State:
    """A server's state: users, their messages (text to count), and follow edges."""

    users: set[str] = field(default_factory=set)
    messages: dict[str, Counter[str]] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)


def expected(actions: Iterable[Action]) -> State:
    """Return the state after all actions, in order, on an empty server."""
    state = State()
    for _, _, _, command, user, rest in actions:
        if command == "register":
            if user not in state.users:
                state.users.add(user)
                state.messages[user] = Counter()
        elif user not in state.users:
            continue
        elif command == "tweet":
            if rest[0]:
                state.messages[user][rest[0]] += 1
        elif rest[0] in state.users:
            change = state.edges.add if command == "follow" else state.edges.discard
            change((user, rest[0]))
    return state
