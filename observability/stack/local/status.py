"""The state of the platform: whether each component runs, and its signal arrives."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from observability.stack.components import COMPONENTS, Component
from observability.stack.local import restarts, table
from observability.stack.local.checks import CheckResult, check
from observability.stack.local.layout import Layout
from observability.stack.local.processes import platform_pids
from observability.stack.local.ready import ready
from observability.stack.local.supervise import Process, Supervisor
from observability.stack.local.up import unasked
from observability.stack.settings import Settings, StackError

COLOURS = {"ok": table.GREEN, "pending": table.YELLOW, "bad": table.RED}
AGAIN = 0.5  # seconds between two checks of pending signals
BUSY = 10.0  # seconds in which one that was healthy may answer late


@dataclass(frozen=True, slots=True)
class Row:
    """The state of one component."""

    component: str
    state: str
    address: str
    restarts: int
    signal: CheckResult


def running(settings: Settings) -> Layout:
    """Return the running stack; ``StackError`` if no supervisor runs."""
    supervisor = Supervisor(settings.run_dir)
    known = supervisor.processes()
    if not known:
        raise StackError(_unknown(settings, supervisor))
    return Layout(settings, tuple(c for n, c in COMPONENTS.items() if n in known), {})


def _unknown(settings: Settings, supervisor: Supervisor) -> str:
    """Return why no supervisor answers."""
    there = len(platform_pids(settings.run_dir))
    if pid := supervisor.pid:
        return unasked(pid, there - 1)
    if there:
        return (
            f"The supervisor was killed, but {there} processes still run; nothing starts them "
            "again if they end.\nAnew with a supervisor: make up          Stop them: make down"
        )
    return "Nothing is running. Start it with: make up"


def look(layout: Layout, *, signals: bool = True) -> list[Row]:
    """Return one row for each component; without ``signals`` only its readiness."""
    known = Supervisor(layout.settings.run_dir).processes()
    counts = restarts.read(layout.settings.textfile)
    rows = []
    for component in layout.components:
        process = known.get(component.name)
        up = ready(layout, component, process)
        if not up:
            signal = CheckResult(
                "bad", process.complaint if process else "unknown to the supervisor"
            )
        else:
            signal = check(layout, component) if signals else CheckResult("ok", "")
        rows.append(
            Row(
                component.name,
                state(component, process, up),
                layout.address(component.name) or "-",
                counts.get(component.name, 0),
                signal,
            )
        )
    return rows


def state(component: Component, process: Process | None, up: bool) -> str:
    """Return one word for the table."""
    if up:
        return "done" if component.once else "healthy"
    if process is None:
        return "missing"
    return "unready" if process.state == "RUNNING" else process.state.lower()


def look_at_the_started(layout: Layout) -> list[Row]:
    """Return one row for each component, healthy or not so for ``BUSY`` seconds."""
    deadline = time.monotonic() + BUSY
    while not good(rows := look(layout, signals=False)) and time.monotonic() < deadline:
        time.sleep(AGAIN)
    return rows


def settle(layout: Layout, patience: float) -> list[Row]:
    """Check until a scrape after the first look says what it found, or ``patience`` seconds."""
    deadline = time.monotonic() + patience
    rows, since = look(layout), time.time()
    while time.monotonic() < deadline and not all(row.signal.settled(since) for row in rows):
        time.sleep(AGAIN)
        rows = look(layout)
    return rows


def show(rows: list[Row], *, signals: bool = True, took: Mapping[str, float] | None = None) -> None:
    """Print the table; ``took`` holds the seconds until each component was healthy."""
    head = ["component", "state", "address", "restarts"]
    head += (["start"] if took else []) + (["signal"] if signals else [])
    table.show(head, [(COLOURS[row.signal.state], _cells(row, signals, took)) for row in rows])


def _cells(row: Row, signals: bool, took: Mapping[str, float] | None) -> list[str]:
    cells = [row.component, row.state, row.address, str(row.restarts)]
    if took:
        cells.append(f"{took.get(row.component, 0):4.1f} s")
    return [*cells, row.signal.text] if signals else cells


def good(rows: list[Row]) -> bool:
    """Return whether all rows are healthy and none is missing."""
    return all(row.signal.state == "ok" for row in rows)
