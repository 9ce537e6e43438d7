"""The Watchdog as a heartbeat: its value advances while Prometheus stores and evaluates.

The value is the time of Prometheus's newest sample. It stops when Prometheus, Alertmanager or the
network between them is down, and also when Prometheus's disk is full. Its age is measured by the
clock of the receiver: clocks of two hosts are never compared.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from math import inf
from pathlib import Path

from observability.conventions import HEARTBEAT
from observability.stack.deadman.notify import log

WATCHDOG = "Watchdog"
REMEMBERED = 3600.0  # seconds for which a killed process's silence counts; the machine may be off


class Heartbeat:
    """The latest value, and the seconds since it advanced.

    A start counts as a heartbeat, but not one after a process that was killed: its latest value is
    in ``file``, whose date is when it advanced. Else a switch that is killed again and again would
    never speak.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._value, age = _remembered(file) if file else (0.0, 0.0)
        self._advanced = time.monotonic() - age
        if not age:
            self._remember()

    def heard(self, body: bytes) -> bool:
        """Take what Alertmanager posts; return whether the value advanced.

        ValueError, KeyError or TypeError if it is not what Alertmanager posts. Alertmanager
        repeats the latest value until the alert expires: a repetition is no heartbeat.
        """
        values = [
            float(alert["annotations"][HEARTBEAT])
            for alert in json.loads(body)["alerts"]
            if alert["labels"]["alertname"] == WATCHDOG and alert["status"] == "firing"
        ]
        newest = max(values, default=0.0)
        if not self._value < newest < inf:
            return False
        self._value, self._advanced = newest, time.monotonic()
        self._remember()
        return True

    def forget(self) -> None:
        """Let the next start count as a heartbeat: this process was stopped, not killed."""
        file, self._file = self._file, None
        with suppress(OSError):
            if file:
                file.unlink()

    def _remember(self) -> None:
        if self._file is None:
            return
        try:
            self._file.write_text(str(self._value))
        except OSError as error:
            log(f"a restart will count as a heartbeat: {error}")

    @property
    def age(self) -> float:
        """Seconds since the value advanced, or since the start."""
        return time.monotonic() - self._advanced


def _remembered(file: Path) -> tuple[float, float]:
    """Return the value in the file and its age in seconds, or zeros."""
    try:
        value, age = float(file.read_text()), time.time() - file.stat().st_mtime
    except (OSError, ValueError):
        return 0.0, 0.0
    return (value, age) if 0 < age < REMEMBERED else (0.0, 0.0)
