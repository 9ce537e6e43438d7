"""Requests lost by a deploy on a Docker engine, at 200 requests a second.

    IMAGES="old new broken" python -m tests.deploy.bench_engine rolling|bluegreen

What the script of that name deploys to must run already and serve the first image, and what the
script reads from the environment must be set. The figures are added to ``results/deploy.json``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import results
from tests.deploy.bench import RATE, SETTLE, result
from tests.deploy.site import figures
from tests.parts import ROOT

URL = os.environ.get("API_ADDRESS", "http://127.0.0.1:5001")

SCRIPTS = {"rolling": "deploy-swarm", "bluegreen": "deploy-compose"}


def main() -> int:
    """Run all rows; 0 if every deploy ended as it should."""
    script = sys.argv[1]
    _, new, broken = os.environ["IMAGES"].split()
    plan = {
        "no deploy, before": ("", 40, 0),
        script: (new, 100, 0),
        f"{script}, the new version never gets healthy": (broken, 100, 1),
        "no deploy, after": ("", 40, 0),
    }
    rows = {row: measure(script, row, *how[:2]) for row, how in plan.items()}
    engine = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    found = results.stamped({"engine": engine, "rate": RATE, "rows": rows})
    results.write("deploy", results.read("deploy") | {f"{script}, engine": found})
    return 0 if all(rows[row]["status"] == how[2] for row, how in plan.items()) else 1


def measure(script: str, row: str, image: str, seconds: int) -> dict[str, Any]:
    """One row: the load, and in the midst of it the deploy."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable, "-m", "simulator", "--url", URL, "--rate", str(RATE), "--actions",
            str(RATE * seconds), "--even", "--report", str(report),
        ]  # fmt: skip
        status = 0
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as simulator:
            time.sleep(SETTLE)
            if image:
                begin = time.monotonic()
                # The load that is measured may well fire an alert.
                deploy = [str(ROOT / f"deploy/{SCRIPTS[script]}.sh"), "--anyway", image]
                status = subprocess.run(deploy, check=False, timeout=400).returncode
                print(f"the deploy took {time.monotonic() - begin:.0f} s", flush=True)
            simulator.wait(timeout=300)
        row_of = result(status, figures(report))
    print(row, row_of, flush=True)
    return row_of


if __name__ == "__main__":
    sys.exit(main())
