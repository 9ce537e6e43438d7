"""Pushes log lines to Loki through python-logging-loki, where Promtail follows no file.

The library builds the streams and holds the session. A queue and a thread around it keep callers
from waiting for Loki: lines that do not fit into the queue are dropped and counted. The log
reports once when an outage begins and once when it is over.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from logging_loki.emitter import LokiEmitter

from observability import catalog
from observability.instrument.log_line import Line
from observability.instrument.metrics import Meter

QUEUE_SIZE = 10_000  # lines
BATCH = 250  # lines in a push; encoding them holds the GIL for about a millisecond
GATHER_SECONDS = 0.3
TIMEOUT = (1.0, 3.0)  # seconds to connect, and to wait for a byte
RETRY_SECONDS = (0.5, 1, 2, 5)
DRAIN_SECONDS = 1.5  # less than ``Log.close`` waits
PUSH_PATH = "/loki/api/v1/push"
# The same labels and structured metadata as Promtail's.
JOB = "minitwit"
LABELS = ["service", "level", "event"]
METADATA = ("trace_id", "request_id", "route")


def emitter(url: str) -> LokiEmitter:
    """Return the library's emitter; ``url`` may hold credentials and a path."""
    parts = urlsplit(url)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    host = parts.netloc.rpartition("@")[2]
    path = parts.path if parts.path.strip("/") else PUSH_PATH
    return LokiEmitter(
        f"{parts.scheme}://{host}{path}",
        tags={"job": JOB},
        auth=auth,
        props_to_labels=LABELS,
        level_tag=None,  # both are among our own labels
        logger_tag=None,
        timeout=TIMEOUT,
    )


class Push:
    """Queues lines without waiting, and delivers them from a thread."""

    def __init__(self, url: str, meter: Meter, tell: Callable[[str, str, int], None]) -> None:
        """Start the thread.

        ``tell`` gets a level, a sentence and the number of lines dropped in this outage.
        """
        self._emitter = emitter(url)
        self._meter, self._tell = meter, tell
        self._queue: queue.Queue[Line] = queue.Queue(QUEUE_SIZE)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._outage, self._dropped, self._pushing = False, 0, 0
        self._thread = threading.Thread(target=self._run, name="loki", daemon=True)
        self._thread.start()

    def put(self, lines: list[Line]) -> None:
        """Queue lines; drop and count those that do not fit or come after ``close``."""
        if self._stop.is_set():
            return
        for number, line in enumerate(lines):
            try:
                self._queue.put_nowait(line)
            except queue.Full:
                self._drop(len(lines) - number, "the queue is full")
                return

    def close(self) -> None:
        """Deliver what is queued, within ``DRAIN_SECONDS``."""
        self._stop.set()
        self._thread.join(DRAIN_SECONDS)
        if left := self._queue.qsize() + self._pushing:
            self._drop(left, "the process is stopping")
        if self._dropped:
            self._tell("warning", "Loki did not get all of the log", self._dropped)

    def _run(self) -> None:
        while lines := self._gather():
            self._pushing = len(lines)
            self._deliver(lines)
            self._pushing = 0
        self._emitter.close()

    def _gather(self) -> list[Line]:
        """Return the next lines, up to a batch; none when it is time to end."""
        while self._queue.empty():
            if self._stop.wait(GATHER_SECONDS) and self._queue.empty():
                return []
        if self._queue.qsize() < BATCH:
            self._stop.wait(GATHER_SECONDS)
        return [self._queue.get_nowait() for _ in range(min(self._queue.qsize(), BATCH))]

    def _deliver(self, lines: list[Line]) -> None:
        payload = self._payload(lines)
        tries = 0
        while True:
            fault, again = self._post(payload)
            if not fault:
                self._recovered()
                return
            if not again or self._stop.is_set():
                self._drop(len(lines), fault)
                return
            self._fail(fault)
            self._stop.wait(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1

    def _payload(self, lines: list[Line]) -> dict[str, Any]:
        """Return the lines as streams, with the time at which each was logged.

        The library would use the time of the push: a line that waited would be misplaced, and one
        pushed twice would be duplicated.
        """
        streams = []
        for line in lines:
            record = logging.makeLogRecord({name: line.fields[name] for name in LABELS})
            [stream] = self._emitter.build_payload(record, line.text.rstrip("\n"))["streams"]
            [[_, text]] = stream["values"]
            metadata = {name: str(line.fields[name]) for name in METADATA if name in line.fields}
            streams.append({**stream, "values": [[str(line.nanoseconds), text, metadata]]})
        return {"streams": streams}

    def _post(self, payload: dict[str, Any]) -> tuple[str, bool]:
        """Return the error ('' if none) and whether a retry makes sense."""
        try:
            answer = self._emitter.session.post(
                self._emitter.url, json=payload, timeout=self._emitter.timeout
            )
        except requests.RequestException as error:  # its message would contain the URL
            return type(error).__name__, True
        status = answer.status_code
        return "" if answer.ok else f"status {status}", status == 429 or status >= 500

    def _drop(self, count: int, why: str) -> None:
        self._meter.count(catalog.LOG_DROPPED, "loki", by=count)
        with self._lock:
            self._dropped += count
        self._fail(why)

    def _fail(self, why: str) -> None:
        with self._lock:
            first, self._outage = not self._outage, True
        if first:
            self._tell("warning", f"Loki does not take the log: {why}", self._dropped)

    def _recovered(self) -> None:
        # While the queue is more than half full, Loki is too slow: the outage goes on.
        if self._outage and self._queue.qsize() < QUEUE_SIZE // 2:
            with self._lock:
                dropped, self._dropped, self._outage = self._dropped, 0, False
            self._tell("info", "Loki takes the log again; lines lost are counted", dropped)
