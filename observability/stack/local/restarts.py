"""Counts restarts of components for the node exporter, and retries failed ones for ever.

Runs as supervisor's event listener: it gets every start and the state before it. The supervisor
tries four times, with pauses of one to three seconds, and then sets the state FATAL. The cause may
be temporary, so this starts the component again, within ten seconds, each time.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from observability.exporters import COMPONENT_RESTARTS, RESTARTS_FILE
from observability.stack.components import TABLE
from observability.stack.local.processes import RUN_VARIABLE
from observability.stack.local.supervise import Supervisor
from observability.stack.settings import StackError

CRASHED = {
    "EXITED",
    "BACKOFF",
    "FATAL",
}  # states before a start that was not requested


def main(folder: Path, supervisor: Supervisor) -> None:
    """Handle supervisor's events on stdin and stdout until it exits."""
    counts = {component.name: 0 for component in TABLE if not component.once}
    fatal: set[str] = set()
    _publish(folder, counts)
    while True:
        print("READY", flush=True)
        header = _fields(sys.stdin.readline())
        if not header:
            return
        event = _fields(sys.stdin.read(int(header["len"])))
        name = event.get("processname", "")
        if header["eventname"] == "PROCESS_STATE_FATAL" and name in counts:
            fatal.add(name)
            _say(f"{name} failed again and again; it is restarted within ten seconds")
        elif header["eventname"] == "TICK_5":
            fatal -= _start(supervisor, fatal)
            _publish(folder, counts)  # also when unchanged: the file's age is a metric
        elif name in counts and event["from_state"] in CRASHED:
            counts[name] += 1
            _publish(folder, counts)
        print("RESULT 2\nOK", end="", flush=True)


def _start(supervisor: Supervisor, names: set[str]) -> set[str]:
    """Start components again; return those that need no further try."""
    done = set()
    for name in names:
        try:
            supervisor.start(name)
        except StackError as error:
            _say(str(error))
        else:
            done.add(name)
    return done


def _publish(folder: Path, counts: dict[str, int]) -> None:
    """Write the counts; on a full disk, at the next time."""
    try:
        write(folder, counts)
    except OSError as error:
        _say(f"the counts cannot be written: {error}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def write(folder: Path, counts: dict[str, int]) -> None:
    """Write the counts atomically, so that no scrape sees half a file."""
    name = COMPONENT_RESTARTS.name
    lines = [f"# HELP {name} {COMPONENT_RESTARTS.help}", f"# TYPE {name} counter"]
    lines += [f'{name}{{component="{c}"}} {count}' for c, count in counts.items()]
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{RESTARTS_FILE}"
    beside.write_text("\n".join(lines) + "\n")
    beside.rename(folder / RESTARTS_FILE)


def read(folder: Path) -> dict[str, int]:
    """Return the written counts; empty if there are none yet."""
    try:
        lines = (folder / RESTARTS_FILE).read_text().splitlines()
    except FileNotFoundError:
        return {}
    samples = [line for line in lines if not line.startswith("#")]
    return {line.split('"')[1]: int(line.rpartition(" ")[2]) for line in samples}


def _fields(line: str) -> dict[str, str]:
    return dict(pair.split(":", 1) for pair in line.split())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Supervisor(Path(os.environ[RUN_VARIABLE])))
