"""A run ends with what could not be tested, and may fail because of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import ROOT

SKIPS = """
import pytest
@pytest.mark.parametrize("n", [1, 2])
def test_logs(n): pytest.skip("LOG PIPELINE NOT TESTED: no Loki")
@pytest.mark.skipif(True, reason="DASHBOARDS NOT TESTED: no Grafana")
def test_boards(): pass
def test_else(): pass
"""
PASSES = "def test_it(): pass\n"
LOGS, BOARDS = "LOG PIPELINE NOT TESTED: no Loki (2)", "DASHBOARDS NOT TESTED: no Grafana (1)"


@pytest.mark.parametrize(
    ("code", "options", "status", "last"),
    [
        (SKIPS, ["--untested=tell"], 0, f"Not tested on this machine: {LOGS}; {BOARDS}."),
        (SKIPS, ["--untested=fail"], 1, "FAILED: the log pipeline has to be tested here."),
        (SKIPS, ["--untested=fail", "-k", "boards"], 0, f"Not tested on this machine: {BOARDS}."),
        (PASSES, ["--untested=fail"], 0, "Everything was tested on this machine."),
        (PASSES, [], 0, ""),
    ],
)
def test_the_last_line(
    tmp_path: Path, code: str, options: list[str], status: int, last: str
) -> None:
    (tmp_path / "test_it.py").write_text(code)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.untested",
        "-q",
        f"--rootdir={tmp_path}",
    ]
    command += ["-c", "/dev/null", "-p", "no:cacheprovider", *options, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(last), done.stdout
