"""Counting, and quantiles in bounded memory."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.client import KINDS, Outcome
from simulator.results import Latency, Results, is_error


@given(st.lists(st.floats(0, 100), min_size=1), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_exact_to_one_percent(seconds: list[float], q: float) -> None:
    times = Latency()
    for value in seconds:
        times.add(value)
    exact = sorted(seconds)[math.ceil(q * len(seconds)) - 1]
    found = times.quantile(q)
    assert found is not None
    assert exact * 0.99 - 2e-6 <= found <= exact
    assert times.longest == max(seconds)


@given(st.lists(st.floats(0, 10)), st.lists(st.floats(0, 10)))
def test_merging_is_adding(one: list[float], two: list[float]) -> None:
    first, second, both = Latency(), Latency(), Latency()
    for value in one:
        first.add(value)
        both.add(value)
    for value in two:
        second.add(value)
        both.add(value)
    first.merge(second)
    assert first.count == both.count
    assert [first.quantile(q / 10) for q in range(11)] == [both.quantile(q / 10) for q in range(11)]


def test_memory_is_bounded() -> None:
    times = Latency()
    for micros in range(0, 5_000_000, 7):
        times.add(micros / 1e6)
    assert len(times._counts) < 10_000
    assert Latency().quantile(0.5) is None


@pytest.mark.parametrize(
    ("command", "outcome", "error"),
    [
        ("tweet", Outcome("answer", 0.1, 204), False),
        ("tweet", Outcome("answer", 0.1, 200), True),
        ("tweet", Outcome("answer", 0.1, 400), True),
        ("follow", Outcome("answer", 0.1, 404), True),
        ("register", Outcome("answer", 0.1, 400), False),
        ("register", Outcome("answer", 0.1, 404), True),
        ("register", Outcome("timeout", 0.3), True),
        ("unfollow", Outcome("refused", 0.0), True),
        ("tweet", Outcome("reset", 0.0), True),
        ("tweet", Outcome("other", 0.0), True),
    ],
)
def test_what_counts_as_an_error(command: str, outcome: Outcome, error: bool) -> None:
    results = Results()
    assert is_error(command, outcome) is error
    assert results.add(command, outcome) is error
    assert results.total().errors == error
    assert results.rows[command].count == 1


def test_only_answers_and_timeouts_have_a_latency() -> None:
    results = Results()
    for kind in KINDS:
        results.add("tweet", Outcome(kind, 0.3, 204 if kind == "answer" else 0))
    row = results.rows["tweet"]
    assert row.latency.count == 2
    assert row.statuses == {204: 1}
    assert row.failures == {"timeout": 1, "refused": 1, "reset": 1, "other": 1}
