"""docs/scaling.md, written from the result of ``make bench``: each figure measured or computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests import results
from tests.bench.mix import NOMINAL
from tests.parts import ROOT

TEMPLATE = Path(__file__).with_name("scaling.tmpl.md")
PAGE = ROOT / "docs/scaling.md"
DAY, MONTH = 86_400, 30 * 86_400
POSTS = 0.45  # of the simulator's actions
FULL = 2 / 3  # of a replica's most, so that one may fail
MILLION = 1_000_000


def text() -> str:
    """The page, of one run: figures of different runs are of different machines' paces."""
    return TEMPLATE.read_text().format(**figures(results.read("bench")))


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """Every placeholder of the template with its value."""
    cpu = {kind: _cpu(found, kind) for kind in ("read", "write")}
    pgbench = found["reads"]["paths"]["/msgs"]["pgbench"]["median"]
    replicas, footprint = found["replicas"], found["footprint"]
    line, message = footprint["log_bytes_a_request"], found["growth"]["bytes_per_message"]
    rate = {kind: {n: replicas[kind][n]["rate"] for n in "124"} for kind in cpu}
    needed = round(MILLION / (rate["read"]["1"] * FULL))
    together = found["mix"]["open"]["a connection each"]["with the whole platform"]["2"]
    return {
        "commit": found["commit"][:7], "nominal": NOMINAL,
        "read_us": cpu["read"][0], "write_us": cpu["write"][0],
        "read_telemetry_us": cpu["read"][1], "write_telemetry_us": cpu["write"][1],
        "pgbench": pgbench, "pgbench_us": 1e6 / pgbench, "message": message, "line": line,
        "series": footprint["api_series"], "api_mb": footprint["memory_mb"]["api"],
        **{f"{kind}_{n}": rate[kind][n] for kind in rate for n in rate[kind]},
        "ten_cpu": 10 * cpu["read"][0] / 1e4, "ten_log": 10 * line * DAY / 1e9,
        "ten_messages": 10 * POSTS * message * MONTH / 1e9,
        "thousand_api": 1_000 * cpu["read"][0] / 1e6, "thousand_database": 1_000 / pgbench,
        "thousand_log": 1_000 * line * DAY / 1e9,
        "thousand_messages": 1_000 * POSTS * message * MONTH / 1e9,
        "pace": 2 * NOMINAL, "pace_late": together["late"] + together["failed"],
        "pace_actions": together["actions"],
        "needed": needed, "needed_series": needed * footprint["api_series"] / 1e6,
        "million_posts": MILLION * POSTS, "million_log": MILLION * line * DAY / 1e12,
    }  # fmt: skip


def _cpu(found: dict[str, Any], kind: str) -> tuple[float, float]:
    """Microseconds of a request, and of these what telemetry takes."""
    part = found.get("telemetry", found["observed"])[kind]["figures"]
    return part["observed"]["cpu_us"], part["observed"]["cpu_us"] - part["unobserved"]["cpu_us"]
