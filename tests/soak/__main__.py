"""The command ``make soak``: an hour of load and faults; nothing lost, nothing grows.

Prints a line for each fault and writes results/soak.json. The same seed brings the same faults in
the same order.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from prometheus_client.parser import text_string_to_metric_families

from observability.catalog import SIMULATOR_ACTIONS
from tests import results
from tests.drills.__main__ import running_site
from tests.drills.site import Site
from tests.parts import ROOT, end_as_by_hand, free_port, request, wait_for
from tests.soak.faults import RECOVERY, TROUBLES, Trouble
from tests.soak.weigh import Sample, growing, trend, weigh

RATE = 50  # actions a second
LEAST, MOST = 20.0, 50.0  # seconds between two faults
WEIGH_EVERY = 15.0


@dataclass
class Soak:
    """A soak that runs: what was felt when, what everything took."""

    site: Site
    simulator: str
    inside: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)  # what happened outside, and when
    faults: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    weighed: float = 0
    began: float = field(default_factory=time.monotonic)

    def look(self, felt: bool) -> None:
        """Note the errors since the last look, and now and then what everything takes."""
        now = actions(self.simulator)
        for (command, outcome), count in (now - self.seen).items():
            (self.inside if felt else self.outside)[outcome] += count
            if outcome != "ok" and not felt:
                second = time.monotonic() - self.began
                self.unexplained.append(f"{second:.0f} s: {command}, {outcome}, {count}")
                print(f"    outside of any fault: {self.unexplained[-1]}", flush=True)
        self.seen = now
        if time.monotonic() - self.weighed > WEIGH_EVERY:
            self.weighed = time.monotonic()
            with suppress(OSError):  # a process ended while it was weighed
                self.samples.append(weigh(self.site))

    def rest(self, seconds: float, felt: bool = False) -> None:
        """Look every second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1)
            self.look(felt)

    def suffer(self, trouble: Trouble) -> None:
        """One fault, and until all is well again."""
        self.look(False)
        begin = time.monotonic()
        trouble.blow(self.site)
        self.faults[trouble.name] += 1
        self.rest(RECOVERY, trouble.felt)
        print(f"    {trouble.name}: over after {time.monotonic() - begin:.0f} s", flush=True)


def main() -> int:
    """0 if nothing was lost, nothing grew, and errors came with faults only."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, metavar="N", help="default: 60")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    options = parser.parse_args()
    end_as_by_hand()
    try:
        found = soak(options.minutes, random.Random(options.seed))
    except KeyboardInterrupt:
        print("\nbroken off; what ran is stopped", file=sys.stderr)
        return 130
    show(found)
    results.write("soak", results.stamped({"seed": options.seed, **found}))
    return 0 if found["good"] else 1


def soak(minutes: float, chance: random.Random) -> dict[str, Any]:
    """Load, faults, and what came of it."""
    with running_site(1, small=False) as site:
        site.stop("load")
        time.sleep(1)  # its last request
        before = stored(site)
        report = site.run_dir / "soak-report.json"
        with simulator(site, report) as url:
            run = Soak(site, url)
            end = time.monotonic() + minutes * 60
            run.rest(30)
            while time.monotonic() < end:
                run.suffer(chance.choice(TROUBLES))
                run.rest(min(chance.uniform(LEAST, MOST), max(0, end - time.monotonic())))
            run.rest(5)
        written = stored(site) - before
        tweets = json.loads(report.read_text())["commands"]["tweet"]
    return judge(run, minutes, tweets, written)


def judge(run: Soak, minutes: float, tweets: dict[str, Any], written: int) -> dict[str, Any]:
    """The figures, and whether they are good. ``tweets``: the simulator's own row of them."""
    good = tweets["statuses"].get("204", 0)
    # Where no answer came, or none was waited for at the end, a message is written or not.
    unsure = tweets["count"] - good + RATE
    trends = trend(run.samples)
    outside = {o: n for o, n in run.outside.items() if o != "ok" and n}
    lost = max(0, good - written)
    made_up = max(0, written - good - unsure)
    return {
        "minutes": minutes,
        "rate": RATE,
        "actions": sum(run.seen.values()),
        "faults": dict(sorted(run.faults.items())),
        "errors_within_faults": {o: n for o, n in run.inside.items() if o != "ok" and n},
        "errors_outside": outside,
        "unexplained": run.unexplained,
        "messages_acknowledged": good,
        "messages_written": written,
        "messages_lost": lost,
        "trends": trends,
        "growing": growing(trends),
        "good": not (outside or lost or made_up or growing(trends)),
    }


@contextmanager
def simulator(site: Site, report: Path) -> Iterator[str]:
    """The simulator, without end, until the block is left; where its metrics are."""
    port = free_port()
    command = [
        sys.executable, "-m", "simulator", "--url", site.url("api"), "--forever", "--even",
        "--rate", str(RATE), "--metrics", str(port), "--report", str(report),
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        wait_for("the simulator", lambda: request("GET", url).status == 200)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def actions(url: str) -> Counter[tuple[str, str]]:
    """How many actions of each command ended in which way so far."""
    answer = request("GET", url)
    if answer.status != 200:
        raise AssertionError("the simulator has ended")
    families = text_string_to_metric_families(answer.body.decode())
    return Counter(
        {
            (sample.labels["command"], sample.labels["outcome"]): round(sample.value)
            for family in families
            for sample in family.samples
            if sample.name == SIMULATOR_ACTIONS.name
        }
    )


def stored(site: Site) -> int:
    """Messages in the database, but those of the probe."""
    url = (site.run_dir / "secrets/owner_url").read_text()
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM messages WHERE NOT flagged").fetchone()
    assert row
    return int(row[0])


def show(found: dict[str, Any]) -> None:
    """For people."""
    print(f"\n{found['actions']:,} actions, {sum(found['faults'].values())} faults")
    print(f"errors outside of them: {found['errors_outside'] or 'none'}")
    print(f"errors within: {found['errors_within_faults'] or 'none'}")
    print(
        f"{found['messages_acknowledged']:,} messages acknowledged, {found['messages_lost']} lost"
    )
    for name, t in found["trends"].items():
        print(f"  {name:18} {t['mb_early']:7.1f} MB, later {t['mb_late']:7.1f}; "
              f"{t['files_early']:5.0f} files, later {t['files_late']:5.0f}")  # fmt: skip
    print("growing: " + (", ".join(found["growing"]) or "nothing"))


if __name__ == "__main__":
    sys.exit(main())
