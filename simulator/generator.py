"""Generates scenarios with the mix, the course and the oddities of the known one.

Its course: the first actions are registrations and tweets, far apart; with more users, actions
become more frequent, and more of them are follows and, last, unfollows. Ids start at 0, timestamps
are milliseconds, and a delay is the difference from the timestamp before.

The same seed and size give the same bytes: all randomness comes from ``Random.random``, the one
method that Python promises not to change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, TypeVar

from simulator import words
from simulator.scenario import DELAY_UNITS, Action, ScenarioError

T = TypeVar("T")
Pair = tuple[str, str]

ACTIONS = 25_922
NOMINAL_SECONDS = 60.4  # of all delays of the known file's size: 429 actions a second
LONGEST = 140
_START = 1_767_225_600_000  # 2026 began
_TRIES = 50

# Fitted to what is known: the last user comes at this part of all actions, the first ones at
# once; the mean delay falls as 1 / (i + total / _SLOWEST) does.
_LAST_ARRIVAL, _ARRIVAL_POWER = 0.46, 2.4
_LAST_EVEN_ARRIVAL = 0.95
_SLOWEST = 240
# How the weight of each kind of action grows with the part that is over: a power of it.
_GROWTH = {"tweet": 0.0, "follow": 0.5, "unfollow": 1.0, "stranger": 1.0}


@dataclass(frozen=True, slots=True)
class Mix:
    """The number of actions of each kind.

    ``unfollows`` remove an edge, ``strangers`` find none. No follow of the known file repeats an
    edge: 9,751 - (4,665 - 1,179) are its 6,265.
    """

    registers: int = 200
    tweets: int = 11_306
    follows: int = 9_751
    unfollows: int = 3_486
    strangers: int = 1_179
    non_ascii: int = 5_046

    @classmethod
    def of(cls, actions: int, users: int | None = None) -> Mix:
        """Scale the known mix to a size; without ``users``, use as many as follows need.

        Raises ScenarioError if so few users cannot have so many edges.
        """
        known = cls()
        if users is None:
            edges = actions * (known.follows - known.unfollows) / ACTIONS
            room = math.ceil(math.sqrt(2 * edges)) + 1
            users = max(1, min(actions, max(round(known.registers * actions / ACTIONS), room)))
        if not 0 < users <= actions:
            raise ScenarioError(f"{users} users do not fit into {actions} actions")
        share = (actions - users) / (ACTIONS - known.registers)
        if users == 1:
            return cls(1, actions - 1, 0, 0, 0, round(known.non_ascii * share))
        follows, unfollows, strangers = (
            round(n * share) for n in (known.follows, known.unfollows, known.strangers)
        )
        if follows >= users * (users - 1):
            raise ScenarioError(f"{users} users cannot follow each other {follows} times")
        tweets = actions - users - follows - unfollows - strangers
        return cls(users, tweets, follows, unfollows, strangers, round(known.non_ascii * share))


class Person(NamedTuple):
    """A generated user."""

    name: str
    email: str
    password: str


def people(seed: int, users: int, mark: str = "") -> list[Person]:
    """Return generated users with different names, the last word of which is ``mark``."""
    rng = Random(f"people {seed}")  # noqa: S311 -- made up, to be repeated
    names = [f"{first} {last}" for first in words.FIRST_NAMES for last in words.LAST_NAMES]
    for i in range(len(names) - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        names[i], names[j] = names[j], names[i]
    made = []
    for i in range(users):
        lap, index = divmod(i, len(names))
        name = names[index] + (f" {lap + 1}" if lap else "") + (f" {mark}" if mark else "")
        password = "".join(_pick(rng, words.ALPHABET) for _ in range(10))
        cut = int(rng.random() * 11)
        password = password[:cut] + _pick(rng, words.ODDITIES) + password[cut:]
        sign = _pick(rng, "+.-_")
        made.append(Person(name, f"user{sign}{i}@example.com", password))
    return made


def generate(
    seed: int,
    actions: int = ACTIONS,
    users: int | None = None,
    *,
    lap: int = 0,
    even: bool = False,
    mark: str = "",
) -> Iterator[Action]:
    """Generate actions in order, on demand; ids start at ``lap * actions``.

    In the known file's size the counts are exactly its own; users are named only after
    registering. Later laps have the same users, who act differently; ``mark`` makes them other
    users. ``even`` spreads the registrations evenly: at a constant rate those at the beginning
    would come dozens at a time.
    """
    mix = Mix.of(actions, users)
    crowd = people(seed, mix.registers, mark)
    rng = Random(f"actions {seed} {lap}")  # noqa: S311
    story = _Story(rng, mix)
    last, power = (_LAST_EVEN_ARRIVAL, 1.0) if even else (_LAST_ARRIVAL, _ARRIVAL_POWER)
    slowness = NOMINAL_SECONDS * DELAY_UNITS / ACTIONS * actions / math.log(_SLOWEST + 1)
    stamp = _START
    for i in range(actions):
        met = len(story.names)
        due = last * actions * (met / mix.registers) ** power
        step = None if met < mix.registers and i >= due else story.step(i / actions)
        if step is None:
            person = crowd[met]
            story.names.append(person.name)
            step = ("register", person.name, (person.email, person.password))
        delay = i and int(-math.log(1 - rng.random()) * slowness / (i + actions / _SLOWEST))
        stamp += delay
        yield Action(lap * actions + i, delay, str(stamp), *step)


Step = tuple[str, str, tuple[str, ...]]


class _Story:
    """The remaining actions, and the follow edges so far."""

    def __init__(self, rng: Random, mix: Mix) -> None:
        self.rng = rng
        self.names: list[str] = []
        self.left = {
            "tweet": mix.tweets,
            "follow": mix.follows,
            "unfollow": mix.unfollows,
            "stranger": mix.strangers,
        }
        self.non_ascii = mix.non_ascii
        self.longest = LONGEST
        self.edges: list[Pair] = []
        self.known: set[Pair] = set()

    def step(self, over: float) -> Step | None:
        """Return a possible action, weighted by the remaining kinds; None at the end."""
        if not self.names:
            return None
        for kind in (self._draw(over), *self.left):
            made = self._make(kind) if self.left[kind] else None
            if made:
                self.left[kind] -= 1
                return made
        return None

    def _draw(self, over: float) -> str:
        weights = {kind: left * over ** _GROWTH[kind] for kind, left in self.left.items()}
        mark = self.rng.random() * sum(weights.values())
        for kind, weight in weights.items():
            mark -= weight
            if mark < 0:
                return kind
        return "tweet"

    def _make(self, kind: str) -> Step | None:
        if kind == "tweet":
            return "tweet", self._somebody(), (self._text(),)
        if kind == "unfollow":
            pair = self._end_edge() if self.edges else None
        else:
            pair = self._strangers()
        if pair is None:
            return None
        if kind == "follow":
            self.known.add(pair)
            self.edges.append(pair)
        return "follow" if kind == "follow" else "unfollow", pair[0], (pair[1],)

    def _somebody(self) -> str:
        """Return a random user; early users are the busiest, as in life."""
        return self.names[int(len(self.names) * self.rng.random() ** 1.5)]

    def _end_edge(self) -> Pair:
        i = int(self.rng.random() * len(self.edges))
        self.edges[i], self.edges[-1] = self.edges[-1], self.edges[i]
        pair = self.edges.pop()
        self.known.remove(pair)
        return pair

    def _strangers(self) -> Pair | None:
        for _ in range(_TRIES):
            pair = self._somebody(), _pick(self.rng, self.names)
            if pair[0] != pair[1] and pair not in self.known:
                return pair
        everyone = ((a, b) for a in self.names for b in self.names if a != b)
        return next((pair for pair in everyone if pair not in self.known), None)

    def _text(self) -> str:
        """Return a random text; the first one has the maximum length."""
        length = self.longest or 12 + int(self.rng.random() ** 2 * (LONGEST - 11))
        self.longest = 0
        parts: list[str] = []
        script: Sequence[str] = words.PLAIN_WORDS
        if self.rng.random() * self.left["tweet"] < self.non_ascii:
            self.non_ascii -= 1
            script = _pick(self.rng, words.SCRIPTS)
            parts.append(_pick(self.rng, script))
        size = sum(len(part) + 1 for part in parts)
        while size <= length:
            parts.append(_pick(self.rng, script if self.rng.random() < 0.6 else words.PLAIN_WORDS))
            size += len(parts[-1]) + 1
        text = " ".join(parts)[:length]
        return text[:-1] + "." if text.endswith(" ") else text


def _pick(rng: Random, choices: Sequence[T]) -> T:
    return choices[int(rng.random() * len(choices))]
