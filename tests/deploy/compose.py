"""``docker compose`` as the wheel brings it, and what it makes of a file."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.parts import PATIENCE, ROOT

PROGRAM = Path(sys.executable).parent / "docker-compose"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command of it in the project's folder."""
    return subprocess.run(
        [PROGRAM, "--env-file", os.devnull, *arguments],  # not what a deploy left in .env
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@functools.cache
def config(*profiles: str) -> dict[str, Any]:
    """The file with everything filled in; a warning fails as an error does."""
    chosen = [part for name in profiles for part in ("--profile", name)]
    done = run(*chosen, "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed
