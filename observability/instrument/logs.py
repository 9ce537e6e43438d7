"""JSON logs: one object per line, to standard output and a file, from one thread.

A caller only appends to a bounded queue. When the queue is full or an output fails, records are
dropped and counted; no caller waits for a disk, a pipe or Loki.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from observability import catalog
from observability.instrument import context
from observability.instrument.log_line import Record, make_line
from observability.instrument.logfile import LogFile
from observability.instrument.metrics import Meter

if TYPE_CHECKING:
    from observability.instrument.loki import Push

QUEUE_SIZE = 10_000  # records
BATCH = 200  # records that are formatted and written together
POLL_SECONDS = 0.05
CLOSE_SECONDS = 5.0
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The outputs of the log.

    ``file_bytes`` is the size at which the file is rotated; ``loki`` the URL of a Loki to push to,
    with its credentials, or ''.
    """

    level: str = "info"
    stdout: bool = True
    file: Path | None = None
    file_bytes: int = 50_000_000
    file_count: int = 3
    loki: str = field(default="", repr=False)


class Output(Protocol):
    """A destination of log lines."""

    def write(self, data: bytes) -> None:
        """Write whole lines; raises OSError or ValueError if they are lost."""

    def close(self) -> None:
        """Close the output."""


class Stdout:
    """The standard output of the process."""

    def write(self, data: bytes) -> None:
        """Write and flush."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Do nothing: the process still uses it."""


class Log:
    """The log of one service. Fields and events are those of the catalogue."""

    def __init__(self, settings: LogSettings, meter: Meter) -> None:
        self._threshold = LEVELS[settings.level]
        self._meter = meter
        self._queue: deque[Record] = deque()
        self._stop = threading.Event()
        self._outputs: dict[str, Output] = {}
        if settings.stdout:
            self._outputs["stdout"] = Stdout()
        if settings.file:
            self._outputs["file"] = LogFile(settings.file, settings.file_bytes, settings.file_count)
        self._push: Push | None = None
        if settings.loki:
            from observability.instrument.loki import Push  # imported late: it takes 6 MB

            self._push = Push(settings.loki, meter, self._tell)
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def debug(self, event: str, message: str = "", **fields: Any) -> None:
        """Log a detail for developers."""
        self.write("debug", event, message, fields)

    def info(self, event: str, message: str = "", **fields: Any) -> None:
        """Log a normal event."""
        self.write("info", event, message, fields)

    def warning(self, event: str, message: str = "", **fields: Any) -> None:
        """Log a problem that needs no immediate action."""
        self.write("warning", event, message, fields)

    def error(self, event: str, message: str = "", **fields: Any) -> None:
        """Log a failed request or component."""
        self.write("error", event, message, fields)

    def write(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        """Queue one record, with the ids of the request being served."""
        if LEVELS[level] < self._threshold:
            return
        request = context.current()
        if request is not None:
            fields.setdefault("request_id", request.request_id)
            if request.trace_id:
                fields.setdefault("trace_id", request.trace_id)
                fields.setdefault("span_id", request.span_id)
        if len(self._queue) < QUEUE_SIZE:
            self._queue.append(Record(time.time_ns(), level, event, message, fields))
        else:
            self._meter.count(catalog.LOG_RECORDS, level)
            self._meter.count(catalog.LOG_DROPPED, "queue")

    @property
    def pending(self) -> int:
        """The number of records in the queue."""
        return len(self._queue)

    def close(self) -> None:
        """Write what is queued and stop; takes at most ``CLOSE_SECONDS``."""
        self._stop.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        # Polling: waking a thread for each record would take the GIL from requests.
        while not self._stop.wait(POLL_SECONDS):
            self._drain()
        self._drain()
        if self._push:
            self._push.close()
            self._drain()  # records that the push logged
        for output in self._outputs.values():
            output.close()

    def _drain(self) -> None:
        while self._queue:
            count = min(len(self._queue), BATCH)
            records = [self._queue.popleft() for _ in range(count)]
            for level, number in Counter(record.level for record in records).items():
                self._meter.count(catalog.LOG_RECORDS, level, by=number)
            lines = [make_line(self._meter.service, record) for record in records]
            data = "".join(line.text for line in lines).encode()
            for name, output in self._outputs.items():
                try:
                    output.write(data)
                except (OSError, ValueError):  # a full disk; a closed pipe
                    self._meter.count(catalog.LOG_DROPPED, name, by=count)
            if self._push:
                self._push.put(lines)

    def _tell(self, level: str, message: str, count: int) -> None:
        self.write(level, "log_dropped", message, {"component": "loki", "count": count})


class LibraryHandler(logging.Handler):
    """Sends records of Python's ``logging`` to the same log."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a library's record under the event ``library``."""
        fields: dict[str, Any] = {"component": record.name}
        if record.exc_info:
            fields["stack"] = "".join(traceback.format_exception(*record.exc_info))
        try:
            message = record.getMessage()
        except Exception:  # wrong arguments must not fail the request
            message = str(record.msg)
        level = record.levelname.lower()
        self._log.write(level if level in LEVELS else "info", "library", message, fields)


def capture_libraries(log: Log, level: int = logging.WARNING) -> None:
    """Send everything logged through ``logging`` at ``level`` or above to ``log``."""
    logging.basicConfig(level=level, handlers=[LibraryHandler(log)], force=True)
