"""The command ``make break`` on a running platform: it announces, injects, mends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.drills.breaking import DRILLS_HERE, main
from tests.parts import PATIENCE, ROOT, wait_for
from tests.stack.platform import Platform


def test_every_fault_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(f"{drill.name} " in said for drill in DRILLS_HERE)
    assert main(["nonsense"]) == 2


def test_ctrl_c_mends_it(platform: Platform) -> None:
    platform.up("node", "prometheus")
    breaking = subprocess.Popen(
        [sys.executable, "-m", "tests.drills.breaking", "node-stopped"],
        cwd=ROOT,
        env={**os.environ, **platform.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for("the fault", lambda: platform.process("node").state == "STOPPED")
    breaking.send_signal(signal.SIGINT)
    said, errors = breaking.communicate(timeout=PATIENCE)
    assert breaking.returncode == 130, errors
    assert "expect MiniTwitMonitorDown" in said
    assert "alerts/runbooks/MiniTwitMonitorDown.md" in said
    assert "the fault is mended" in said
    assert "Traceback" not in errors
    wait_for("the component", lambda: platform.process("node").state == "RUNNING")
