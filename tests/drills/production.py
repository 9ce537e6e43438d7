"""Times from fault to chat message at production's intervals.

What is simply down must be told within 60 s, in exactly the words of its drill, and nothing else
until the last window has drained. A burn rate of 100 % errors must fire within five minutes after
an hour of health; nobody is told, because what burns was told of. That hour is put into
Prometheus's storage before it starts. Takes forty minutes; writes the rows of what was run to
results/production.json.
"""

from __future__ import annotations

import argparse
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
from tests.drills.__main__ import running_site
from tests.drills.faults import clients, postgres, repeated
from tests.drills.run import DrillFailed, run, settle
from tests.drills.site import Site
from tests.drills.table import DRILLS, Drill
from tests.parts import request, wait_for

DOWN, BURN = 60.0, 300.0  # seconds at most
HOUR, STEP = 3600, 5
FIVE = ("api-stopped", "web-stopped", "database-stopped", "database-hanging", "locked")
BURNING = "MiniTwitBurnRate1h"
Result = dict[str, Any]


def main() -> int:
    """0 if each came in time, and nothing else."""
    names = (*FIVE, "burn")
    parser = argparse.ArgumentParser(prog="python -m tests.drills.production", description=__doc__)
    parser.add_argument("drill", nargs="*", choices=[*names, []], help="default: all of them")
    chosen = parser.parse_args().drill or names
    rows: list[Result] = []
    with running_site(1) as site:
        for drill in (drill for drill in DRILLS if drill.name in chosen and drill.name in FIVE):
            rows += exact(site, drill)
    if "burn" in chosen:
        rows.append(burnt())
    for row in rows:
        print(row, flush=True)
    results.write("production", {"machine": results.machine(), "rows": recorded(rows)})
    return 0 if all(row["seconds"] and row["seconds"] <= row["limit"] for row in rows) else 1


def recorded(rows: list[Result]) -> list[Result]:
    """Return the rows of the record with these, each with its commit."""
    commit = results.commit()
    kept = {(r["alert"], r["fault"]): r for r in results.read("production").get("rows", ())}
    new = {(r["alert"], r["fault"]): r | {"commit": commit} for r in rows}
    return list((kept | new).values())


def exact(site: Site, drill: Drill) -> list[Result]:
    """Return the page of a drill; fail unless the chat got exactly ``said``."""
    print(f"{drill.name}: {drill.what} ...", flush=True)
    about = {"fault": drill.what, "limit": DOWN}
    try:
        with asking(site):
            first, *_ = run(drill, site)
    except DrillFailed as error:
        return [{"alert": drill.fires[0], **about, "seconds": None, "failed": str(error)}]
    return [{"alert": first.alert, **about, "seconds": first.chat, "resolved": first.resolved}]


def burnt() -> Result:
    """Seconds until the burn rate fires; the channel gets what burns, not this."""
    with running_site(1) as site:
        backfill(site)
        settle(site)
        begin, seconds = time.monotonic(), None
        with postgres.locked()(site), asking(site):
            while not seconds and time.monotonic() - begin < 2 * BURN:
                time.sleep(0.5)
                if site.active().get(BURNING) == "firing":
                    seconds = round(time.monotonic() - begin, 1)
        told = [m.name for m in site.messages() if m.status == "FIRING"]
    row = {"alert": BURNING, "fault": "the table of messages is locked", "limit": BURN}
    return {**row, "seconds": None if BURNING in told else seconds, "told": told}


@contextmanager
def asking(site: Site) -> Iterator[None]:
    """Reads beside the simulator's writes: both fail while messages are locked."""
    with repeated(clients.read, 0.2)(site):
        yield


def backfill(site: Site) -> None:
    """Write an hour of healthy samples, at ten requests a second, until now."""
    site.stop("prometheus")
    now = int(time.time())
    lines = []
    for name, value in ((REQUESTS, 10), (BAD, 0)):
        lines.append(f"# TYPE {name} gauge")
        for objective in OBJECTIVES:
            labels = f'{{objective="{objective.name}",service="{objective.service}"}}'
            lines += [f"{name}{labels} {value} {at}" for at in range(now - HOUR, now, STEP)]
    text = Path(site.run_dir) / "history.om"
    text.write_text("\n".join([*lines, "# EOF", ""]))
    promtool = tools.require(["promtool"], site.settings.cache)["promtool"].path
    data = site.run_dir / "data/prometheus"
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True)
    site.start("prometheus")
    ready = site.url("prometheus") + "/-/ready"
    wait_for("Prometheus", lambda: request("GET", ready).status == 200, 60)


if __name__ == "__main__":
    sys.exit(main())
