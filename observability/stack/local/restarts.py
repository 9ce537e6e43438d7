"""Counts how often supervisor had to start a component again, for the node exporter.

Runs as supervisor's event listener: it hears of every start and from which state it came.
"""

from __future__ import annotations

import sys
from pathlib import Path

from observability.exporters import COMPONENT_RESTARTS
from observability.stack.components import TABLE

FILE = "minitwit_restarts.prom"
CRASHED = {"EXITED", "BACKOFF"}  # where a component comes from that was not stopped on purpose


def main(folder: Path) -> None:
    """Serve supervisor's events on stdin and stdout until it goes away."""
    counts = {component.name: 0 for component in TABLE if not component.once}
    write(folder, counts)
    while True:
        print("READY", flush=True)
        header = _fields(sys.stdin.readline())
        if not header:
            return
        event = _fields(sys.stdin.read(int(header["len"])))
        if event["processname"] in counts and event["from_state"] in CRASHED:
            counts[event["processname"]] += 1
            write(folder, counts)
        print("RESULT 2\nOK", end="", flush=True)


def write(folder: Path, counts: dict[str, int]) -> None:
    """Write the counts in one step, so that no scrape sees half a file."""
    name = COMPONENT_RESTARTS.name
    lines = [f"# HELP {name} {COMPONENT_RESTARTS.help}", f"# TYPE {name} counter"]
    lines += [f'{name}{{component="{c}"}} {count}' for c, count in counts.items()]
    beside = folder / f".{FILE}"
    beside.write_text("\n".join(lines) + "\n")
    beside.rename(folder / FILE)


def read(folder: Path) -> dict[str, int]:
    """The counts as written; empty if there are none yet."""
    try:
        lines = (folder / FILE).read_text().splitlines()
    except FileNotFoundError:
        return {}
    samples = [line for line in lines if not line.startswith("#")]
    return {line.split('"')[1]: int(line.rpartition(" ")[2]) for line in samples}


def _fields(line: str) -> dict[str, str]:
    return dict(pair.split(":", 1) for pair in line.split())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
