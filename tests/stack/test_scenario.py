"""The known scenario's size and mix against the whole platform: nothing lost, nothing invented."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import PATIENCE, PATIENT, ROOT, wait_for
from tests.stack.platform import Platform

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
# Whether each answer comes within 0.3 s is measured by `make nominal`, not here: this must hold
# on a machine that is busy with something else.
TIMEOUT = "60"


@pytest.fixture(scope="module")
def unloaded() -> Iterator[Platform]:
    """The platform without its gentle load, so that the scenario meets an empty server."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        platform.environment |= PATIENT
        try:
            platform.up(*platform.here("load", "grafana"))
            yield platform
        finally:
            platform.down()


def test_the_whole_scenario_leaves_exactly_its_state(unloaded: Platform, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "simulator", "--url", unloaded.url("api"), "--max",
            "--clients", "8", "--timeout", TIMEOUT, "--verify", "--report", str(report),
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE * 3,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text())["actions"] == 25_922

    def seen() -> float:
        query = 'sum(minitwit_messages_total{job="api",outcome="ok"})'
        return sum(value for _, value in unloaded.prometheus(query))

    wait_for("Prometheus to have counted every message", lambda: seen() == 11_306)
