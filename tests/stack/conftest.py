"""Platforms that run: one with the monitoring alone (seconds), one with everything."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.platform import MONITORING, Platform

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
def stack() -> Iterator[Platform]:
    """The whole platform, with MiniTwit and its load."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        try:
            platform.up()
            yield platform
        finally:
            platform.down()
