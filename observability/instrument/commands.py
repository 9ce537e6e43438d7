"""The log of a command, pushed to Loki because Promtail follows no file of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from observability import catalog
from observability.instrument.logs import Log, LogSettings
from observability.instrument.metrics import Meter


@contextmanager
def command_log(service: str, event: str, loki: str) -> Iterator[Log]:
    """Log a command: its messages, its error, its end and its duration.

    ``loki`` is the URL to push to; with '' nothing is written. Lines that did not reach Loki are
    reported on standard error, because no Prometheus scrapes a command.
    """
    meter = Meter(service)
    log = Log(LogSettings(stdout=False, loki=loki), meter)
    began = time.monotonic()

    def ended(level: str, message: str, outcome: str) -> None:
        milliseconds = round((time.monotonic() - began) * 1000, 3)
        log.write(level, event, message, {"outcome": outcome, "duration_ms": milliseconds})

    try:
        yield log
    except KeyboardInterrupt:
        ended("warning", "interrupted", "interrupted")
        raise
    except Exception as error:
        ended("error", f"{type(error).__name__}: {error}", "failed")
        raise
    else:
        ended("info", "done", "ok")
    finally:
        log.close()
        lost = meter.registry.get_sample_value(catalog.LOG_DROPPED.name, {"sink": "loki"})
        if lost:
            print(f"{service}: {lost:.0f} lines of the log did not reach Loki", file=sys.stderr)
