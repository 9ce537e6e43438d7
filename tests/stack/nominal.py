"""``make nominal``: the scenario at its nominal speed against the whole platform, measured.

One client, the scenario's delays, 0.3 s to answer, as the course's simulator does it. The report
goes to ``results/nominal.json`` together with the commit and the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from observability.stack.components import TABLE
from tests import results
from tests.parts import ROOT
from tests.stack.platform import Platform


def main() -> int:
    """Run it; the simulator's exit status."""
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
    results.write("nominal", results.stamped({"report": figures}))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
