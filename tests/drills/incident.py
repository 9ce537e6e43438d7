"""``python -m tests.drills.incident``: real faults, each with a report that is checked.

What the drill itself knows (when the fault began, what Prometheus and the chat had, what the log
files hold) must be on the page; the first mover is the faulty component or *not sure*. Writes
results/incident.json; ``--example`` keeps the first report as docs/incident-example.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from alerts.incident.collect_signals import LOOKBACK_SCRAPES
from alerts.incident.time_window import clock, stamp
from observability.time_scale import TimeScale
from tests import results
from tests.drills.__main__ import running_site
from tests.drills.faults import Fault, processes
from tests.drills.run import POLL, DrillFailed, settle
from tests.drills.site import Site
from tests.drills.table import DRILLS, SCALE
from tests.parts import ROOT, end_as_by_hand

LASTS = 16.0  # seconds of each fault
TRIES = 3  # each of 90 s
CALM = LOOKBACK_SCRAPES * TimeScale(SCALE).scrape_interval + 5  # as far as a report looks back
EXAMPLE = ROOT / "docs/incident-example.md"


def hanging(component: str) -> Fault:
    """A component and its children are there, and do nothing."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        pid = site.process(component).pid
        family = [pid, *children(pid)]
        for one in family:
            os.kill(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in family:
                os.kill(one, signal.SIGCONT)

    return inject


def children(pid: int) -> list[int]:
    """The processes that a process started, and theirs."""
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    found = [int(one) for one in done.stdout.split()]
    return found + [below for one in found for below in children(one)]


BY_NAME = {drill.name: drill.fault for drill in DRILLS}
# fault → how it is brought about, and the component that it is in
FAULTS: dict[str, tuple[Fault, str]] = {
    "api-stopped": (BY_NAME["api-stopped"], "api"),
    "web-stopped": (processes.stopped("web"), "web"),
    "database-stopped": (BY_NAME["database-stopped"], "database"),
    "locked": (BY_NAME["locked"], "database"),
    # Not used while the reports were written:
    "read-only": (BY_NAME["read-only"], "database"),
    "simulator-stopped": (BY_NAME["simulator-stopped"], "outside"),
    "api-hangs": (hanging("api"), "api"),
    "web-killed": (processes.killed("web", 2.5), "web"),
    "database-hangs": (hanging("postgres"), "database"),
    "disconnected": (BY_NAME["disconnected"], "database"),
    "starved": (BY_NAME["starved"], "api"),
    "garbage": (BY_NAME["garbage"], "outside"),
}


@dataclass
class Row:
    """One fault: its component, the report's verdict ('': *not sure*), and the reason."""

    fault: str
    component: str
    named: str
    reason: str
    alerts: int
    failed: int
    failed_in_logs: int
    wrong: list[str]


def main() -> int:
    """0 if every fact is right and nobody is named wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills.incident", description=__doc__)
    parser.add_argument("fault", nargs="*", metavar="FAULT", help=f"of: {', '.join(FAULTS)}")
    parser.add_argument("--example", action="store_true", help=f"write {EXAMPLE.name}")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="copy the pages there")
    options = parser.parse_args()
    if unknown := set(options.fault) - FAULTS.keys():
        parser.error(f"no fault is called {', '.join(sorted(unknown))}")
    end_as_by_hand()
    rows: list[Row] = []
    with running_site(SCALE, small=False) as site:
        for name in options.fault or FAULTS:
            page = EXAMPLE if options.example and not rows else site.run_dir / f"{name}.md"
            rows.append(row := attempt(site, name, page))
            keep(rows)
            print(f"{name}: in {row.component}, named {row.named or 'not sure'}: {row.reason}")
            print(*(f"    WRONG {one}" for one in row.wrong), sep="\n", flush=True)
            if options.keep:
                (options.keep / f"{name}.md").write_text(page.read_text())
    return 1 if any(row.wrong for row in rows) else 0


def keep(rows: list[Row]) -> None:
    """Put these in the place of those of former runs."""
    known = {one["fault"]: one for one in results.read("incident").get("rows", [])}
    known |= {row.fault: asdict(row) for row in rows}
    ordered = [known[name] for name in FAULTS if name in known]
    results.write("incident", results.stamped({"scale": SCALE, "rows": ordered}))


def attempt(site: Site, name: str, page: Path) -> Row:
    """Calm, the fault, the all-clear, the report, and what is wrong with it."""
    fault, component = FAULTS[name]
    calm(site)
    begin = time.time()
    with fault(site):
        time.sleep(LASTS)  # this is the fault itself
    quiet(site)
    since, until = begin - 30, time.time()
    text = write(site, since, until, page)
    wrong = [
        *first(text, component),
        *alerted(site, text, begin, until),
        *told(site, text, begin),
    ]
    failed, logged = failures(site, text, since, until)
    if abs(failed - logged) > max(3, 0.03 * logged):
        wrong.append(f"{failed} failed on the page, {logged} in the log files")
    wrong += shown(site, text)
    return Row(name, component, *verdict(text), text.count(" fires ("), failed, logged, wrong)


def calm(site: Site) -> None:
    """Wait until there was no trouble for as long as a report looks back."""
    since = time.monotonic()
    while time.monotonic() - since < CALM:
        quiet(site)
        time.sleep(POLL)


def quiet(site: Site) -> None:
    """Wait, for minutes perhaps, until nothing fires and the chat is complete."""
    for _ in range(TRIES - 1):
        with suppress(DrillFailed):
            return settle(site)
    return settle(site)


def write(site: Site, since: float, until: float, page: Path) -> str:
    """The page that the command writes."""
    command = [sys.executable, "-m", "alerts.incident", stamp(since), stamp(until)]
    subprocess.run(
        [*command, "--out", str(page)],
        cwd=ROOT, env={**os.environ, **site.environment}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return page.read_text()


def verdict(text: str) -> tuple[str, str]:
    """Return the component that the page names, '' for none, and the reason."""
    match = re.search(r"^\*\*(.+?)\*\*: (.+)$", text.split("## First seen")[1], re.MULTILINE)
    assert match, "no verdict"
    return "" if match[1] == "Not sure" else match[1], match[2]


def first(text: str, component: str) -> list[str]:
    """Never sure and wrong."""
    named, reason = verdict(text)
    return [f"{named} is named, and the fault was in {component}: {reason}"] * (
        named not in ("", component)
    )


def alerted(site: Site, text: str, begin: float, until: float) -> list[str]:
    """The alerts of the table are those of Prometheus, and began after the fault."""
    table = text.split("## Detection")[1].split("## Action")[0]
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (\S.*?) \| (\w+) \|", table, re.MULTILINE)
    fired = {row[3] for row in rows if row[0] >= clock(begin - 1)}
    expected = site.fired_within(until - begin)
    return [f"alerts {sorted(fired)}, not {sorted(expected)}"] * (fired != expected)


def told(site: Site, text: str, begin: float) -> list[str]:
    """Each line of an alert in the chat is in the timeline."""
    found = []
    for message in site.messages():
        when = message.text.partition(" ")[0]
        if when >= stamp(begin):
            line = f"- {when[11:19]} chat: {message.status} {message.name} of {message.service}"
            found += [f"not in the timeline: {line}"] * (line not in text)
    return found


def failures(site: Site, text: str, since: float, until: float) -> tuple[int, int]:
    """Return the 5xx responses: of the page, and of the log files."""
    match = re.search(r"([\d,]+) requests ended in a 5xx", text)
    assert match, "no count"
    logged = 0
    for file in (site.run_dir / "logs/json").glob("*.log*"):
        for line in map(json.loads, file.read_text().splitlines()):
            inside = stamp(since) <= line["ts"] <= stamp(until)
            logged += line["event"] == "request" and line["status"] >= 500 and inside
    return int(match[1].replace(",", "")), logged


def shown(site: Site, text: str) -> list[str]:
    """The ids of requests and traces on the page are in the log files."""
    logs = "".join(f.read_text() for f in (site.run_dir / "logs/json").glob("*.log*"))
    ids = re.findall(r"\[([0-9a-f]{32})\]", text)
    return [f"{one} is in no log file" for one in ids if one not in logs]


if __name__ == "__main__":
    sys.exit(main())
