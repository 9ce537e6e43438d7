"""What each component takes, again and again, and whether that grows."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from pathlib import Path

from tests.bench.footprint import memory
from tests.soak.faults import children
from tests.stack.platform import Platform

# A component may take so much more at the end than when it had warmed up.
GROWTH, SLACK_MB, SLACK_FILES = 1.3, 30.0, 30
Sample = dict[str, tuple[float, int]]  # component → megabytes, open files


def weigh(platform: Platform) -> Sample:
    """Megabytes and open files of each component now."""
    processes = platform.supervisor.processes()
    sizes = memory(platform)
    return {name: (size, files(processes[name].pid)) for name, size in sizes.items()}


def files(pid: int) -> int:
    """Descriptors of a process and its children."""
    return sum(_count(one) for one in (pid, *children(pid)))


def _count(pid: int) -> int:
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0  # it has just ended


def trend(samples: list[Sample]) -> dict[str, dict[str, float]]:
    """Return the median of the second and of the last fifth of each component's samples."""
    found = {}
    fifth = max(1, len(samples) // 5)
    for name in sorted({name for sample in samples for name in sample}):
        before, after = samples[fifth : 2 * fifth], samples[-fifth:]
        found[name] = {
            "mb_early": middle(s[name][0] for s in before if name in s),
            "mb_late": middle(s[name][0] for s in after if name in s),
            "files_early": middle(s[name][1] for s in before if name in s),
            "files_late": middle(s[name][1] for s in after if name in s),
        }
    return found


def middle(values: Iterable[float]) -> float:
    """Their median; 0 of none."""
    known = list(values)
    return round(statistics.median(known), 1) if known else 0.0


def growing(trends: dict[str, dict[str, float]]) -> list[str]:
    """The components that took clearly more at the end."""
    return [
        name
        for name, t in trends.items()
        if t["mb_late"] > t["mb_early"] * GROWTH + SLACK_MB
        or t["files_late"] > t["files_early"] * GROWTH + SLACK_FILES
    ]
