"""Fixtures of the instrumentation's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.collector import Collector, receiver


@pytest.fixture
def collector() -> Iterator[Collector]:
    with receiver() as collector:
        yield collector


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans leave soon: the SDK's own variable."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
