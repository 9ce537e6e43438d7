"""Starts and stops the platform and single components."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor

from observability.stack.components import COMPONENTS, OPTIONAL, choose
from observability.stack.local import layout as layouts
from observability.stack.local import ports, restarts
from observability.stack.local.layout import Layout
from observability.stack.local.processes import platform_pids, stop_orphans
from observability.stack.local.start import DEADLINE, Start
from observability.stack.local.supervise import Process, Supervisor
from observability.stack.programs import archives, packages, tools
from observability.stack.settings import Settings, StackError

RELOADABLE = ("prometheus", "alertmanager", "blackbox")


def plan(settings: Settings, only: Collection[str] = ()) -> Layout:
    """Return the stack to start, its programs fetched; ``StackError`` if one is missing.

    Running components stay, even if ``only`` does not name them.
    """
    running = Supervisor(settings.run_dir).processes().keys() & COMPONENTS.keys() if only else ()
    named = [*only, *running]
    wanted = [c.tool for c in choose(named, settings.database_url) if c.tool]
    unreached, why = fetch(settings, wanted)
    late = lacking(settings, OPTIONAL)
    chosen = choose(named, settings.database_url, late - set(only))
    programs = tools.resolve([c.tool for c in chosen if c.tool], settings.cache, why)
    return Layout(settings, tuple(chosen), programs, unreached)


def fetch(settings: Settings, names: Collection[str]) -> tuple[str, str]:
    """Fetch missing programs, archives and packages at the same time; return why each failed."""
    packaged = [name for name in names if not tools.TOOLS[name].release]
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(tools.obtain, packaged, settings.cache)
        unreached = archives.fetch(settings, releases(names), patient=False)
        why = beside.result()
    # Packages also bring what no archive could.
    return unreached, why or tools.obtain(names, settings.cache)


def releases(names: Collection[str]) -> list[str]:
    """Return the releases of these programs; where PATH comes first, only missing ones."""
    wanted = [name for name in names if not tools.settled(name)]
    return sorted({tools.TOOLS[name].release for name in wanted} - {""})


def lacking(settings: Settings, names: Collection[str]) -> set[str]:
    """Return those of the components ``names`` whose program is missing."""
    of = {name: COMPONENTS[name].tool for name in names}
    return {name for name, tool in of.items() if tool and tools.find(tool, settings.cache) is None}


def absent(settings: Settings, names: Collection[str] = tuple(OPTIONAL)) -> set[str]:
    """Return those of the components ``names`` that cannot run: no program, no package."""
    return {
        name
        for name in lacking(settings, names)
        if not (tools.TOOLS[COMPONENTS[name].tool].package and packages.possible())
    }


def up(settings: Settings, only: Collection[str] = ()) -> tuple[Layout, Start]:
    """Start the components and wait until all are healthy; ``StackError`` if not."""
    with alone(settings):
        layout = plan(settings, only)
        supervisor = Supervisor(settings.run_dir)
        start = Start(layout, supervisor)
        _launch(layout, supervisor)
        start.run()
    return layout, start


@contextlib.contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Hold the lock of starts and stops; wait for another holder."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    with (settings.run_dir / "up.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            print(f"Another start or stop is running (pid {file.read().strip() or '?'}); "
                  "waiting for it. Ctrl-C gives up.", flush=True)  # fmt: skip
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _launch(layout: Layout, supervisor: Supervisor) -> None:
    """Return a supervisor with this configuration: the running one, or a new one."""
    settings = layout.settings
    known = supervisor.processes()
    if not known and (pid := supervisor.pid):
        raise StackError(unasked(pid, len(platform_pids(settings.run_dir)) - 1))
    if not known and platform_pids(settings.run_dir):
        print(f"Stopped {stop_orphans(settings.run_dir)} processes left by a dead supervisor.")
    check_ports(layout, known)
    layouts.prepare(layout)
    if not known:
        restarts.forget(settings.textfile)
        supervisor.launch(settings.config / "supervisord.conf")
        return
    changed = [name for name in supervisor.reload() if name in layout.deployment.components]
    if restarted := [name for name in changed if known[name].pid]:
        print(f"Restarted because they changed: {', '.join(restarted)}", flush=True)
    for name in RELOADABLE:
        if name in layout.deployment.components and name not in changed:
            supervisor.hang_up(name)


def unasked(pid: int, components: int) -> str:
    """Describe a supervisor that runs but does not answer."""
    return (
        f"The supervisor (pid {pid}) lives but does not answer; its {components} processes were "
        "left alone.\nTry again in a moment; `make down` ends all of it."
    )


def shortfall(layout: Layout) -> str:
    """Describe what is missing on this machine, why, and what works without it."""
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
    """Raise ``StackError`` with a line for each port in use by others."""
    lines = []
    for component in layout.components:
        process = known.get(component.name)
        if component.port and not (process and process.pid):
            port = layout.port(component.name)
            if ports.taken(port):
                by = ports.listener(port) or "another process"
                lines.append(f"Port {port}, which {component.name} needs, is taken by {by}.")
    if lines:
        raise StackError(
            "\n".join([*lines, "Stop it, or move all ports: make up PORT_OFFSET=1000"])
        )


def down(settings: Settings) -> int:
    """Stop everything in reverse order, also orphans; return how many components."""
    with alone(settings):
        supervisor = Supervisor(settings.run_dir)
        known = supervisor.processes()
        alive = sum(1 for p in known.values() if p.pid)
        if not known and supervisor.pid:
            alive = len(platform_pids(settings.run_dir)) - 1
        supervisor.shut_down(DEADLINE)
        alive += stop_orphans(settings.run_dir)
        supervisor.forget()
    return alive


def stop(settings: Settings, layout: Layout, names: Collection[str]) -> None:
    """Stop components of a running platform until they are started again."""
    with alone(settings):
        for name in _known(layout, names):
            Supervisor(settings.run_dir).stop(name)


def start(settings: Settings, layout: Layout, names: Collection[str]) -> None:
    """Start components of a running platform, and wait until they are healthy."""
    chosen = tuple(COMPONENTS[name] for name in _known(layout, names))
    with alone(settings):
        supervisor = Supervisor(settings.run_dir)
        part = Layout(settings, chosen, {})
        check_ports(part, supervisor.processes())
        Start(part, supervisor).run()


def _known(layout: Layout, names: Collection[str]) -> list[str]:
    if unknown := sorted(set(names) - layout.deployment.components):
        there = ", ".join(component.name for component in layout.components)
        raise StackError(f"No component {', '.join(unknown)} runs here. There are: {there}")
    return list(names)
