"""Processes that end, or do not get to run."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drills.faults import Fault, repeated
from tests.drills.site import Site


def stopped(component: str) -> Fault:
    """A component ends for good."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        site.stop(component)
        try:
            yield
        finally:
            site.start(component)

    return inject


def killed(component: str, every: float) -> Fault:
    """A component is killed again and again; the supervisor starts it anew each time."""

    def kill(site: Site) -> None:
        if pid := site.process(component).pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    return repeated(kill, every)


def starve(site: Site) -> None:
    """api does not get to run for a while."""
    pid = site.process("api").pid
    if pid:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)  # this is the fault itself
        os.kill(pid, signal.SIGCONT)


@contextmanager
def relay_stopped(site: Site) -> Iterator[None]:
    """Nothing gets into the room, while there is something to say."""
    site.stop("relay")
    site.fire({"alertname": "Drill", "severity": "critical", "service": "drill"}, {})
    try:
        yield
    finally:
        site.start("relay")
