"""Counts restarts of components for the node exporter, and retries failed ones for ever.

Runs as supervisor's event listener: it gets every start and the state before it. The supervisor
tries four times, with pauses of one to three seconds, and then sets the state FATAL. The cause may
be temporary, so this starts the component again, within five seconds, each time.

The supervisor keeps writing to a log that was removed or replaced: nobody can read it, and its
space is not freed. So this also compares the logs with the files that the supervisor has open, and
has it open them again.
"""

from __future__ import annotations

import os
import signal
import sys
import xmlrpc.client
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    # What this has counted before it was killed is in the file.
    before = read(folder)
    counts = {c.name: before.get(c.name, 0) for c in TABLE if not c.once}
    _publish(folder, counts)
    while True:
        print("READY", flush=True)
        header = _fields(sys.stdin.readline())
        if not header:
            return
        event = _fields(sys.stdin.read(int(header["len"])))
        name = event.get("processname", "")
        if header["eventname"] == "TICK_5":
            look_after(supervisor)
            _publish(folder, counts)  # also when unchanged: the file's age is a metric
        elif name in counts and event["from_state"] in CRASHED:
            counts[name] += 1
            _publish(folder, counts)
        print("RESULT 2\nOK", end="", flush=True)


def look_after(supervisor: Supervisor) -> None:
    """Start what failed for good, and renew logs: each on its own, whatever fails."""
    rows: list[dict[str, Any]] = []
    with _logged("ask the supervisor"):
        rows = supervisor.call("getAllProcessInfo")
    for name in (row["name"] for row in rows if row["statename"] == "FATAL"):
        _say(f"{name} failed again and again; it is started again")
        with _logged(f"start {name}"):
            supervisor.start(name)
    with _logged("renew the logs"):
        _renew_logs(row for row in rows if row["pid"])


@contextmanager
def _logged(step: str) -> Iterator[None]:
    """Log why a step failed; it is tried again at the next tick."""
    try:
        yield
    except (OSError, xmlrpc.client.Error, StackError) as error:
        _say(f"cannot {step}: {error}")


def _renew_logs(rows: Iterable[dict[str, Any]]) -> None:
    """Have the supervisor open all logs again if one of them is not open.

    The files are created here: the supervisor exits if it cannot open one.
    """
    names = {row[kind] for row in rows for kind in ("stdout_logfile", "stderr_logfile")} - {""}
    logs = {Path(name) for name in names}
    logs |= {log.with_name("supervisord.log") for log in logs}
    opened = {_file(fd) for fd in Path(f"/proc/{os.getppid()}/fd").iterdir()}
    if lost := sorted(log for log in logs if _file(log) not in opened):
        for log in lost:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.touch()
        os.kill(os.getppid(), signal.SIGUSR2)
        _say(f"removed or replaced, so opened again: {', '.join(log.name for log in lost)}")


def _file(path: Path) -> tuple[int, int]:
    """Return device and inode; zeros if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


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
    """Return the written counts; empty if there are none that can be read."""
    try:
        lines = (folder / RESTARTS_FILE).read_text().splitlines()
        samples = [line for line in lines if not line.startswith("#")]
        return {line.split('"')[1]: int(line.rpartition(" ")[2]) for line in samples}
    except (OSError, ValueError, IndexError):  # absent, or written by somebody else
        return {}


def forget(folder: Path) -> None:
    """Begin at 0 when the supervisor starts next."""
    (folder / RESTARTS_FILE).unlink(missing_ok=True)


def _fields(line: str) -> dict[str, str]:
    return dict(pair.split(":", 1) for pair in line.split())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Supervisor(Path(os.environ[RUN_VARIABLE])))
