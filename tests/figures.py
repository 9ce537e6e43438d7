"""The README's five figures, as a table from the result files."""

from __future__ import annotations

from tests import results
from tests.bench.peers.suite import STOCK

# An alert and its fault, in the result file.
API_STOPPED = ("MiniTwitTargetDown", "api is stopped")
BURNT = ("MiniTwitBurnRate1h", "the table of messages is locked")
HEAD = "| what | measured | where |\n| --- | --- | --- |\n"


def table() -> str:
    """Return a row for each figure, with the file that has it."""
    found = results.read("production")["rows"]
    took = {(row["alert"], row["fault"]): row["seconds"] for row in found}
    soak, memory = results.read("soak"), results.read("bench")["footprint"]["memory_mb"]
    rows = (
        ("api stopped, to the message in the chat",
         f"{took[API_STOPPED]:.0f} s at production pace", "production"),
        ("a burn-rate alert", f"{took[BURNT]:.0f} s", "production"),
        ("requests a second, over a FastAPI service with stock instrumentation",
         _peers(), "bench-peers"),
        (f"{soak['minutes']:g} minutes of random faults",
         f"{soak['messages_lost']} of {soak['messages_acknowledged']:,} acknowledged messages lost",
         "soak"),
        ("memory of everything but Grafana",
         f"{sum(mb for name, mb in memory.items() if name != 'grafana'):.0f} MB", "bench"),
    )  # fmt: skip
    lines = [f"| {what} | {said} | [{f}.json](results/{f}.json) |\n" for what, said, f in rows]
    return HEAD + "".join(lines)


def _peers() -> str:
    peers = results.read("bench-peers")["peers"]
    times = {
        kind: f"{found['ratio'][STOCK]['median']:.1f}"
        for kind, found in peers.items()
        if STOCK in found.get("ratio", {})
    }
    return ", ".join(f"{kind} {ratio} times" for kind, ratio in times.items())
