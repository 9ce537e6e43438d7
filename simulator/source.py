"""The source of a run's actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from simulator.generator import ACTIONS, generate
from simulator.scenario import Action, read


def load(file: Path | None, seed: int, actions: int | None, even: bool = False) -> list[Action]:
    """Return a file's actions, or generated ones; ``actions`` limits those of a file.

    Raises ScenarioError.
    """
    if file is None:
        return list(generate(seed, actions or ACTIONS, even=even))
    return read(file)[:actions]


def endless(
    file: Path | None, seed: int, actions: int | None, even: bool, after: int, mark: str = ""
) -> Iterator[Action]:
    """Yield laps without end, with rising ids from the first above ``after``.

    Later laps register the same users again, which is answered 400 and allowed. With ``mark`` each
    lap generates new users, and the first lap starts at its beginning, because they are not
    registered yet. Raises ScenarioError if there is a file and it cannot be read.
    """
    if file is None and mark:
        return _strangers(seed, actions or ACTIONS, even, after, mark)
    if file is None:
        size = actions or ACTIONS
        laps: Iterable[Iterable[Action]] = (
            generate(seed, size, lap=lap, even=even) for lap in count((after + 1) // size)
        )
    else:
        known = read(file)[:actions]
        size = max(action.id for action in known) + 1
        laps = (_shift(known, lap * size) for lap in count((after + 1) // size))
    return (action for lap in laps for action in lap if action.id > after)


def _strangers(seed: int, size: int, even: bool, after: int, mark: str) -> Iterator[Action]:
    for lap in count():
        made = generate(seed, size, lap=lap, even=even, mark=f"{mark}{lap or ''}")
        yield from _shift(made, after + 1)


def _shift(actions: Iterable[Action], by: int) -> Iterator[Action]:
    return (action._replace(id=action.id + by) for action in actions)
