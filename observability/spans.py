"""The way of kept traces to an OTLP receiver: a bounded queue and a thread, like the log's to Loki.

Whatever the receiver does, only this thread waits for it. What finds no room or cannot be
delivered is dropped and counted; the log says so once when that begins and once when it is over.
"""

from __future__ import annotations

import logging
import queue
import threading

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode

from observability import catalog
from observability.catalog import Attribute
from observability.context import Call
from observability.logs import Log
from observability.metrics import Meter
from observability.tracing import Kept

QUEUE_SIZE = 2_000  # requests
BATCH = 50  # requests: making spans of them holds the interpreter for some milliseconds
GATHER_SECONDS = 1.0
TIMEOUT_SECONDS = 5.0  # for a batch, with the exporter's own retries
DRAIN_SECONDS = 2.0
TRACES_PATH = "/v1/traces"


class SpanSink:
    """Takes the notes of requests without ever waiting, and delivers them as spans."""

    def __init__(self, endpoint: str, meter: Meter, log: Log, version: str) -> None:
        self._meter, self._log = meter, log
        # It says of each batch that it failed; we say it once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = OTLPSpanExporter(
            endpoint.rstrip("/") + TRACES_PATH, timeout=TIMEOUT_SECONDS
        )
        self._maker = SpanMaker(meter.service, version)
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
            self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _run(self) -> None:
        while batch := self._gather():
            spans = self._maker.spans(batch)
            good = self._exporter.export(spans) is SpanExportResult.SUCCESS
            with self._lock:
                if self._closed:  # these have been counted as lost
                    return
                self._pending -= len(spans)
            if good:
                self._meter.count(catalog.TRACE_SPANS, "exported", by=len(spans))
                self._over()
            else:
                self._drop(len(spans), "the receiver does not take them")
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

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


class SpanMaker:
    """Makes spans, with ids and times of the past, from the notes of requests; one thread only."""

    def __init__(self, service: str, version: str) -> None:
        named = {"service.name": service, "service.version": version}
        self._ids, self._ended = _Ids(), _Ended()
        provider = TracerProvider(
            ALWAYS_ON, Resource.create(named), shutdown_on_exit=False, id_generator=self._ids
        )
        provider.add_span_processor(self._ended)
        self._tracer = provider.get_tracer("minitwit")

    def spans(self, batch: list[Kept]) -> list[ReadableSpan]:
        """The spans of these requests."""
        for kept in batch:
            self._ids.trace_id = int(kept.trace_id, 16)
            self._make(kept.server, kept.parent_id, SpanKind.SERVER)
            for call in kept.calls:
                self._make(call, kept.server.span_id, SpanKind.CLIENT)
        made, self._ended.spans = self._ended.spans, []
        return made

    def _make(self, call: Call, parent_id: str, kind: SpanKind) -> None:
        self._ids.span_id = int(call.span_id, 16)
        span = self._tracer.start_span(
            call.name,
            self._within(parent_id),
            kind,
            {str(name): value for name, value in call.attributes.items()},
            start_time=call.started,
        )
        if Attribute.ERROR_TYPE in call.attributes:
            span.set_status(Status(StatusCode.ERROR))
        span.end(call.ended)

    def _within(self, parent_id: str) -> Context:
        if not parent_id:
            return Context()
        parent = SpanContext(self._ids.trace_id, int(parent_id, 16), is_remote=True)
        return trace.set_span_in_context(NonRecordingSpan(parent), Context())


class _Ids(IdGenerator):
    """Gives the ids that the request had."""

    trace_id = span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


class _Ended(SpanProcessor):
    """Collects what has ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)
