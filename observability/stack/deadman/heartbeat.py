"""The Watchdog as a heartbeat: its value advances as long as Prometheus stores and evaluates.

The value is the time of Prometheus's newest sample. It stands still when Prometheus, Alertmanager
or the way between them is gone, and also when Prometheus's disk takes no more samples. How old
it is, is measured by the clock of whoever listens: nobody's clock is compared with another's.
"""

from __future__ import annotations

import json
import time

from observability.conventions import HEARTBEAT

WATCHDOG = "Watchdog"


class Heartbeat:
    """The value that was heard last, and how long ago it advanced. Seconds throughout."""

    def __init__(self) -> None:
        self._value = 0.0
        self._advanced = time.monotonic()  # whoever has just begun waits before complaining

    def heard(self, body: bytes) -> bool:
        """Take what Alertmanager posts; whether the value advanced.

        ValueError, KeyError or TypeError if it is not what Alertmanager posts. Alertmanager repeats
        what it was told last until that expires: a repetition is no beat.
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
        """Since the value advanced, or since the start."""
        return time.monotonic() - self._advanced
