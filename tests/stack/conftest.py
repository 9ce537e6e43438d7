"""Platforms that run: one with the monitoring alone (seconds), one with everything."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import wait_for
from tests.stack.platform import MONITORING, Platform

# Alerts on what tests break. Others may fire on an overloaded machine.
FIRING = 'ALERTS{alertstate="firing",alertname=~"MiniTwit(DatabaseDown|TargetDown)"}'
DEEP = "a-checkout-in-a-folder-whose-path-is-longer-than-a-socket-s-may-be-" * 2


@pytest.fixture
def platform() -> Iterator[Platform]:
    """A platform that is not started yet, in a folder with a long path."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user
        platform = Platform(Path(folder) / DEEP)
        try:
            yield platform
        finally:
            platform.down()


@pytest.fixture(scope="module")
def monitoring() -> Iterator[Platform]:
    """The monitoring and its database, without MiniTwit."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        try:
            platform.up(*MONITORING)
            yield platform
        finally:
            platform.down()


@pytest.fixture(scope="module")
def small() -> Iterator[Platform]:
    """Two components that start in no time, kept by a real supervisor."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        platform = Platform(Path(folder) / "run")
        try:
            # A folder of the session that does not exist is no reason not to start.
            done = platform.run("up", "--only", "node,blackbox", XDG_RUNTIME_DIR="/nowhere/at/all")
            assert done.returncode == 0, done.stderr
            yield platform
        finally:
            platform.down()


@pytest.fixture(scope="session")
def whole() -> Iterator[Platform]:
    """The whole platform with MiniTwit and its load, started once for all tests."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        try:
            platform.up()
            yield platform
        finally:
            platform.down()


@pytest.fixture(scope="module")
def stack(whole: Platform) -> Platform:
    """The whole platform while healthy; a test that breaks it repairs it."""
    whole.healthy()
    wait_for("no alert", lambda: not whole.prometheus(FIRING))
    return whole
