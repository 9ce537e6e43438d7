"""The platform's footprint after a load: memory, series, bytes, start time."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from observability.dashboard_uids import Board
from tests.bench.environment import Environment
from tests.bench.mix import NOMINAL, simulate
from tests.parts import ROOT, request, wait_for
from tests.soak.faults import children
from tests.stack import panels
from tests.stack.platform import Platform

API_MB, STACK_MB, SERIES, UP, FULL, GENERATE = 150, 900, 1000, 30.0, 60.0, 2.0
STRANGE_PATHS = 10_000
APPENDED = "prometheus_tsdb_head_samples_appended_total"
OVERVIEW = Board.OVERVIEW.value


def measure(env: Environment) -> dict[str, Any]:
    """Start all, load it, fuzz it with paths, and weigh."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "dashboards", "--check"], cwd=ROOT, check=True)
    generating = time.monotonic() - began
    before = Platform(env.folder / "before")
    before.up()  # what is fetched and unpacked once
    before.down()
    platform = Platform(env.folder / "footprint")  # with nothing to show yet
    try:
        began = time.monotonic()
        platform.up()
        up = time.monotonic() - began
        wait_for("the overview", lambda: not missing(platform), 240)
        full = time.monotonic() - began
        platform.stop("load")
        logs = folder_bytes(platform.run_dir / "logs/json")
        lines = count_lines(platform.run_dir / "logs/json")
        run = simulate(
            env, platform.url("api"), "--rate", str(NOMINAL), "--even", "--actions",
            str(round(NOMINAL * env.paced)),
        )  # fmt: skip
        for number in range(STRANGE_PATHS):
            request("GET", f"{platform.url('api')}/strange/{number}")
        least, folder = run["actions"] + STRANGE_PATHS, platform.run_dir / "logs/json"
        wait_for("the log's last lines", lambda: count_lines(folder) - lines >= least, 30)
        written = folder_bytes(folder) - logs
        text = request("GET", platform.url("api") + "/metrics").body.decode()
        samples = platform.prometheus(f"sum(rate({APPENDED}[1m]))")
        return {
            "memory_mb": memory(platform),
            "api_series": sum(not line.startswith("#") for line in text.splitlines()),
            "log_bytes_a_request": round(written / (run["actions"] + STRANGE_PATHS)),
            "samples_a_second": round(samples[0][1]),
            "up_seconds": round(up, 1),
            "overview_seconds": round(full, 1),
            "generate_seconds": round(generating, 2),
        }
    finally:
        platform.down()


def missing(platform: Platform) -> list[str]:
    """Return panels of the overview without data, except those empty by design."""
    [board] = [board for board in panels.boards() if board["uid"] == OVERVIEW]
    asked = [question for question in panels.questions(board) if not question.empty]
    left = panels.unanswered(platform, asked, panels.everything(board))
    return sorted({question.panel for question in left})


def folder_bytes(folder: Path) -> int:
    """All files in it."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


def count_lines(folder: Path) -> int:
    """Of all files in it."""
    return sum(file.read_bytes().count(b"\n") for file in folder.iterdir() if file.is_file())


def memory(platform: Platform) -> dict[str, float]:
    """Return megabytes of each component with its children.

    Private memory and the proportional share of the rest (PSS), so that PostgreSQL's shared memory
    counts once.
    """
    found = {}
    for name, process in platform.supervisor.processes().items():
        if process.pid and name != "grafana":
            found[name] = round(sum(map(_pss, [process.pid, *children(process.pid)])), 1)
    return found


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    whole, api = sum(found["memory_mb"].values()), found["memory_mb"]["api"]
    a_day = found["log_bytes_a_request"] * NOMINAL * 86_400 / 1e9
    most = sorted(found["memory_mb"].items(), key=lambda item: -item[1])[:5]
    largest = ", ".join(f"{name} {size:.0f}" for name, size in most)
    return [
        ("memory of api after the load", f"≤ {API_MB} MB", f"{api:.0f} MB", api <= API_MB),
        ("memory of all components but Grafana", f"≤ {STACK_MB} MB",
         f"{whole:.0f} MB ({largest})", whole <= STACK_MB),
        (f"series of an api replica after the load and {STRANGE_PATHS:,} strange paths",
         f"≤ {SERIES}", f"{found['api_series']}", found["api_series"] <= SERIES),
        ("log, JSON in files", "", f"{found['log_bytes_a_request']} bytes a request, so"
         f" {a_day:.1f} GB a day at {NOMINAL}/s", True),
        ("metrics", "", f"{found['samples_a_second']} samples a second", True),
        ("warm start to all healthy", f"≤ {UP:g} s", f"{found['up_seconds']} s",
         found["up_seconds"] <= UP),
        ("generating all dashboards, from a cold start of Python", f"≤ {GENERATE:g} s",
         f"{found['generate_seconds']} s", found["generate_seconds"] <= GENERATE),
        ("warm start to the first full dashboard: every panel of an overview that began empty",
         f"≤ {FULL:g} s", f"{found['overview_seconds']} s", found["overview_seconds"] <= FULL),
    ]  # fmt: skip
