"""``make profile``: where api's time goes under load, as a flame graph: docs/flame.svg.

Samples are taken only while the interpreter is held; what waits for the database is not in them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.environment import environment
from tests.bench.load import drive
from tests.bench.observed import WORKS
from tests.bench.servers import keep_off
from tests.parts import ROOT

GRAPH = ROOT / "docs" / "flame.svg"
SECONDS, RATE = 15, 200  # samples a second


def main() -> int:
    """py-spy's exit status; it must be allowed to look into another process."""
    keep_off()
    with (
        tempfile.TemporaryDirectory(prefix="minitwit-profile-") as folder,
        environment(Path(folder), 1, SECONDS, 0) as where,
        where.server("observed", where.database(10_000)) as server,
    ):
        drive(server.url, WORKS["read"], 2)
        command = [
            str(Path(sys.executable).with_name("py-spy")), "record", "--gil",
            f"--duration={SECONDS}", f"--rate={RATE}", f"--output={GRAPH}",
            f"--pid={server.process.pid}",
        ]  # fmt: skip
        spy = subprocess.Popen(command)
        drive(server.url, WORKS["read"], SECONDS + 1)
        status = spy.wait()
    # Its title is the command, with this machine's paths.
    GRAPH.write_text(re.sub(r"(id=\"title\"[^>]*>)[^<]*", r"\1api under reads", GRAPH.read_text()))
    return status


if __name__ == "__main__":
    sys.exit(main())
