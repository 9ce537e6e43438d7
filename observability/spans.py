"""The way of kept traces to an OTLP receiver: a bounded queue and a thread, like the log's to Loki.

Whatever the receiver does, only this thread waits for it. What finds no room or cannot be
delivered is dropped and counted; the log says so once when that begins and once when it is over.
"""

from __future__ import annotations

import queue
import threading
from base64 import b64encode
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import unquote, urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from observability import catalog
from observability.catalog import Attribute
from observability.context import Call
from observability.logs import Log
from observability.metrics import Meter
from observability.tracing import Kept, new_span_id

QUEUE_SIZE = 2_000  # requests
BATCH = 50  # requests: making spans of them holds the interpreter for some milliseconds
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
        self._headers = {"Content-Type": "application/x-protobuf"}
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
        self._named = _attributes({"service.name": service, "service.version": version})

    def spans(self, batch: list[Kept]) -> bytes:
        """The spans of these requests, as the protocol has them."""
        message = ExportTraceServiceRequest()
        group = message.resource_spans.add()
        group.resource.attributes.extend(self._named)
        scope = group.scope_spans.add()
        scope.scope.name = "minitwit"
        for kept in batch:
            trace_id = bytes.fromhex(kept.trace_id)
            server_id = bytes.fromhex(kept.server.span_id)
            parent_id = bytes.fromhex(kept.parent_id)
            scope.spans.append(_span(kept.server, trace_id, parent_id, Span.SPAN_KIND_SERVER))
            for call in kept.calls:
                scope.spans.append(_span(call, trace_id, server_id, Span.SPAN_KIND_CLIENT))
        return bytes(message.SerializeToString())


def _span(call: Call, trace_id: bytes, parent_id: bytes, kind: Span.SpanKind.ValueType) -> Span:
    own = call.own | {Attribute.ERROR_TYPE: call.error} if call.error else call.own
    return Span(
        trace_id=trace_id,
        span_id=bytes.fromhex(call.span_id or new_span_id()),
        parent_span_id=parent_id,
        name=call.name,
        kind=kind,
        start_time_unix_nano=call.started,
        end_time_unix_nano=call.ended,
        attributes=[*_attributes(call.attributes), *_attributes(own)],
        status=_FAILED if call.error else None,
    )


_FAILED = Status(code=Status.STATUS_CODE_ERROR)


def _attributes(given: Mapping[Any, str | int | float]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in given.items()]


def _value(value: str | int | float) -> AnyValue:
    if isinstance(value, str):
        return AnyValue(string_value=value)
    return AnyValue(int_value=value) if isinstance(value, int) else AnyValue(double_value=value)
