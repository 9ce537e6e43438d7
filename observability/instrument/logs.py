"""JSON logs: one object a line, written by a thread of their own.

A request only puts a tuple on a bounded queue. When the queue is full or a sink fails, records are
dropped and counted; nothing ever waits for a disk or a pipe. What must not be seen is taken out
before any sink gets it. The thread does all that, but for the lines of requests under load: those
the event loop makes, many at a time.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from observability import catalog
from observability.instrument import access, context, lines
from observability.instrument.access import Access
from observability.instrument.lines import Line, Record
from observability.instrument.metrics import Meter
from observability.instrument.sinks import RotatingFile, Sink, Stdout

if TYPE_CHECKING:
    from observability.instrument.loki import LokiSink

QUEUE_SIZE = 10_000
GATHER_SECONDS = 0.05
SLICE = 50  # lines made at a stretch
PAUSE_SECONDS = 0.0002  # between two slices, for the requests
AT_ONCE = 64  # requests that wait: under such a load the event loop makes their lines itself
T = TypeVar("T", Record, Access)
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


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
        self._waiting: deque[Record] = deque()
        self._served: deque[Access] = deque()
        self._made: deque[tuple[int, bytes]] = deque()  # so many lines
        self._stop = threading.Event()
        self._sinks: dict[str, Sink] = {}
        self._loki: LokiSink | None = None
        if settings.loki:
            from observability.instrument.loki import LokiSink  # the library takes 6 MB

            self._loki = LokiSink(settings.loki, meter, self._tell)
        if settings.stdout:
            self._sinks["stdout"] = Stdout()
        if settings.file:
            self._sinks["file"] = RotatingFile(
                settings.file, settings.file_bytes, settings.file_count
            )
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
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
        request = context.current()
        if request is not None:
            fields.setdefault("request_id", request.request_id)
            if request.trace_id:
                fields.setdefault("trace_id", request.trace_id)
                fields.setdefault("span_id", request.span_id)
        self._put((time.time_ns(), level, event, message, fields), level)

    def wants(self, level: str) -> bool:
        """Whether lines of that level are written."""
        return LEVELS[level] >= self._threshold

    def request(self, access: Access) -> None:
        """Queue a request that was served, of a level that is wanted; for the event loop."""
        if len(self._served) < QUEUE_SIZE:
            self._served.append(access)
            if len(self._served) >= AT_ONCE and not self._loki:
                self._make_lines()
        else:
            self._full(access[1].level)

    def _make_lines(self) -> None:
        """Make the lines of many requests at once, where all is at hand that it takes: a thread
        that did it would stop the requests for longer, and begin with cold caches each time."""
        if len(self._made) < QUEUE_SIZE // AT_ONCE:
            records = take(self._served, AT_ONCE)
            self._made.append(self._lines(records))

    def _put(self, record: Record, level: str) -> None:
        if len(self._waiting) < QUEUE_SIZE:
            self._waiting.append(record)
        else:
            self._full(level)

    def _full(self, level: str) -> None:
        self._meter.count(catalog.LOG_RECORDS, level)
        self._meter.count(catalog.LOG_DROPPED, "queue")

    def close(self) -> None:
        """Write what is queued, then stop; at most two seconds, and two more for Loki."""
        self._stop.set()
        self._thread.join(timeout=2 + (self._loki.patience if self._loki else 0))

    def _run(self) -> None:
        """Look twenty times a second. A thread that is woken for each line, or makes many at a
        stretch, takes the interpreter away from requests that are being served."""
        while not self._stop.wait(GATHER_SECONDS):
            self._write_waiting(PAUSE_SECONDS)
        self._write_all()
        if self._loki:
            self._loki.close()  # what it has to say of that is still written
            self._write_all()
        for sink in self._sinks.values():
            sink.close()

    def _write_all(self) -> None:
        while self._made or self._served or self._waiting:
            self._write_waiting()

    def _write_waiting(self, pause: float = 0) -> None:
        """What waits by now. What comes meanwhile waits for the next time, or this would never
        end while there is load, and take the interpreter thousands of times a second."""
        made, served = len(self._made), len(self._served)
        # What was said while a request was served waits since before its own line, counted above:
        # it comes first in the log as well.
        self._write_from(self._waiting, len(self._waiting), pause)
        for _ in range(made):
            self._write(*self._made.popleft())
        self._write_from(self._served, served, pause)

    def _write_from(self, waiting: deque[T], left: int, pause: float) -> None:
        while left > 0 and (records := take(waiting, min(left, SLICE))):
            if self._loki and not self._loki.closed:
                self._loki.write([line(self._meter.service, record) for record in records])
            self._write(*self._lines(records))
            left -= len(records)
            if left:
                time.sleep(pause)

    def _lines(self, records: Sequence[Record | Access]) -> tuple[int, bytes]:
        """How many, and the lines themselves."""
        # The second part of a record is its level, or the kind of request that has one.
        for of, count in Counter([record[1] for record in records]).items():
            level = of if isinstance(of, str) else of.level
            self._meter.count(catalog.LOG_RECORDS, level, by=count)
        return len(records), b"".join([written(self._meter.service, one) for one in records])

    def _write(self, count: int, data: bytes) -> None:
        for name, sink in self._sinks.items():
            try:
                sink.write(data)
            except (OSError, ValueError):  # a full disk; a closed pipe
                self._meter.count(catalog.LOG_DROPPED, name, by=count)

    def _tell(self, level: str, message: str, count: int) -> None:
        self.write(level, "log_dropped", message, {"component": "loki", "count": count})


def take(waiting: deque[T], count: int) -> list[T]:
    """So many of those that wait, or fewer: the event loop and the thread both take some."""
    taken: list[T] = []
    with suppress(IndexError):
        while len(taken) < count:
            taken.append(waiting.popleft())
    return taken


def written(service: str, record: Record | Access) -> bytes:
    """One record as a line of JSON, without secrets."""
    if isinstance(record[1], str) or not (data := access.line(record)):
        data = line(service, record).data
    return data


def line(service: str, record: Record | Access) -> Line:
    """One record with its fields, cleaned, and as a line of JSON."""
    return lines.line(service, record if isinstance(record[1], str) else access.record(record))


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
