"""What watching costs: each component's processor, memory and disk at several paces of actions.

Ten minutes a pace (MINUTES says otherwise), on one platform with everything that is found here.
``write_bytes`` of /proc counts a whole folio of the page cache, up to 2 MB, for each small write
that dirties it: PostgreSQL, which syncs each commit, seems to write far more than it does. The
network is loopback, which knows no owner of a byte: it is told for all components together.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.environment import Environment
from tests.bench.footprint import memory
from tests.bench.servers import TICKS
from tests.parts import ROOT
from tests.soak.faults import children
from tests.stack.platform import Platform

PACES = (0, 10, 100, 400)  # actions a second
MINUTES = float(os.environ.get("MINUTES", "10"))
SETTLE = 30.0  # seconds at a pace before anything is counted
SERVING = ("api", "web", "postgres")  # messages; everything else watches
Found = dict[str, Any]


@dataclass(frozen=True)
class Used:
    """Processor seconds and bytes written to disk since a process began, with its children's."""

    cpu: float
    written: int


def measure(env: Environment) -> dict[str, Any]:
    """For each pace and component: percent of a core, megabytes, kilobytes a second to disk."""
    platform = Platform(env.folder / "watching")
    found: dict[str, Any] = {"minutes": MINUTES, "paces": {}}
    try:
        platform.up()
        platform.stop("load")
        for pace in PACES:
            with load(platform, pace):
                time.sleep(SETTLE)
                found["paces"][str(pace)] = counted(platform, MINUTES * 60)
            part = found["paces"][str(pace)]
            cores = sum(one["cpu_percent"] for one in part["components"].values()) / 100
            env.say(f"{pace} actions a second: {cores:.2f} cores")
    finally:
        platform.down()
    return found


@contextmanager
def load(platform: Platform, pace: int) -> Iterator[None]:
    """The simulator's mix at ``pace``, as new people, until the block ends."""
    if not pace:
        yield
        return
    command = [
        sys.executable, "-m", "simulator", "--url", platform.url("api"), "--rate", str(pace),
        "--even", "--forever", "--new-people",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
        assert process.poll() is None, "the simulator ended"
    finally:
        process.terminate()
        process.wait(20)


def counted(platform: Platform, seconds: float) -> dict[str, Any]:
    """What each component takes within so many seconds."""
    before, wire, began = usage(platform), loopback(), time.monotonic()
    time.sleep(seconds)
    after, sent, took = usage(platform), loopback() - wire, time.monotonic() - began
    sizes = memory(platform)
    return {
        "network_kb_a_second": round(sent / took / 1e3, 1),
        "components": {
            name: {
                "cpu_percent": round((used.cpu - before[name].cpu) / took * 100, 2),
                "memory_mb": sizes.get(name, 0.0),
                "disk_kb_a_second": round((used.written - before[name].written) / took / 1e3, 1),
            }
            for name, used in after.items()
            if name in before
        },
    }


def usage(platform: Platform) -> dict[str, Used]:
    """What each component that runs has taken so far."""
    found = {}
    for name, process in platform.supervisor.processes().items():
        if process.pid:
            parts = [used(pid) for pid in (process.pid, *children(process.pid))]
            found[name] = Used(sum(p.cpu for p in parts), sum(p.written for p in parts))
    return found


def used(pid: int) -> Used:
    """Of one process, and of its children that have ended."""
    with suppress(OSError):  # it has just ended
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        io = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        return Used(sum(map(int, stat[11:15])) / TICKS, int(io["write_bytes"]))
    return Used(0.0, 0)


def loopback() -> int:
    """Bytes that went over it so far."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    return int(next(line for line in lines if line.strip().startswith("lo:")).split()[1])


def watching(found: Found, pace: str, figure: str) -> float:
    """Return the sum over all that watches."""
    components = found["paces"][pace]["components"]
    return float(sum(one[figure] for name, one in components.items() if name not in SERVING))


def rows(found: Found) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met; the whole table is ``watching_report.table``."""
    return [
        (
            f"all that watches, at {pace} actions a second",
            "",
            f"{watching(found, pace, 'cpu_percent'):.0f} % of a core,"
            f" {watching(found, pace, 'memory_mb'):.0f} MB,"
            f" {watching(found, pace, 'disk_kb_a_second'):.0f} kB/s to disk;"
            f" network of all components {part['network_kb_a_second']:.0f} kB/s",
            True,
        )
        for pace, part in found["paces"].items()
    ]
