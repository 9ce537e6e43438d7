"""JSON logs: one object a line, written by a thread of their own.

A request only puts a tuple on a bounded queue. When the queue is full or a sink fails, records
are dropped and counted; nothing ever waits for a disk or a pipe. The thread also takes out what
must not be seen, so no sink ever gets it.
"""

from __future__ import annotations

import fcntl
import json
import logging
import queue
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from observability import catalog, context, redaction
from observability.metrics import Meter

if TYPE_CHECKING:
    from observability.loki import LokiSink

QUEUE_SIZE = 10_000
WRITERS = 100  # replicas that may write logs into one folder
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
Record = tuple[int, str, str, str, dict[str, Any]]


class Line(NamedTuple):
    """A line of the log: when (nanoseconds), its fields, and as it is written."""

    nanoseconds: int
    fields: dict[str, Any]
    data: bytes


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where lines go. ``file_bytes`` is the size at which the file is renamed and begun anew;
    ``loki`` the address of a Loki to push to, with its credentials, if any."""

    level: str = "info"
    stdout: bool = True
    file: Path | None = None
    file_bytes: int = 50_000_000
    file_count: int = 3
    loki: str = field(default="", repr=False)


class Log:
    """The log of one service. Fields and events are those of the catalogue."""

    def __init__(self, settings: LogSettings, meter: Meter) -> None:
        self._threshold = LEVELS[settings.level]
        self._meter = meter
        self._queue: queue.Queue[Record | None] = queue.Queue(QUEUE_SIZE)
        self._sinks: dict[str, Sink] = {}
        self._loki: LokiSink | None = None
        if settings.loki:
            from observability.loki import LokiSink  # the library takes 6 MB

            self._loki = LokiSink(settings.loki, meter, self._tell)
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
        """Write what is queued, then stop; at most two seconds, and two more for Loki."""
        try:
            self._queue.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=2 + (self._loki.patience if self._loki else 0))

    def _drain(self) -> None:
        more = True
        while more:
            more = self._write_next(self._queue.get())
        if self._loki:
            self._loki.close()  # what it has to say of that is still written
            self._write_next(None)
        for sink in self._sinks.values():
            sink.close()

    def _write_next(self, first: Record | None) -> bool:
        """Write a record and what waits behind it; False at the end of the log."""
        batch = [first]
        while len(batch) < 500 and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        self._write_batch([record for record in batch if record is not None])
        return None not in batch

    def _write_batch(self, records: list[Record]) -> None:
        service = self._meter.service
        lines = [line(service, record) for record in records]
        if self._loki and not self._loki.closed:
            self._loki.write(lines)
        data = b"".join(line.data for line in lines)
        for name, sink in self._sinks.items():
            try:
                sink.write(data)
            except (OSError, ValueError):  # a full disk; a closed pipe
                self._meter.count(catalog.LOG_DROPPED, name, by=len(records))

    def _tell(self, level: str, message: str, count: int) -> None:
        self.write(level, "log_dropped", message, {"component": "loki", "count": count})


def line(service: str, record: Record) -> Line:
    """One record as a line of JSON, without secrets."""
    try:
        return _line(service, record)
    except Exception as error:  # an object that cannot be shown must not end the log
        what = f"A record could not be written: {type(error).__name__}"
        return _line(service, (*record[:3], what, {}))


def _line(service: str, record: Record) -> Line:
    nanoseconds, level, event, message, given = record
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    head = {"ts": f"{stamp}.{rest:09d}Z", "level": level, "service": service}
    fields = head | redaction.fields({"event": event, "message": message, **given})
    # ASCII only: a line break or a terminal escape in a name cannot begin a line of its own.
    data = json.dumps(fields, default=str, separators=(",", ":")).encode() + b"\n"
    return Line(nanoseconds, fields, data)


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
    """Append-only, renamed to ``.1`` (``.2`` …) when full: followers see rename and create.

    Replicas may be given the same path: a file has one writer, the next one takes ``NAME-2.log``.
    """

    def __init__(self, settings: LogSettings) -> None:
        if settings.file is None:
            raise ValueError("a rotating file needs a path")
        self._wanted = settings.file
        self._path = settings.file
        self._limit = settings.file_bytes
        self._keep = settings.file_count
        self._file: BinaryIO | None = None
        self._lock: BinaryIO | None = None

    def write(self, data: bytes) -> None:
        """Append ``data``; raises OSError, after which the next call opens the file anew."""
        try:
            if self._file is None:
                self._claim()
                self._file = self._path.open("ab", buffering=0)
            if self._file.tell() and self._file.tell() + len(data) > self._limit:
                self._rotate()
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self._close_file()
            raise

    def close(self) -> None:
        """Close the file and leave it to others."""
        self._close_file()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _claim(self) -> None:
        """Take the first name that no other process writes to; a device or pipe is for all."""
        self._wanted.parent.mkdir(parents=True, exist_ok=True)
        if self._lock or (self._wanted.exists() and not self._wanted.is_file()):
            return
        for number in range(1, WRITERS + 1):
            stem = f"{self._wanted.stem}-{number}" if number > 1 else self._wanted.stem
            self._path = self._wanted.with_stem(stem)
            lock = self._path.with_name(f"{self._path.name}.lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
            else:
                self._lock = lock
                return
        raise OSError(f"{WRITERS} other processes write to {self._wanted}")

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rotate(self) -> None:
        self._close_file()
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
        try:
            message = record.getMessage()
        except Exception:  # arguments that do not fit must not fail the request
            message = str(record.msg)
        level = record.levelname.lower()
        self._log.write(level if level in LEVELS else "info", "library", message, fields)


def capture_libraries(log: Log, level: int = logging.WARNING) -> None:
    """Send everything logged through ``logging`` at ``level`` or above to ``log``."""
    logging.basicConfig(level=level, handlers=[LibraryHandler(log)], force=True)
