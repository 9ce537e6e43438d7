"""Counts and latencies of a run, in bounded memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from simulator.client import Kind, Outcome
from simulator.scenario import COMMANDS


class Latency:
    """Durations: quantiles exact to 1 % (to 1 µs below a millisecond), exact maximum."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Add a duration; a negative one counts as 0."""
        micros = max(int(seconds * 1e6), 0)
        grain = 1
        while micros >= 1000 * grain:
            grain *= 10
        self._counts[micros // grain * grain] += 1
        self.longest = max(self.longest, seconds)

    def merge(self, other: Latency) -> None:
        """Add the durations of another one."""
        self._counts.update(other._counts)
        self.longest = max(self.longest, other.longest)

    @property
    def count(self) -> int:
        """The number of durations."""
        return self._counts.total()

    def quantile(self, q: float) -> float | None:
        """Return a quantile in seconds, nearest rank; None without durations."""
        rank = q * self.count
        for micros, count in sorted(self._counts.items()):
            rank -= count
            if rank <= 0:
                return micros / 1e6
        return None


@dataclass
class Row:
    """The results of one command.

    ``latency`` has responses and timeouts, not failed connections.
    """

    count: int = 0
    errors: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[Kind] = field(default_factory=Counter)
    latency: Latency = field(default_factory=Latency)

    def merge(self, other: Row) -> None:
        """Add the results of another row."""
        self.count += other.count
        self.errors += other.errors
        self.statuses.update(other.statuses)
        self.failures.update(other.failures)
        self.latency.merge(other.latency)


class Results:
    """The results by command, and the schedule lag.

    ``lateness`` is how long after its scheduled time an action was sent, ``since_due`` its latency
    from the intended start; both stay empty without a schedule.
    """

    def __init__(self) -> None:
        self.rows = {command: Row() for command in COMMANDS}
        self.lateness, self.since_due = Latency(), Latency()

    def add(self, command: str, outcome: Outcome) -> bool:
        """Count an outcome; return whether the simulator counts it as an error."""
        row = self.rows[command]
        row.count += 1
        if outcome.kind == "answer":
            row.statuses[outcome.status] += 1
        else:
            row.failures[outcome.kind] += 1
        if outcome.kind in ("answer", "timeout"):
            row.latency.add(outcome.seconds)
        failed = is_error(command, outcome)
        row.errors += failed
        return failed

    def late(self, late: float, seconds: float) -> None:
        """Record the schedule lag of an action, and how long it then took."""
        self.lateness.add(late)
        self.since_due.add(late + seconds)

    def merge(self, other: Results) -> None:
        """Add the figures of another run."""
        for command, row in self.rows.items():
            row.merge(other.rows[command])
        self.lateness.merge(other.lateness)
        self.since_due.merge(other.since_due)

    def total(self) -> Row:
        """Return the sum of all commands."""
        total = Row()
        for row in self.rows.values():
            total.merge(row)
        return total


def is_error(command: str, outcome: Outcome) -> bool:
    """Return whether the status is not 204; 400 is allowed for registrations."""
    allowed = (204, 400) if command == "register" else (204,)
    return outcome.kind != "answer" or outcome.status not in allowed
