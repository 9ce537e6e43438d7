"""promtool, from PATH or the tool cache, fetched if it is in neither."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from observability.stack.programs.tools import require
from observability.stack.settings import load

Promtool = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Run promtool with arguments."""
    program = require(["promtool"], load().cache)["promtool"]

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(program.path), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run
