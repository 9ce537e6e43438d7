"""The intervals of the monitoring, and the time scale that shortens all of them.

At a factor of 1 (production) every duration is unchanged. At a factor of N windows, ``for`` and
intervals are divided by N, but a range keeps at least four scrapes and a ``for`` at least two:
anything shorter would react to noise, or to targets that were not scraped yet.
"""

from __future__ import annotations

from dataclasses import dataclass

SCRAPE_SECONDS = 5.0
EVALUATE_SECONDS = 5.0
# The PostgreSQL exporter takes a second to report that its database is down.
SHORTEST_SCRAPE_INTERVAL = 2.0
SHORTEST_INTERVAL = 1.0
SCRAPES_A_RANGE = 4
# Scrapes within a ``for``: at least, and at most what a shorter one keeps of production's.
LEAST_SCRAPES_A_FOR, MOST_SCRAPES_A_FOR = 2, 6
SHORTEST_DEADMAN_TIMEOUT = 8.0  # at 20 times the pace the Watchdog advances every two to four
# Prometheus has pauses of five seconds of its own before it scrapes for the first time.
SHORTEST_WARM_UP = 8.0
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def duration(seconds: float) -> str:
    """Format ``seconds`` as Prometheus does: ``1m30s``; milliseconds are the finest."""
    rest, text = round(seconds * 1000), ""
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Durations shortened by a ``factor`` of 1 or more; ValueError below 1.

    A method that returns text formats it as Prometheus does; floats are seconds.
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        if not self.factor >= 1:
            raise ValueError(f"the time scale is 1 or more, not {self.factor:g}")

    @property
    def scrape_interval(self) -> float:
        """Seconds between two scrapes of a target."""
        return max(SCRAPE_SECONDS / self.factor, SHORTEST_SCRAPE_INTERVAL)

    @property
    def evaluation_interval(self) -> float:
        """Seconds between two evaluations of a rule."""
        return max(EVALUATE_SECONDS / self.factor, SHORTEST_INTERVAL)

    @property
    def scrape_timeout(self) -> float:
        """The scrape timeout in seconds: less than the scrape interval."""
        return 0.8 * self.scrape_interval

    def interval(self, seconds: float) -> str:
        """Scale an interval: Alertmanager's, or the evaluation interval of a rule group."""
        return duration(max(seconds / self.factor, SHORTEST_INTERVAL))

    def max_age(self, seconds: float) -> float:
        """Scale the maximum age of something that is observed by scrapes."""
        return max(seconds / self.factor, LEAST_SCRAPES_A_FOR * self.scrape_interval)

    def warm_up(self, seconds: float) -> str:
        """Scale the time in which a Prometheus that just started cannot miss a target."""
        return duration(max(seconds / self.factor, SHORTEST_WARM_UP))

    def deadman_timeout(self, seconds: float) -> float:
        """Scale the time without a Watchdog until the dead man's switch fires."""
        return max(seconds / self.factor, SHORTEST_DEADMAN_TIMEOUT)

    def window(self, seconds: float) -> str:
        """Scale the range of rate() and similar functions."""
        return duration(self._range(seconds))

    def samples_in(self, seconds: float) -> float:
        """Return how many samples of a target a range of ``seconds`` holds."""
        return self._range(seconds) / self.scrape_interval

    def evaluations_in(self, seconds: float) -> float:
        """Return how many samples of a recording rule a range of ``seconds`` holds."""
        return self._range(seconds) / self.evaluation_interval

    def for_duration(self, seconds: float) -> str:
        """Scale a ``for``, ``keep_firing_for`` or the ``group_wait`` that matches one.

        It keeps as many scrapes as in production, up to six: which of two alerts on the same fault
        fires first must not depend on the scale.
        """
        scrapes = min(max(seconds / SCRAPE_SECONDS, LEAST_SCRAPES_A_FOR), MOST_SCRAPES_A_FOR)
        return duration(max(seconds / self.factor, scrapes * self.scrape_interval))

    def _range(self, seconds: float) -> float:
        return max(seconds / self.factor, SCRAPES_A_RANGE * self.scrape_interval)
