"""The direct path to Loki, for where no Promtail follows the file: a sink with a queue of its own.

Whatever Loki does, only this sink's thread waits for it. What does not fit into the queue
meanwhile is dropped and counted; the log says so once when that begins and once when it is over.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any
from urllib.parse import unquote, urlsplit

from logging_loki.emitter import LokiEmitter, LokiPushError

from observability import catalog
from observability.instrument.lines import Line
from observability.instrument.metrics import Meter

QUEUE_SIZE = 10_000
# Small enough that encoding a batch, which holds the interpreter, takes about a millisecond.
BATCH = 250
GATHER_SECONDS = 0.3
TIMEOUT = (1.0, 3.0)  # seconds to connect, and to wait for a byte
RETRY_SECONDS = (0.5, 1, 2, 5)
DRAIN_SECONDS = 2.0
PUSH_PATH = "/loki/api/v1/push"
LABELS = ("service", "level", "event")
METADATA = ("trace_id", "request_id", "route")


class Emitter(LokiEmitter):  # type: ignore[misc]  # the library has no types
    """The library's way to Loki, with the record's own time and with structured metadata."""

    def __init__(self, url: str) -> None:
        """``url`` may hold user and password, and the path where it is not Loki's own."""
        parts = urlsplit(url)
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        host = parts.netloc.rpartition("@")[2]
        path = parts.path if parts.path.strip("/") else PUSH_PATH
        super().__init__(f"{parts.scheme}://{host}{path}", auth=auth, timeout=TIMEOUT)

    def build_payload(self, record: Line, line: str) -> dict[str, Any]:
        """One line as a stream of the push API."""
        labels = {name: str(record.fields[name]) for name in LABELS}
        metadata = {name: str(record.fields[name]) for name in METADATA if name in record.fields}
        return {"streams": [{"stream": labels, "values": [[str(record[0]), line, metadata]]}]}

    def push(self, lines: list[Line]) -> tuple[str, bool]:
        """What is wrong ('' if nothing) and whether to try again makes sense."""
        try:
            self.emit_batch([(line, line.data.decode().rstrip("\n")) for line in lines])
        except LokiPushError as error:
            status = error.status_code
            good = 200 <= status < 300  # the library takes 204 only; a proxy may say 200
            return "" if good else f"status {status}", status == 429 or status >= 500
        except Exception as error:  # its message would name the address
            return type(error).__name__, True
        return "", False


class LokiSink:
    """Takes lines without ever waiting, and delivers them from a thread."""

    patience = DRAIN_SECONDS  # how long ``close`` may take

    def __init__(self, url: str, meter: Meter, tell: Callable[[str, str, int], None]) -> None:
        """``tell`` gets a level, a sentence and the number of lines dropped in this outage."""
        self._emitter = Emitter(url)
        self._meter, self._tell = meter, tell
        self._queue: queue.Queue[Line] = queue.Queue(QUEUE_SIZE)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._outage, self._dropped, self._pushing = False, 0, 0
        self._thread = threading.Thread(target=self._run, name="loki", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether it takes nothing more."""
        return self._stop.is_set()

    def write(self, lines: list[Line]) -> None:
        """Queue the lines, or drop what does not fit."""
        for number, line in enumerate(lines):
            try:
                self._queue.put_nowait(line)
            except queue.Full:
                self._drop(len(lines) - number, "its queue is full")
                return

    def close(self) -> None:
        """Deliver what is queued if that takes no longer than ``DRAIN_SECONDS``."""
        self._stop.set()
        self._thread.join(DRAIN_SECONDS)
        if left := self._queue.qsize() + self._pushing:
            self._drop(left, "the process ends")
        if self._dropped:
            self._tell("warning", "Loki did not get all of the log", self._dropped)

    def _run(self) -> None:
        while lines := self._gather():
            self._pushing = len(lines)
            self._deliver(lines)
            self._pushing = 0
        self._emitter.close()

    def _gather(self) -> list[Line]:
        """The next lines, up to a batch of them; none when it is time to end."""
        lines: list[Line] = []
        while not lines and not (self._stop.is_set() and self._queue.empty()):
            try:
                lines.append(self._queue.get(timeout=GATHER_SECONDS))
            except queue.Empty:
                continue
            if self._queue.qsize() < BATCH:
                self._stop.wait(GATHER_SECONDS)
            while len(lines) < BATCH and not self._queue.empty():
                lines.append(self._queue.get_nowait())
        return lines

    def _deliver(self, lines: list[Line]) -> None:
        for pause in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
            fault, again = self._emitter.push(lines)
            if not fault:
                self._over()
                return
            if not again or self._stop.is_set():
                self._drop(len(lines), fault)
                return
            self._began(fault)
            self._stop.wait(pause)

    def _drop(self, count: int, why: str) -> None:
        self._meter.count(catalog.LOG_DROPPED, "loki", by=count)
        with self._lock:
            self._dropped += count
        self._began(why)

    def _began(self, why: str) -> None:
        with self._lock:
            first, self._outage = not self._outage, True
        if first:
            self._tell("warning", f"Loki does not take the log: {why}", self._dropped)

    def _over(self) -> None:
        # A Loki that is merely too slow takes a batch now and then: that is not yet the end of it.
        if self._outage and self._queue.qsize() < QUEUE_SIZE // 2:
            with self._lock:
                dropped, self._dropped, self._outage = self._dropped, 0, False
            self._tell("info", "Loki takes the log again; lines lost are counted", dropped)
