"""The command ``make break``: injects a fault into the running platform.

What it does is real: on a platform that somebody uses, people notice. It needs the development
environment, which ``make break`` installs.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from alerts.rule_files import all_alerts
from observability.dashboard_uids import Board
from observability.stack.components import COMPONENTS
from observability.stack.local import status
from observability.stack.local.layout import Layout
from observability.stack.settings import Settings, StackError, load
from observability.time_scale import TimeScale
from tests.drills.site import Site
from tests.drills.table import DRILLS, Drill

DELIVERY = 30.0  # seconds at pace 1 from firing to the chat: two evaluations and a group's wait
POLL = 1.0
MARGIN = 60.0  # seconds that are waited beyond what is expected
DRILLS_HERE = tuple(drill for drill in DRILLS if not drill.small)


class Running(Site):
    """The platform of this shell's RUN_DIR, as it runs; it is not ours to stop."""

    def __init__(self, settings: Settings) -> None:
        self.run_dir, self.offset, self.scale = settings.run_dir, settings.offset, settings.scale
        self.small = None
        self.environment = {
            "RUN_DIR": str(settings.run_dir),
            "PORT_OFFSET": str(settings.offset),
            "TIME_SCALE": f"{settings.scale:g}",
        }


def main(arguments: list[str] | None = None) -> int:
    """Return 0 if the alert came or the list was shown, 1 if not.

    130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="make break", description=__doc__)
    parser.add_argument("fault", nargs="?", help="one of those that are listed without it")
    options = parser.parse_args(arguments)
    found = {drill.name: drill for drill in DRILLS_HERE}
    if not options.fault:
        show_list()
        return 0
    if options.fault not in found:
        print(f"No fault is called {options.fault}. List them: make break", file=sys.stderr)
        return 2
    # A terminal that closes is to mend it as well.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        settings = load()
        return inject(found[options.fault], Running(settings), status.running(settings))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted before anything was broken.", file=sys.stderr)
        return 130


def show_list() -> None:
    """Every fault: its name, what it does, the alerts that it brings."""
    width = max(len(drill.name) for drill in DRILLS_HERE)
    for drill in DRILLS_HERE:
        print(f"{drill.name:{width}}  {drill.what} → {', '.join(drill.fires)}")
    print("\nOne of them, on the platform that runs: make break FAULT=locked")


def inject(drill: Drill, site: Running, layout: Layout) -> int:
    """Break, watch until the alerts fire, mend; the exit status."""
    if drill.logs and not site.logs_are_kept:
        raise StackError(f"{drill.name} needs Loki and Promtail, which do not run here")
    time_scale = TimeScale(site.scale)
    wait = describe(drill, time_scale, layout)
    try:
        with mended(drill, site):
            good = watch(drill, site, wait)
    except KeyboardInterrupt:
        print("Interrupted; the fault is mended. The all-clear follows in the chat.")
        return 130
    print("Mended. The all-clear follows in the chat: make chat")
    return 0 if good else 1


def describe(drill: Drill, time_scale: TimeScale, layout: Layout) -> float:
    """Print what to expect and where to look; return the seconds until then."""
    known = {alert.name: alert for alert in all_alerts(time_scale)}
    print(f"{drill.name}: {drill.what}")
    longest = 0.0
    for name in drill.fires:
        alert = known[name]
        seconds = (alert.for_ + DELIVERY) / time_scale.factor
        longest = max(longest, seconds)
        print(f"  expect {name} ({alert.severity}) in the chat after about {seconds:.0f} s, "
              "once its expression sees the fault")  # fmt: skip
        print(f"    runbook   alerts/runbooks/{alert.runbook_file}")
        print(f"    dashboard {dashboard(layout, alert.board)}")
    print(f"  alerts    http://{layout.address('prometheus')}/alerts")
    print("  chat      make chat          Ctrl-C mends it at once", flush=True)
    return longest


def dashboard(layout: Layout, board: Board) -> str:
    """Where a dashboard is drawn here."""
    if "grafana" in layout.deployment.components:
        return f"http://{layout.address('grafana')}/d/{board}"
    return f"http://{layout.address('preview')}/#board={board}"


@contextmanager
def mended(drill: Drill, site: Running) -> Iterator[None]:
    """The fault, and whatever it stopped runs again afterwards, also if mending fails."""
    before = {name for name, process in site.supervisor.processes().items() if process.pid}
    try:
        with drill.fault(site):
            yield
    finally:
        after = site.supervisor.processes()
        for name in sorted(before - {name for name, process in after.items() if process.pid}):
            if name in COMPONENTS and not COMPONENTS[name].once:
                site.start(name)


def watch(drill: Drill, site: Running, expected: float) -> bool:
    """Print each alert as it changes until all fire; return whether they did."""
    begin = time.monotonic()
    seen: dict[str, str] = {}
    while (passed := time.monotonic() - begin) < expected * 4 + MARGIN:
        try:
            active = site.active()
        except (AssertionError, OSError):
            active = seen  # Prometheus itself may be what is broken
        for name, state in active.items():
            if seen.get(name) != state:
                print(f"  {passed:4.0f} s  {state:8} {name}", flush=True)
        seen = dict(active)
        if all(seen.get(name) == "firing" for name in drill.fires):
            time.sleep(min(expected, POLL))
            return True
        time.sleep(POLL)
    missing = [name for name in drill.fires if seen.get(name) != "firing"]
    print(f"Not firing within {passed:.0f} s: {', '.join(missing)}", file=sys.stderr)
    return False


if __name__ == "__main__":
    sys.exit(main())
