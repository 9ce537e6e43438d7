"""``make bench-deploy``: requests lost while a new version takes over, at 200 requests a second.

One host without Docker: nginx, two pairs of api and web, PostgreSQL, Prometheus and Alertmanager,
the simulator with its 0.3 s in an open loop. The same load without a deploy comes first and last:
what it shows is the machine's, not the deploy's. The figures go to ``results/deploy.json``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import results
from tests.deploy import site as sites
from tests.deploy.site import Site, figures
from tests.parts import PostgresServer

RATE, SECONDS = 200, 40
SETTLE = 5  # seconds of load before the deploy begins
# row → version to deploy, and the exit status that this must have; no version: no deploy
ROWS: dict[str, tuple[str, int]] = {
    "no deploy, before": ("", 0),
    "blue/green": ("better", 0),
    "blue/green, the new version cannot write": ("cannot-write", 1),
    "blue/green, the new version passes the gate and refuses posts": ("cannot-post", 1),
    "no deploy, after": ("", 0),
}


def main() -> int:
    """Run all rows; 0 if every deploy ended as it should."""
    with tempfile.TemporaryDirectory(prefix="minitwit-deploy-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        (folder / "site").mkdir()
        server = PostgresServer(folder / "postgres")
        try:
            with sites.start(folder / "site", server.create_database("deploy")) as site:
                rows = {row: measure(site, row) for row in ROWS}
        finally:
            server.stop()
    figures = results.stamped({"rate": RATE, "rows": rows})
    results.write("deploy", results.read("deploy") | {"bluegreen": figures})
    return 0 if all(rows[row]["status"] == status for row, (_, status) in ROWS.items()) else 1


def measure(site: Site, row: str) -> dict[str, Any]:
    """One row: the load, and in the midst of it the deploy."""
    version, status = ROWS[row][0], 0
    report = site.folder / "report.json"
    with site.load(RATE, RATE * SECONDS, 0.3, report):
        time.sleep(SETTLE)
        if version:
            done = site.deploy(version, CANARY_SECONDS="12", WATCH_SECONDS="8", START_TRIES="50")
            status = done.returncode
            print(done.stderr, end="", flush=True)
    found = result(status, figures(report))
    print(row, found, flush=True)
    return found


def result(status: int, totals: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a deploy's exit status and of what the simulator saw meanwhile."""
    return {
        "status": status,
        "requests": totals["count"],
        "failed": totals["errors"] - totals["timeouts"],
        "slower_than_300_ms": totals["timeouts"],
        "statuses": totals["statuses"],
        "latency_ms": totals["latency"],
    }


if __name__ == "__main__":
    sys.exit(main())
