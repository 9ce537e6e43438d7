"""The state of the platform: per component whether it runs, and whether its signal arrives."""

from __future__ import annotations

import time
from dataclasses import dataclass

from observability.stack.components import COMPONENTS, Component
from observability.stack.local import restarts, table
from observability.stack.local.layout import Layout
from observability.stack.local.ready import ready
from observability.stack.local.signals import Signal, check
from observability.stack.local.supervise import Process, Supervisor
from observability.stack.settings import Settings, StackError

COLOURS = {"ok": table.GREEN, "pending": table.YELLOW, "bad": table.RED}
AGAIN = 0.5  # seconds between two looks at what is pending


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one component."""

    component: str
    state: str
    address: str
    restarts: int
    signal: Signal


def running(settings: Settings) -> Layout:
    """The stack as its supervisor runs it; ``StackError`` if none does."""
    known = Supervisor(settings.run_dir).processes()
    if not known:
        raise StackError("Nothing is running. Start it with: make up")
    return Layout(settings, tuple(c for n, c in COMPONENTS.items() if n in known), {})


def look(layout: Layout, *, signals: bool = True) -> list[Row]:
    """One row per component; without ``signals`` only whether it is ready."""
    known = Supervisor(layout.settings.run_dir).processes()
    counts = restarts.read(layout.settings.textfile)
    rows = []
    for component in layout.components:
        process = known.get(component.name)
        up = ready(layout, component, process)
        if not up:
            signal = Signal("bad", process.complaint if process else "not kept by the supervisor")
        else:
            signal = check(layout, component) if signals else Signal("ok", "")
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
    """One word for the table."""
    if up:
        return "done" if component.once else "healthy"
    if process is None:
        return "missing"
    return "unready" if process.state == "RUNNING" else process.state.lower()


def settle(layout: Layout, patience: float) -> list[Row]:
    """Look until nothing is pending any more, or ``patience`` (seconds) is at its end."""
    deadline = time.monotonic() + patience
    while True:
        rows = look(layout)
        states = {row.signal.state for row in rows}
        if "pending" not in states or time.monotonic() > deadline:
            return rows
        time.sleep(AGAIN)


def show(rows: list[Row], *, signals: bool = True) -> None:
    """Print the table."""
    head = ["component", "state", "address", "restarts", *(["signal"] if signals else [])]
    table.show(
        head,
        [
            (
                COLOURS[row.signal.state],
                [row.component, row.state, row.address, str(row.restarts), row.signal.text][
                    : len(head)
                ],
            )
            for row in rows
        ],
    )


def good(rows: list[Row]) -> bool:
    """Whether nothing is bad and nothing missing."""
    return all(row.signal.state == "ok" for row in rows)
