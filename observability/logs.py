"""JSON logs: one object a line, written by a thread of their own.

A request only puts a tuple on a bounded queue. When the queue is full or a sink fails, records
are dropped and counted; nothing ever waits for a disk or a pipe.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from observability import catalog, context
from observability.metrics import Meter

QUEUE_SIZE = 10_000
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
Record = tuple[int, str, str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where lines go. ``file_bytes`` is the size at which the file is renamed and begun anew."""

    level: str = "info"
    stdout: bool = True
    file: Path | None = None
    file_bytes: int = 50_000_000
    file_count: int = 3


class Log:
    """The log of one service. Fields and events are those of the catalogue."""

    def __init__(self, settings: LogSettings, meter: Meter) -> None:
        self._threshold = LEVELS[settings.level]
        self._meter = meter
        self._queue: queue.Queue[Record | None] = queue.Queue(QUEUE_SIZE)
        self._sinks: dict[str, Sink] = {}
        if settings.stdout:
            self._sinks["stdout"] = Stdout()
        if settings.file:
            self._sinks["file"] = RotatingFile(settings)
        self._thread = threading.Thread(target=self._drain, name="log", daemon=True)
        self._thread.start()

    def debug(self, event: str, message: str = "", **fields: Any) -> None:
        """What only someone looking for it wants to see."""
        self.write("debug", event, message, fields)

    def info(self, event: str, message: str = "", **fields: Any) -> None:
        """The ordinary course of things."""
        self.write("info", event, message, fields)

    def warning(self, event: str, message: str = "", **fields: Any) -> None:
        """Something to look at in daylight."""
        self.write("warning", event, message, fields)

    def error(self, event: str, message: str = "", **fields: Any) -> None:
        """A request or a component failed."""
        self.write("error", event, message, fields)

    def write(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        """Queue one line; the ids of the request being served are added to it."""
        if LEVELS[level] < self._threshold:
            return
        self._meter.count(catalog.LOG_RECORDS, level)
        request = context.current()
        if request is not None:
            fields.setdefault("request_id", request.request_id)
            if request.trace_id:
                fields.setdefault("trace_id", request.trace_id)
                fields.setdefault("span_id", request.span_id)
        try:
            self._queue.put_nowait((time.time_ns(), level, event, message, fields))
        except queue.Full:
            self._meter.count(catalog.LOG_DROPPED, "queue")

    def close(self) -> None:
        """Write what is queued, then stop; at most two seconds."""
        try:
            self._queue.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=2)

    def _drain(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < 500 and batch[-1] is not None:
                try:
                    batch.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            records = [record for record in batch if record is not None]
            if records:
                self._write_batch(records)
            if batch[-1] is None:
                break
        for sink in self._sinks.values():
            sink.close()

    def _write_batch(self, records: list[Record]) -> None:
        data = b"".join(line(self._meter.service, record) for record in records)
        for name, sink in self._sinks.items():
            try:
                sink.write(data)
            except (OSError, ValueError):  # a full disk; a closed pipe
                self._meter.count(catalog.LOG_DROPPED, name, by=len(records))


def line(service: str, record: Record) -> bytes:
    """One record as a line of JSON."""
    nanoseconds, level, event, message, fields = record
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    head = {
        "ts": f"{stamp}.{rest:09d}Z",
        "level": level,
        "service": service,
        "event": event,
        "message": message,
    }
    # ASCII only: a line break or a terminal escape in a name cannot begin a line of its own.
    return json.dumps(head | fields, default=str, separators=(",", ":")).encode() + b"\n"


class Sink(Protocol):
    """Where lines go."""

    def write(self, data: bytes) -> None:
        """Write whole lines; raises OSError or ValueError if they are lost."""

    def close(self) -> None:
        """Nothing more will come."""


class Stdout:
    """The standard output of the process."""

    def write(self, data: bytes) -> None:
        """Write and flush."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """Leave it open: it is not ours."""


class RotatingFile:
    """Append-only, renamed to ``.1`` (``.2`` …) when full: followers see rename and create."""

    def __init__(self, settings: LogSettings) -> None:
        if settings.file is None:
            raise ValueError("a rotating file needs a path")
        self._path = settings.file
        self._limit = settings.file_bytes
        self._keep = settings.file_count
        self._file: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Append ``data``; raises OSError, after which the next call opens the file anew."""
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab", buffering=0)
            if self._file.tell() and self._file.tell() + len(data) > self._limit:
                self._rotate()
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a later write opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotate(self) -> None:
        self.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                older.replace(self._path.with_name(f"{self._path.name}.{number + 1}"))
        self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._file = self._path.open("ab", buffering=0)


class LibraryHandler(logging.Handler):
    """Brings what libraries log through ``logging`` into the same stream."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a library's record under the event ``library``."""
        fields: dict[str, Any] = {"component": record.name}
        if record.exc_info:
            fields["stack"] = "".join(traceback.format_exception(*record.exc_info))
        level = record.levelname.lower()
        self._log.write(
            level if level in LEVELS else "info", "library", record.getMessage(), fields
        )


def capture_libraries(log: Log, level: int = logging.WARNING) -> None:
    """Send everything logged through ``logging`` at ``level`` or above to ``log``."""
    logging.basicConfig(level=level, handlers=[LibraryHandler(log)], force=True)
