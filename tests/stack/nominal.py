"""``make nominal``: the scenario at its nominal speed against the whole platform, measured.

One client, the scenario's delays, 0.3 s to answer, as the course's simulator does it. The report
goes to ``results/nominal.json`` together with the commit and the machine.
"""

from __future__ import annotations

import json
import os
import platform as machine
import subprocess
import sys
import tempfile
from pathlib import Path

from observability.stack.components import TABLE
from tests.parts import ROOT
from tests.stack.platform import Platform

RESULT = ROOT / "results" / "nominal.json"


def main() -> int:
    """Run it; the simulator's exit status."""
    commit = _git("rev-parse", "HEAD") + ("+changes" if _git("status", "--porcelain") else "")
    with tempfile.TemporaryDirectory(prefix="minitwit-nominal-") as folder:
        Path(folder).chmod(0o755)
        platform = Platform(Path(folder) / "run")
        report = Path(folder) / "report.json"
        try:
            platform.up(*(c.name for c in TABLE if c.name not in ("load", "grafana")))
            command = [sys.executable, "-m", "simulator", "--url", platform.url("api"), "--verify"]
            done = subprocess.run([*command, "--report", str(report)], cwd=ROOT, check=False)
            figures = json.loads(report.read_text())
        finally:
            platform.down()
    result = {
        "commit": commit,
        "machine": {"cpus": os.cpu_count(), "python": machine.python_version()},
        "report": figures,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2, sort_keys=True) + "\n")
    print(f"written to {RESULT.relative_to(ROOT)}")
    return done.returncode


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
