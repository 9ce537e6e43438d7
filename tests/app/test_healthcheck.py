"""The image's health check: readiness decides until it was ready once, then life does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import PATIENCE, ROOT, Service, free_port, request, wait_for


@pytest.fixture
def alive() -> Iterator[int]:
    """The port of an api that lives but has no database."""
    port = free_port()
    nowhere = f"postgresql://nobody:nothing@127.0.0.1:{free_port()}/none"
    environment = {**os.environ, "PORT": str(port), "DATABASE_URL": nowhere, "LOG_STDOUT": "0"}
    command = [sys.executable, "-m", "app", "api"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        url = f"http://127.0.0.1:{port}"
        wait_for("an answer", lambda: request("GET", f"{url}/healthz").status == 200)
        assert request("GET", f"{url}/readyz").status == 503
        yield port
        process.terminate()


def healthy(port: int, folder: Path) -> bool:
    command = [sys.executable, "-I", str(ROOT / "app/healthcheck.py")]
    environment = {"PORT": str(port), "TMPDIR": str(folder)}
    return subprocess.run(command, env=environment, check=False, timeout=PATIENCE).returncode == 0


def test_what_was_never_ready_is_not_kept(alive: int, tmp_path: Path) -> None:
    assert not healthy(alive, tmp_path)
    assert not healthy(free_port(), tmp_path)


def test_what_was_ready_once_is_kept_without_its_database(
    api: Service, alive: int, tmp_path: Path
) -> None:
    port = int(api.url.rpartition(":")[2])
    wait_for("a healthy one", lambda: healthy(port, tmp_path))
    wait_for("the other one", lambda: healthy(alive, tmp_path))
    assert not healthy(free_port(), tmp_path)
