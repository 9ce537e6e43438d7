"""Fixtures of the instrumentation's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from observability.instrument import logs, loki, tracing
from tests.collector import Collector, receiver
from tests.parts import PATIENCE


@pytest.fixture
def collector() -> Iterator[Collector]:
    with receiver() as collector:
        yield collector


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans leave soon: the SDK's own variable."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end delivers everything, whatever time the machine takes for it.

    A test about one of these limits sets it itself.
    """
    monkeypatch.setattr(logs, "CLOSE_SECONDS", PATIENCE)
    monkeypatch.setattr(loki, "TIMEOUT", (PATIENCE, PATIENCE))
    monkeypatch.setattr(tracing, "SHUTDOWN_SECONDS", PATIENCE)
