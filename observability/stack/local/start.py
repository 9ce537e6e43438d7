"""Starts components in parallel, each as soon as its dependencies are healthy."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from observability.stack.components import Component
from observability.stack.local import databases
from observability.stack.local.layout import Layout
from observability.stack.local.ready import ready
from observability.stack.local.state import set_aside
from observability.stack.local.supervise import Process, Supervisor
from observability.stack.settings import StackError

DEADLINE = 90.0  # seconds until everything must be healthy
POLL = 0.05
STUBBORN = 12.0  # seconds of failing starts after which the cause is shown
LIVES = 3  # a component that has ended so many times is failing, however long it lived


class Start:
    """One start; ``took`` holds the seconds until each component was healthy."""

    def __init__(self, layout: Layout, supervisor: Supervisor) -> None:
        self.layout, self.supervisor = layout, supervisor
        self.waiting = {c.name: c for c in layout.components}
        self.started: dict[str, float] = {}
        self.took: dict[str, float] = {}
        self.moved: set[str] = set()
        self.pids: dict[str, set[int]] = {}

    def run(self, deadline: float = DEADLINE) -> None:
        """Start all and wait until they are healthy; ``StackError`` if one fails.

        The error has the end of that component's log.
        """
        end = time.monotonic() + deadline
        with ThreadPoolExecutor(len(self.waiting) or 1) as pool:
            while self.waiting:
                self._begin()
                known = self.supervisor.processes()
                begun = [c for name, c in self.waiting.items() if name in self.started]
                processes = [known.get(component.name) for component in begun]
                answers = pool.map(self._ready, begun, processes)
                for component, good in zip(begun, answers, strict=True):
                    if good:
                        self._done(component.name)
                    else:
                        self._watch(component, known.get(component.name))
                if time.monotonic() > end:
                    raise self._failure(list(self.waiting))
                if self.waiting:
                    time.sleep(POLL)
        progress("")

    def _begin(self) -> None:
        for name, component in self.waiting.items():
            if name not in self.started and not self.waiting.keys() & set(component.after):
                self.supervisor.start(name)
                self.started[name] = time.monotonic()

    def _ready(self, component: Component, process: Process | None) -> bool:
        """Return whether it is healthy; PostgreSQL only once it has the database."""
        good = ready(self.layout, component, process)
        if good and component.ready == "database":
            try:
                databases.ensure(self.layout)
            except psycopg.Error:
                return False
            except StackError:
                progress("")
                raise
        return good

    def _done(self, name: str) -> None:
        del self.waiting[name]
        self.took[name] = time.monotonic() - self.started[name]
        total = len(self.layout.components)
        progress(f"{len(self.took):2}/{total}  {name:18} {self.took[name]:5.1f} s")

    def _watch(self, component: Component, process: Process | None) -> None:
        """Set unreadable state aside; ``StackError`` if a component fails again and again."""
        name = component.name
        if process is None:
            return
        if component.once and process.state == "EXITED" and process.exit_status:
            raise self._failure([name])
        pids = self.pids.setdefault(name, set())
        pids |= {process.pid} - {0}
        if not process.failing and len(pids) <= LIVES:
            return
        # What lived for more than a moment could read its state.
        if process.failing and name not in self.moved:
            aside = set_aside(self.layout.settings, name)
            if aside:
                self.moved.add(name)
                self.started[name] = time.monotonic()
                progress("")
                print(f"The state of {name} cannot be read; it is kept in {aside}", flush=True)
        if time.monotonic() - self.started[name] > STUBBORN:
            raise self._failure([name])

    def _failure(self, names: list[str]) -> StackError:
        progress("")
        lines = []
        known = self.supervisor.processes()
        for name in names:
            process = known.get(name)
            how = process.complaint if process else "missing"
            if (ended := len(self.pids.get(name, ())) - 1) >= LIVES:
                how += f"; it ended {ended} times"
            log = self.layout.settings.logs / f"{name}.log"
            last = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
            if name not in self.started:
                how, last = "never started", []
            lines += [f"{name} is not healthy ({how}). See {log}", *(f"    {x}" for x in last)]
        running = sum(1 for process in known.values() if process.pid)
        lines.append(f"{running} components run. Look: make status   Try again: make up   "
                     "Stop: make down")  # fmt: skip
        return StackError("\n".join(lines))


def progress(text: str) -> None:
    """Print progress: one line rewritten on a terminal, else a line each."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text:
        print(text, flush=True)
