"""The intervals of the monitoring, and how a drill shortens all of them together.

At scale 1 (production) every duration is unchanged. At scale N windows, ``for`` and intervals are
divided by N, but a range keeps at least four scrapes and a ``for`` at least two: anything shorter
would react to noise, or to targets that were not scraped yet.
"""

from __future__ import annotations

from dataclasses import dataclass

SCRAPE_SECONDS = 5.0
EVALUATE_SECONDS = 5.0
# The PostgreSQL exporter takes a second to report that its database is down.
FASTEST_SCRAPE_SECONDS = 2.0
FASTEST_SECONDS = 1.0
SCRAPES_A_RANGE = 4
SCRAPES_A_WAIT = 2
SCRAPES_KEPT = 6
SHORTEST_SILENCE = 8.0  # at twenty times the pace the Watchdog advances every two to four
# Prometheus has pauses of five seconds of its own before it scrapes for the first time.
YOUNGEST = 8.0
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def duration(seconds: float) -> str:
    """Format ``seconds`` as Prometheus does: ``1m30s``; milliseconds are the finest."""
    rest, text = round(seconds * 1000), ""
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


@dataclass(frozen=True, slots=True)
class Clock:
    """Durations at a time ``scale`` of 1 or more; ValueError below 1."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        if not self.scale >= 1:
            raise ValueError(f"the time scale is 1 or more, not {self.scale:g}")

    @property
    def scrape(self) -> float:
        """Seconds between two scrapes of a target."""
        return max(SCRAPE_SECONDS / self.scale, FASTEST_SCRAPE_SECONDS)

    @property
    def evaluate(self) -> float:
        """Seconds between two evaluations of a rule."""
        return max(EVALUATE_SECONDS / self.scale, FASTEST_SECONDS)

    @property
    def patience(self) -> float:
        """The scrape timeout in seconds: less than the scrape interval."""
        return 0.8 * self.scrape

    def pause(self, seconds: float) -> str:
        """Scale an interval: Alertmanager's, or the evaluation interval of a rule group."""
        return duration(max(seconds / self.scale, FASTEST_SECONDS))

    def age(self, seconds: float) -> float:
        """The maximum age in seconds of something that is observed by scrapes."""
        return max(seconds / self.scale, SCRAPES_A_WAIT * self.scrape)

    def youth(self, seconds: float) -> str:
        """For how long after its first scrapes a Prometheus is too young to miss anything."""
        return duration(max(seconds / self.scale, YOUNGEST))

    def silence(self, seconds: float) -> float:
        """Seconds without a Watchdog until the dead man's switch fires."""
        return max(seconds / self.scale, SHORTEST_SILENCE)

    def window(self, seconds: float) -> str:
        """Scale the range of rate() and similar functions."""
        return duration(self._range(seconds))

    def samples(self, seconds: float) -> float:
        """Return how many samples of a target a range of ``seconds`` holds."""
        return self._range(seconds) / self.scrape

    def covered(self, seconds: float) -> float:
        """Return how many samples of a recorded series a range of ``seconds`` holds."""
        return self._range(seconds) / self.evaluate

    def wait(self, seconds: float) -> str:
        """Scale a ``for`` or ``keep_firing_for``.

        It keeps as many scrapes as in production, up to six: which of two alerts on the same fault
        fires first must not depend on the scale.
        """
        scrapes = min(max(seconds / SCRAPE_SECONDS, SCRAPES_A_WAIT), SCRAPES_KEPT)
        return duration(max(seconds / self.scale, scrapes * self.scrape))

    def _range(self, seconds: float) -> float:
        return max(seconds / self.scale, SCRAPES_A_RANGE * self.scrape)
