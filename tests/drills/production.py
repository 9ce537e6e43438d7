"""``python -m tests.drills.production``: with production's values, how long until the room knows.

What is simply down must be told within 60 s; a burn rate of 100 % errors within five minutes,
after an hour of health. That hour is put into Prometheus's storage before it starts. Writes
results/production.json.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alerts.burn import BAD, REQUESTS
from alerts.objectives import OBJECTIVES
from observability.stack.programs import tools
from tests import results
from tests.drills.__main__ import site
from tests.drills.faults import clients, postgres, processes, repeated
from tests.drills.run import settle
from tests.drills.site import Site
from tests.parts import request, wait_for

DOWN, BURN = 60.0, 300.0  # seconds at most
HOUR, STEP = 3600, 5
CASES = (
    ("MiniTwitTargetDown", "api is stopped", processes.stopped("api"), DOWN),
    ("MiniTwitDatabaseDown", "PostgreSQL is stopped", processes.stopped("postgres"), DOWN),
    ("MiniTwitProbeFailing", "the table of messages is locked", postgres.locked, DOWN),
    ("MiniTwitBurnRate1h", "the table of messages is locked", postgres.locked, BURN),
)


def main() -> int:
    """0 if each came in time."""
    rows: list[dict[str, Any]] = []
    for alert, what, fault, limit in CASES:
        with site(1, small=False) as place:
            if limit == BURN:
                backfill(place)
            settle(place)
            since, begin = len(place.messages()), time.monotonic()
            with fault(place), asking(place):
                seconds = wait(place, alert, since, begin, 2 * limit)
            rows.append({"alert": alert, "fault": what, "seconds": seconds, "limit": limit})
            print(f"{alert}: {what}: in the room after {seconds} s, at most {limit:g}", flush=True)
    results.write("production", results.stamped({"rows": rows}))
    return 0 if all(row["seconds"] and row["seconds"] <= row["limit"] for row in rows) else 1


@contextmanager
def asking(place: Site) -> Iterator[None]:
    """Reads beside the simulator's writes: both fail while messages are locked."""
    with repeated(clients.read, 0.2)(place):
        yield


def wait(place: Site, alert: str, since: int, begin: float, limit: float) -> float | None:
    """Seconds until the room heard of it; None if it did not."""
    while time.monotonic() - begin < limit:
        said = place.messages()[since:]
        if any(m.name == alert and m.status == "FIRING" for m in said):
            return round(time.monotonic() - begin, 1)
        time.sleep(0.5)
    return None


def backfill(place: Site) -> None:
    """An hour in which all was well, at ten requests a second, up to this moment."""
    place.stop("prometheus")
    now = int(time.time())
    lines = []
    for name, value in ((REQUESTS, 10), (BAD, 0)):
        lines.append(f"# TYPE {name} gauge")
        for objective in OBJECTIVES:
            labels = f'{{objective="{objective.name}",service="{objective.service}"}}'
            lines += [f"{name}{labels} {value} {at}" for at in range(now - HOUR, now, STEP)]
    text = Path(place.run_dir) / "history.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    promtool = tools.require(["promtool"], place.settings.cache)["promtool"].path
    data = place.run_dir / "data/prometheus"
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    place.start("prometheus")
    ready = place.url("prometheus") + "/-/ready"
    wait_for("Prometheus", lambda: request("GET", ready).status == 200, 60)


if __name__ == "__main__":
    sys.exit(main())
