"""Progress of a run: a bar on a terminal, otherwise a line now and then."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TextIO

from simulator.report import milliseconds
from simulator.results import Results
from simulator.run import Run

_BAR_WIDTH = 30
_BAR_EVERY, _LINE_EVERY, _SUMMARY_EVERY = 0.2, 10.0, 60.0  # seconds


async def show(
    run: Run, total: int | None, stream: TextIO = sys.stderr, every: float | None = None
) -> None:
    """Show progress until cancelled; a run without end is summed up once a minute."""
    if total is None:
        await _summaries(run, stream, every or _SUMMARY_EVERY)
    elif stream.isatty():
        await _bar(run, total, stream, every or _BAR_EVERY)
    else:
        await _lines(run, total, stream, every or _LINE_EVERY)


async def _summaries(run: Run, stream: TextIO, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        line = summary(run.roll(), every)
        print(line, file=stream, flush=True)
        if run.log:
            run.log.info("action", line)


async def _bar(run: Run, total: int, stream: TextIO, every: float) -> None:
    began = time.monotonic()
    try:
        while True:
            filled = _BAR_WIDTH * run.done // total
            bar = "#" * filled + "." * (_BAR_WIDTH - filled)
            stream.write(f"\r\x1b[K[{bar}] {position(run, total, began)}")
            stream.flush()
            await asyncio.sleep(every)
    finally:
        stream.write("\r\x1b[K")
        stream.flush()


async def _lines(run: Run, total: int, stream: TextIO, every: float) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(every)
        print(position(run, total, began), file=stream, flush=True)


def position(run: Run, total: int, began: float) -> str:
    """Return progress, speed and errors so far as text."""
    rate = run.done / max(time.monotonic() - began, 0.001)
    left = f", {(total - run.done) / rate:.0f} s left" if run.done else ""
    share = 100 * run.done // total
    return f"{run.done:,} of {total:,} ({share} %), {rate:.0f}/s, {run.errors} errors{left}"


def summary(window: Results, seconds: float) -> str:
    """Return one line on a time window of a run without end."""
    row = window.total()
    kinds = [f"{row.statuses[s]} of status {s}" for s in sorted(row.statuses) if s >= 400]
    kinds += [f"{count} {kind}" for kind, count in sorted(row.failures.items())]
    what = f" ({', '.join(kinds)})" if row.errors else ""
    p99 = milliseconds(row.latency.quantile(0.99))
    slow = "" if p99 is None else f", p99 {p99} ms"
    return f"last {seconds:.0f} s: {row.count} actions, {row.errors} errors{what}{slow}"
