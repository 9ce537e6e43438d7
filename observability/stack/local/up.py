"""Starts and stops the platform."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection

from observability.stack.components import COMPONENTS, OPTIONAL, Component, choose
from observability.stack.local import layout as layouts
from observability.stack.local import ports
from observability.stack.local.layout import Layout
from observability.stack.local.ready import ready
from observability.stack.local.supervise import Process, Supervisor, leftovers, sweep
from observability.stack.programs import archives, packages, tools
from observability.stack.settings import Settings, StackError

DEADLINE = 90.0  # seconds until everything must be healthy
POLL = 0.2
RELOADABLE = ("prometheus", "alertmanager", "blackbox")


def plan(settings: Settings, only: Collection[str] = ()) -> Layout:
    """The stack to start, with its programs found or fetched; ``StackError`` if one is missing.

    What runs already stays, also if ``only`` does not name it.
    """
    running = Supervisor(settings.run_dir).processes().keys() & COMPONENTS.keys() if only else ()
    named = [*only, *running]
    wanted = [c.tool for c in choose(named, settings.database_url) if c.tool]
    unreached = archives.fetch(settings, releases(wanted), patient=False)
    why = tools.obtain(wanted, settings.cache)
    late = lacking(settings, OPTIONAL)
    chosen = choose(named, settings.database_url, late - set(only))
    programs = tools.resolve([c.tool for c in chosen if c.tool], settings.cache, why)
    return Layout(settings, tuple(chosen), programs, unreached)


def releases(names: Collection[str]) -> list[str]:
    """The releases that bring these programs; where PATH comes first, only what it lacks."""
    wanted = [name for name in names if not tools.settled(name)]
    return sorted({tools.TOOLS[name].release for name in wanted} - {""})


def lacking(settings: Settings, names: Collection[str]) -> set[str]:
    """Of the components ``names`` those whose program is not here."""
    of = {name: COMPONENTS[name].tool for name in names}
    return {name for name, tool in of.items() if tool and tools.find(tool, settings.cache) is None}


def absent(settings: Settings, names: Collection[str] = tuple(OPTIONAL)) -> set[str]:
    """Of the components ``names`` those that cannot run: no program here, and no package has it."""
    return {
        name
        for name in lacking(settings, names)
        if not (tools.TOOLS[COMPONENTS[name].tool].package and packages.possible())
    }


def up(settings: Settings, only: Collection[str] = ()) -> Layout:
    """Start what does not run yet and wait until all of it is healthy; ``StackError`` if not."""
    supervisor = Supervisor(settings.run_dir)
    was_running = supervisor.running()
    layout = plan(settings, only)
    if not was_running and leftovers(settings.run_dir):
        print(f"Stopped {sweep(settings.run_dir)} processes left by a supervisor that died.")
    check_ports(layout, supervisor.processes())
    layouts.prepare(layout, supervisor.socket)
    if was_running:
        supervisor.reload()
        for name in RELOADABLE:
            if name in layout.place.runs:
                supervisor.hang_up(name)
    else:
        supervisor.launch(settings.config / "supervisord.conf")
    Start(layout, supervisor).run()
    return layout


def shortfall(layout: Layout) -> str:
    """What is missing on this machine, why, and what works without it; '' if nothing is."""
    late = lacking(layout.settings, OPTIONAL)
    if not late:
        return ""
    lost = dict.fromkeys(OPTIONAL[name] for name in OPTIONAL if name in late)
    instead = " A preview draws the dashboards." if "grafana" in late else ""
    why = f" Not fetched: {layout.unreached}." if layout.unreached else ""
    return (
        f"Not on this machine: {', '.join(sorted(late))}; so there is no {', no '.join(lost)}. "
        f"All else works.{instead}{why}\n"
    )


def check_ports(layout: Layout, known: dict[str, Process]) -> None:
    """``StackError`` with a line for each port that somebody else holds."""
    lines = []
    for component in layout.components:
        process = known.get(component.name)
        if component.port and not (process and process.pid):
            port = layout.port(component.name)
            if ports.taken(port):
                by = ports.holder(port) or "another process"
                lines.append(f"Port {port}, which {component.name} needs, is taken by {by}.")
    if lines:
        raise StackError(
            "\n".join([*lines, "Stop it, or move all ports: make up PORT_OFFSET=1000"])
        )


class Start:
    """Starts each component as soon as those it waits for are healthy."""

    def __init__(self, layout: Layout, supervisor: Supervisor) -> None:
        self.layout, self.supervisor = layout, supervisor
        self.waiting = {c.name: c for c in layout.components}
        self.started: set[str] = set()

    def run(self, deadline: float = DEADLINE) -> None:
        """Until all are healthy; ``StackError`` with the end of its log if one does not get so."""
        end = time.monotonic() + deadline
        while self.waiting:
            known = self.supervisor.processes()
            for component in list(self.waiting.values()):
                self._advance(component, known.get(component.name))
            if time.monotonic() > end:
                raise self._failure(list(self.waiting))
            if self.waiting:
                time.sleep(POLL)
        _progress("")

    def _advance(self, component: Component, process: Process | None) -> None:
        name = component.name
        if name not in self.started:
            if self.waiting.keys() & set(component.after):
                return
            self.supervisor.start(name)
            self.started.add(name)
        elif ready(self.layout, component, process):
            del self.waiting[name]
            total = len(self.layout.components)
            _progress(f"{total - len(self.waiting):2}/{total}  {name}")
        elif process is not None and process.state == ("EXITED" if component.once else "FATAL"):
            raise self._failure([name])

    def _failure(self, names: list[str]) -> StackError:
        _progress("")
        lines = []
        known = self.supervisor.processes()
        for name in names:
            process = known.get(name)
            how = process.complaint if process else "missing"
            log = self.layout.settings.logs / f"{name}.log"
            last = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            if name not in self.started:
                how, last = "never started", []
            lines += [f"{name} is not healthy ({how}). See {log}", *(f"    {x}" for x in last)]
        return StackError("\n".join(lines))


def down(settings: Settings) -> int:
    """Stop everything in reverse order, and what a dead supervisor left; how many components."""
    supervisor = Supervisor(settings.run_dir)
    known = supervisor.processes()
    alive = sum(1 for p in known.values() if p.pid)
    if known:
        supervisor.call("shutdown")
        end = time.monotonic() + DEADLINE
        while leftovers(settings.run_dir) and time.monotonic() < end:
            time.sleep(POLL / 2)
    alive += sweep(settings.run_dir)
    supervisor.forget()
    return alive


def _progress(text: str) -> None:
    """One line that is written over on a terminal, else one line each."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text:
        print(text, flush=True)
