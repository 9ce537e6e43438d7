"""The Watchdog as a heartbeat: its value advances while Prometheus stores and evaluates.

The value is the time of Prometheus's newest sample. It stops when Prometheus, Alertmanager or the
network between them is down, and also when Prometheus's disk is full. Its age is measured by the
clock of the receiver: clocks of two hosts are never compared.
"""

from __future__ import annotations

import json
import time

from observability.conventions import HEARTBEAT

WATCHDOG = "Watchdog"


class Heartbeat:
    """The latest value, and the seconds since it advanced."""

    def __init__(self) -> None:
        self._value = 0.0
        self._advanced = time.monotonic()  # the start counts as a heartbeat

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
        if newest <= self._value:
            return False
        self._value, self._advanced = newest, time.monotonic()
        return True

    @property
    def age(self) -> float:
        """Seconds since the value advanced, or since the start."""
        return time.monotonic() - self._advanced
