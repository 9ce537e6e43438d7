"""The simulator's own mix: at full speed and at a rate, alone and together.

The simulator is part of the load: it has the same two cores as everything else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.bench.environment import Environment
from tests.parts import ROOT
from tests.stack.platform import Platform

NOMINAL = 429  # actions a second: 25,922 in the scenario's own minute of delays
CLIENTS = (1, 4, 8, 32)
ALONE, TOGETHER = (1, 2, 4), (1, 2)  # times nominal
BARRED = {("alone", "4"), ("with the whole platform", "2")}
# The course's simulator makes a connection for each action; most clients keep theirs.
KEPT = "connections kept"
HOW = {"a connection each": (), KEPT: ("--keep-alive",)}


def closed(env: Environment) -> dict[str, Any]:
    """Each client sends its next action when the one before is answered."""
    found = {}
    for clients in CLIENTS:
        with env.server("observed", env.empty(f"closed{clients}"), pinned=False) as server:
            actions = str(round(800 * env.paced))
            how = ("--max", "--clients", str(clients), "--actions", actions, *HOW[KEPT])
            found[str(clients)] = simulate(env, server.url, *how)
        env.say(f"{clients} clients: {found[str(clients)]['rate']:.0f}/s")
    return found


def open_loop(env: Environment) -> dict[str, Any]:
    """Actions go out when they are due, whatever became of those before."""
    return {
        how: {"alone": alone(env, *flags), "with the whole platform": together(env, *flags)}
        for how, flags in HOW.items()
    }


def alone(env: Environment, *flags: str) -> dict[str, Any]:
    """api, its database and the simulator, nothing else."""
    found = {}
    for times in ALONE:
        database = env.empty(f"open{times}{len(flags)}")
        with env.server("observed", database, pinned=False) as server:
            found[str(times)] = paced(env, server.url, times, *flags)
    return found


def together(env: Environment, *flags: str) -> dict[str, Any]:
    """With all that watches it."""
    found = {}
    for times in TOGETHER:
        platform = Platform(env.folder / f"platform{times}{len(flags)}")
        try:
            platform.up(*platform.here("load", "grafana"))
            found[str(times)] = paced(env, platform.url("api"), times, *flags)
        finally:
            platform.down()
    return found


def paced(env: Environment, url: str, times: int, *flags: str) -> dict[str, Any]:
    """So many times the nominal pace."""
    rate = NOMINAL * times
    actions = str(round(rate * env.paced))
    result = simulate(env, url, "--rate", str(rate), "--even", "--actions", actions, *flags)
    env.say(f"{times} times nominal: {result['late']} late, {result['failed']} failed")
    return result


def simulate(env: Environment, url: str, *how: str) -> dict[str, Any]:
    """One run of the simulator, and what it says of it."""
    report = Path(env.folder) / "report.json"
    report.unlink(missing_ok=True)  # of the run before
    command = [sys.executable, "-m", "simulator", "--url", url, *how]
    command += ["--report", str(report)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert report.exists(), done.stderr
    data = json.loads(report.read_text())
    totals = data["totals"]
    return {
        "actions": totals["count"],
        "rate": data["actions_per_second"],
        "late": totals["timeouts"],
        "failed": totals["errors"] - totals["timeouts"],
        # A registration that is late takes along what its user does next: that finds nobody.
        "late_by_command": {
            name: command["timeouts"]
            for name, command in data["commands"].items()
            if command["timeouts"]
        },
        "statuses": totals["statuses"],
        "latency_ms": totals["latency"],
        "p99_ms_by_command": {
            name: command["latency"]["p99"] for name, command in data["commands"].items()
        },
        "simulator_cpu_seconds": data["cpu_seconds"],
    }


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = [
        (
            f"simulator's mix, {clients} at once, closed loop, {KEPT}",
            "",
            f"{part['rate']:.0f}/s; p99 {part['latency_ms']['p99']} ms",
            True,
        )
        for clients, part in found["closed"].items()
    ]
    for how, places in found["open"].items():
        for where, runs in places.items():
            table += [_row(how, where, times, run) for times, run in runs.items()]
    return table


def _row(how: str, where: str, times: str, run: dict[str, Any]) -> tuple[str, str, str, bool]:
    barred = (where, times) in BARRED
    each = ", ".join(f"{name} {p99}" for name, p99 in run["p99_ms_by_command"].items())
    wrong = [f"{n:,} of {status}" for status, n in run["statuses"].items() if int(status) >= 400]
    failed = f"{run['failed']:,} failed" + f" ({', '.join(wrong)})" * bool(wrong)
    return (
        f"simulator's mix at {times} times nominal ({NOMINAL * int(times)}/s), {where}, {how}",
        "no timeout, no error" if barred else "",
        f"{run['actions']:,} actions: {run['late']:,} over 0.3 s, {failed};"
        f" p99 {run['latency_ms']['p99']} ms ({each})",
        not barred or not run["late"] + run["failed"],
    )
