"""What befalls the platform during a soak; which of it its users may feel."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.drills.site import Site

Blow = Callable[[Site], None]


@dataclass(frozen=True, slots=True)
class Trouble:
    """``felt``: requests may fail from its beginning until ``RECOVERY`` seconds after its end."""

    name: str
    blow: Blow
    felt: bool = False


RECOVERY = 10.0


def restart(component: str, seconds: float = 0) -> Blow:
    """Stop it in good order, and start it again after a while."""

    def blow(site: Site) -> None:
        site.stop(component)
        time.sleep(seconds)  # this is the fault itself
        site.start(component)

    return blow


def kill(component: str) -> Blow:
    """SIGKILL; the supervisor restarts it."""

    def blow(site: Site) -> None:
        if pid := site.process(component).pid:
            os.kill(pid, signal.SIGKILL)

    return blow


def freeze(component: str, seconds: float) -> Blow:
    """It and all its children stand still, with every connection open."""

    def blow(site: Site) -> None:
        pid = site.process(component).pid
        with stopped([pid, *children(pid)] if pid else []):
            time.sleep(seconds)  # this is the fault itself

    return blow


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """SIGSTOP, then SIGCONT, also if the block is broken off: what stands still never ends."""
    try:
        tell(pids, signal.SIGSTOP)
        yield
    finally:
        tell(pids, signal.SIGCONT)


def tell(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to those that still live."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def children(pid: int) -> list[int]:
    """All processes below ``pid``."""
    text = "".join(f.read_text() for f in Path(f"/proc/{pid}/task").glob("*/children"))
    return [one for child in map(int, text.split()) for one in (child, *children(child))]


TROUBLES = (
    Trouble("api restarts", restart("api"), felt=True),
    Trouble("api is killed", kill("api"), felt=True),
    Trouble("PostgreSQL restarts", restart("postgres", 2), felt=True),
    Trouble("PostgreSQL hangs for three seconds", freeze("postgres", 3), felt=True),
    Trouble("web is killed", kill("web")),
    Trouble("Loki is away for twenty seconds", restart("loki", 20)),
    Trouble("Loki hangs for ten seconds", freeze("loki", 10)),
    Trouble("Promtail is killed", kill("promtail")),
    Trouble("Prometheus is killed", kill("prometheus")),
    Trouble("Prometheus hangs for ten seconds", freeze("prometheus", 10)),
    Trouble("Alertmanager is away for twenty seconds", restart("alertmanager", 20)),
    Trouble("the chat server restarts", restart("ngircd", 5)),
    Trouble("the way into the chat restarts", restart("relay", 5)),
    Trouble("Blackbox is killed", kill("blackbox")),
)
