"""Processes that end, or do not get to run."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.drills.faults import Fault, repeated
from tests.drills.site import MADE_UP, Site
from tests.parts import wait_for


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


def one_after_the_other(first: str, second: str) -> Fault:
    """A component is stopped and started; at its all-clear, another one is stopped."""

    def told(site: Site, since: int) -> list[str]:
        return [message.status for message in site.messages(since)]

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        since = len(site.chat_lines())
        with stopped(first)(site):
            wait_for("a page", lambda: "FIRING" in told(site, since), 60)
        wait_for("its all-clear", lambda: "RESOLVED" in told(site, since), 60)
        with stopped(second)(site):
            yield

    return inject


def hanging(component: str) -> Fault:
    """A component and its children are there, and do nothing."""

    @contextmanager
    def inject(site: Site) -> Iterator[None]:
        pid = site.process(component).pid
        assert pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        family = [pid, *map(int, children)]
        signal_all(family, signal.SIGSTOP)
        try:
            yield
        finally:
            signal_all(family, signal.SIGCONT)

    return inject


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to those that still are."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


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
    """No message reaches the channel, while an alert fires."""
    labels = {"alertname": MADE_UP, "severity": "critical", "service": "drill"}
    site.stop("relay")
    site.fire(labels, {})
    try:
        yield
    finally:
        site.start("relay")
        site.fire(labels, {}, over=True)
