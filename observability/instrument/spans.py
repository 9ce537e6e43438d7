"""The way of kept traces to an OTLP receiver: a bounded queue and a thread, like the log's to Loki.

Whatever the receiver does, only this thread waits for it. What finds no room or cannot be
delivered is dropped and counted; the log says so once when that begins and once when it is over.
"""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import chain
from json.encoder import encode_basestring_ascii as quoted
from typing import Any
from urllib.parse import unquote, urlsplit

from observability import catalog
from observability.catalog import Attribute
from observability.instrument.context import Call, new_span_id
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter
from observability.instrument.tracing import Kept

QUEUE_SIZE = 2_000  # requests
BATCH = 250  # requests
SLICE = 10  # of which spans are made at a stretch, holding the interpreter
PAUSE_SECONDS = 0.0002  # between two slices, for the requests
GATHER_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0  # without a byte
BUSY = (429, 502, 503, 504)  # the OTLP specification: worth another try
RETRY_SECONDS = (0.5, 1.0)
DRAIN_SECONDS = 2.0
TRACES_PATH = "/v1/traces"


class SpanSink:
    """Takes the notes of requests without ever waiting, and delivers them as spans."""

    def __init__(self, endpoint: str, meter: Meter, log: Log, version: str) -> None:
        self._meter, self._log = meter, log
        self._receiver = Receiver(endpoint)
        self._resource = Resource(meter.service, version)
        self._queue: queue.Queue[Kept] = queue.Queue(QUEUE_SIZE)
        self._stop = threading.Event()
        self._outage, self._dropped = False, 0
        self._pending, self._closed = 0, False  # spans taken and neither delivered nor dropped
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def put(self, kept: Kept) -> bool:
        """Queue one request's notes; False if there is no room."""
        count = 1 + len(kept.calls)
        try:
            self._queue.put_nowait(kept)
        except queue.Full:
            self._drop(count, "the queue is full")
            return False
        with self._lock:
            self._pending += count
        return True

    def close(self) -> None:
        """Deliver what is queued if that takes no longer than ``DRAIN_SECONDS``."""
        self._stop.set()
        self._thread.join(DRAIN_SECONDS)
        with self._lock:
            left, self._closed = self._pending, True
        if left:
            self._drop(left, "the process ends")

    def _run(self) -> None:
        while batch := self._gather():
            count = sum(1 + len(kept.calls) for kept in batch)
            good = self._receiver.deliver(self._resource.spans(batch), self._stop)
            with self._lock:
                if self._closed:  # these have been counted as lost
                    return
                self._pending -= count
            if good:
                self._meter.count(catalog.TRACE_SPANS, "exported", by=count)
                self._over()
            else:
                self._drop(count, "the receiver does not take them")

    def _gather(self) -> list[Kept]:
        """The next requests, up to a batch of them; none when it is time to end."""
        batch: list[Kept] = []
        while not batch and not (self._stop.is_set() and self._queue.empty()):
            try:
                batch.append(self._queue.get(timeout=GATHER_SECONDS / 5))
            except queue.Empty:
                continue
            if self._queue.qsize() < BATCH:
                self._stop.wait(GATHER_SECONDS)
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
        return batch

    def _drop(self, count: int, why: str) -> None:
        self._meter.count(catalog.TRACE_SPANS, "dropped", by=count)
        with self._lock:
            first, self._outage = not self._outage, True
            self._dropped += count
        if first:
            self._tell("warning", f"Spans are dropped: {why}", count)

    def _over(self) -> None:
        if self._outage and self._queue.qsize() < QUEUE_SIZE // 2:
            with self._lock:
                dropped, self._dropped, self._outage = self._dropped, 0, False
            self._tell("info", "Spans are delivered again; those lost are counted", dropped)

    def _tell(self, level: str, message: str, count: int) -> None:
        self._log.write(level, "trace_dropped", message, {"component": "otlp", "count": count})


class Receiver:
    """An OTLP receiver over HTTP; user and password may be part of its address."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._secure, self._address = parts.scheme == "https", (parts.hostname or "", parts.port)
        self._path = parts.path.rstrip("/") + TRACES_PATH
        self._headers = {"Content-Type": "application/json"}
        if parts.username:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + b64encode(user.encode()).decode()

    def deliver(self, body: bytes, stop: threading.Event) -> bool:
        """Whether it took the spans. Asked again while it says that it is busy."""
        for pause in (*RETRY_SECONDS, 0):
            status = self._post(body)
            if status not in BUSY:
                return 200 <= status < 300
            stop.wait(pause)
        return False

    def _post(self, body: bytes) -> int:
        """The status it answers with; 0 if it does not."""
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(*self._address, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", self._path, body, self._headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return 0
        finally:
            connection.close()
        return answer.status


class Resource:
    """A service, as whose spans the notes of requests are written down."""

    def __init__(self, service: str, version: str) -> None:
        named = _attributes({"service.name": service, "service.version": version})
        self._head = (
            f'{{"resourceSpans":[{{"resource":{{"attributes":[{named}]}},'
            '"scopeSpans":[{"scope":{"name":"minitwit"},"spans":['
        )

    def spans(self, batch: list[Kept]) -> bytes:
        """The spans of these requests as OTLP's JSON has them: ids in hexadecimal, whole numbers
        as text (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding)."""
        slices = []
        for at in range(0, len(batch), SLICE):
            if at:
                time.sleep(PAUSE_SECONDS)
            slices.append(",".join(map(_spans, batch[at : at + SLICE])))
        return f"{self._head}{','.join(slices)}]}}]}}]}}".encode()


def _spans(kept: Kept) -> str:
    server = _span(kept.server, kept.trace_id, kept.parent_id, _SERVER)
    parent = kept.server.span_id
    return ",".join([server, *(_span(one, kept.trace_id, parent, _CLIENT) for one in kept.calls)])


def _span(call: Call, trace_id: str, parent_id: str, kind: int) -> str:
    own = call.own | {Attribute.ERROR_TYPE: call.error} if call.error else call.own
    status = _FAILED if call.error else ""
    return (
        f'{{"traceId":"{trace_id}","spanId":"{call.span_id or new_span_id()}",'
        f'"parentSpanId":"{parent_id}","name":{quoted(call.name)},"kind":{kind},'
        f'"startTimeUnixNano":"{call.started}","endTimeUnixNano":"{call.ended}",'
        f'"attributes":[{_attributes(call.attributes, own)}]{status}}}'
    )


_SERVER, _CLIENT = 2, 3  # kinds of spans
_FAILED = ',"status":{"code":2}'


def _attributes(*given: Mapping[Any, str | int | float]) -> str:
    return ",".join(
        f'{{"key":"{name}","value":{{{_value(value)}}}}}'
        for name, value in chain.from_iterable(one.items() for one in given)
    )


def _value(value: str | int | float) -> str:
    if isinstance(value, str):
        return f'"stringValue":{quoted(value)}'
    if isinstance(value, bool):
        return f'"boolValue":{json.dumps(value)}'
    if isinstance(value, int):
        return f'"intValue":"{value}"'
    return f'"doubleValue":{value if math.isfinite(value) else _BEYOND[str(value)]}'


_BEYOND = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}
