"""Scenarios made up: the counts of the known one, and its oddities."""

import hashlib
import unicodedata
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.generator import ACTIONS, Mix, generate
from simulator.scenario import DELAY_UNITS, Action, ScenarioError, expected, write
from simulator.source import endless


@pytest.fixture(scope="module")
def known() -> list[Action]:
    return list(generate(1))


@pytest.fixture(scope="module")
def texts(known: list[Action]) -> list[str]:
    return [action.rest[0] for action in known if action.command == "tweet"]


def replay(actions: list[Action]) -> tuple[int, int, int, int]:
    """Users, edges, follows that change nothing, unfollows that change nothing; the slow way.

    Fails on anybody named before registering, and on users who follow themselves.
    """
    users: list[str] = []
    edges: set[tuple[str, str]] = set()
    again = strangers = 0
    for action in actions:
        if action.command == "register":
            assert action.username not in users
            users.append(action.username)
            continue
        assert action.username in users
        if action.command == "tweet":
            continue
        pair = action.username, action.rest[0]
        assert pair[1] in users
        assert pair[0] != pair[1]
        if action.command == "follow":
            again += pair in edges
            edges.add(pair)
        else:
            strangers += pair not in edges
            edges.discard(pair)
    return len(users), len(edges), again, strangers


def test_the_known_counts(known: list[Action]) -> None:
    commands = Counter(action.command for action in known)
    assert commands == {"register": 200, "tweet": 11_306, "follow": 9_751, "unfollow": 4_665}
    assert len(known) == ACTIONS == 25_922
    assert replay(known) == (200, 6_265, 0, 1_179)


def test_what_is_expected_is_what_a_replay_leaves(known: list[Action]) -> None:
    state = expected(known)
    posted = Counter(action.username for action in known if action.command == "tweet")
    assert len(state.users) == 200
    assert len(state.edges) == 6_265
    assert {user: held.total() for user, held in state.messages.items() if held} == posted


def test_texts(texts: list[str]) -> None:
    assert sum(not text.isascii() for text in texts) == 5_046
    assert max(map(len, texts)) == 140
    assert min(map(len, texts)) > 0
    everything = "".join(texts)
    assert not {"\t", "\n", "\r"} & set(everything)
    assert any(ord(character) > 0xFFFF for character in everything), "nothing outside the BMP"
    assert any(map(unicodedata.combining, everything)), "no combining marks"
    scripts = {unicodedata.name(c, "?").split()[0] for c in everything if c.isalpha()}
    assert {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "HIRAGANA"} <= scripts
    assert all(text == text.strip() for text in texts)


def test_people(known: list[Action]) -> None:
    registrations = [action for action in known if action.command == "register"]
    assert all(" " in action.username for action in registrations)
    passwords = "".join(action.rest[1] for action in registrations)
    assert {'"', "'", "\\"} <= set(passwords)
    assert all(set(action.rest[1]) & {'"', "'", "\\"} for action in registrations)
    assert all("@" in action.rest[0] for action in registrations)


def test_it_lasts_about_a_minute(known: list[Action]) -> None:
    assert 57 < sum(action.delay for action in known) / DELAY_UNITS < 64
    stamps = [int(action.timestamp) for action in known]
    assert [b - a for a, b in pairwise(stamps)] == [a.delay for a in known[1:]]
    assert [action.id for action in known] == list(range(ACTIONS))


def test_it_takes_the_known_course(known: list[Action]) -> None:
    first, last = known[:150], known[-150:]
    assert 25 <= sum(action.command == "register" for action in first) <= 40
    assert not any(action.command == "register" for action in known[ACTIONS // 2 :])
    assert sum(a.delay for a in first) > 50 * sum(a.delay for a in last)
    assert sum(a.command == "tweet" for a in first) > 2 * sum(a.command == "tweet" for a in last)


def test_registrations_can_be_spread_evenly() -> None:
    actions = list(generate(1, even=True))
    assert replay(actions) == (200, 6_265, 0, 1_179)
    for start in range(0, int(ACTIONS * 0.94), 1000):
        part = actions[start : start + 1000]
        assert 5 <= sum(action.command == "register" for action in part) <= 12


def test_a_seed_is_a_scenario(tmp_path: Path, known: list[Action]) -> None:
    assert list(generate(1)) == known
    assert list(generate(2)) != known
    write(tmp_path / "scenario", generate(1, 1000))
    digest = hashlib.sha256((tmp_path / "scenario").read_bytes()).hexdigest()
    assert digest == DIGEST, "seed 1 no longer gives the scenario that it gave"


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3000), st.integers(0, 5))
def test_other_sizes_scale(size: int, seed: int) -> None:
    actions = list(generate(seed, size))
    mix = Mix.of(size)
    assert len(actions) == size
    assert replay(actions) == (mix.registers, mix.follows - mix.unfollows, 0, mix.strangers)
    share = (size - mix.registers) / (ACTIONS - 200)
    texts = [action.rest[0] for action in actions if action.command == "tweet"]
    if mix.registers > 1:
        assert abs(len(texts) - share * 11_306) <= 2
    assert abs(sum(not text.isascii() for text in texts) - share * 5_046) <= 1


def test_too_few_users_are_refused() -> None:
    with pytest.raises(ScenarioError, match="20 users cannot follow each other"):
        list(generate(1, ACTIONS, 20))


def test_later_laps_have_the_same_people_and_rising_ids(known: list[Action]) -> None:
    second = list(generate(1, lap=1))
    assert [action.id for action in second] == list(range(ACTIONS, 2 * ACTIONS))
    people = [[a[4:] for a in lap if a.command == "register"] for lap in (known, second)]
    assert people[0] == people[1]
    assert [a.rest for a in second] != [a.rest for a in known]


DIGEST = "9c8f203e3869d2d9ecc7d4ce82040140f6a1f0f6e9d4c152901e85f73cad5997"


def test_each_start_and_each_lap_makes_up_new_people() -> None:
    size = 300

    def registered(mark: str, after: int) -> set[str]:
        taken = islice(endless(None, 1, size, True, after, mark), 2 * size)
        actions = list(taken)
        assert [action.id for action in actions] == list(range(after + 1, after + 1 + 2 * size))
        seen: set[str] = set()
        for action in actions:
            assert action.command == "register" or action.username in seen
            if action.command == "register":
                assert action.username not in seen
                seen.add(action.username)
        return seen

    first, second = registered("a", -1), registered("b", 450)
    assert first and second and not first & second
