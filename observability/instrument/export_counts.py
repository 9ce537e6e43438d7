"""Counts the spans on their way to the receiver: each is delivered or dropped, and none twice.

The SDK's processor drops without a word when its queue is full, so that a place in it is taken
here first. The log says once when drops begin and once when they are over.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from observability import catalog
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter


class ExportCounts:
    """How many spans are on their way, of ``most``; what became of the others."""

    def __init__(self, most: int, meter: Meter, log: Log) -> None:
        self._most, self._meter, self._log = most, meter, log
        self._lock = threading.Lock()
        self._pending, self._dropped, self._ended = 0, 0, False

    def take(self) -> bool:
        """Take a place for one span; False, and counted as dropped, if there is none."""
        with self._lock:
            taken = self._pending < self._most and not self._ended
            self._pending += taken
        if not taken:
            self._drop(1, "the queue is full")
        return taken

    def settle(self, count: int, delivered: bool) -> None:
        """So many spans were delivered, or refused."""
        with self._lock:
            if self._ended:  # these were counted as dropped
                return
            self._pending -= count
        if delivered:
            self._meter.count(catalog.TRACE_SPANS, "exported", by=count)
            self._over()
        else:
            self._drop(count, "the receiver does not take them")

    def end(self) -> None:
        """Count what is still on its way as dropped."""
        with self._lock:
            left, self._pending, self._ended = self._pending, 0, True
        if left:
            self._drop(left, "the process ends")

    def _drop(self, count: int, why: str) -> None:
        self._meter.count(catalog.TRACE_SPANS, "dropped", by=count)
        with self._lock:
            first = not self._dropped
            self._dropped += count
        if first:
            self._tell("warning", f"Spans are dropped: {why}", count)

    def _over(self) -> None:
        with self._lock:
            if not self._dropped or self._pending > self._most // 2:
                return
            dropped, self._dropped = self._dropped, 0
        self._tell("info", "Spans are delivered again; those lost are counted", dropped)

    def _tell(self, level: str, message: str, count: int) -> None:
        self._log.write(level, "trace_dropped", message, {"component": "otlp", "count": count})


class CountingExporter(SpanExporter):
    """Another exporter, whose results are counted."""

    def __init__(self, exporter: SpanExporter, counts: ExportCounts) -> None:
        self._exporter, self._counts = exporter, counts

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver a batch."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._counts.settle(len(spans), result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Give up what is being tried."""
        self._exporter.shutdown()


class CountingProcessor(SpanProcessor):
    """Another processor, which gets a span only where there is a place for it."""

    def __init__(self, processor: SpanProcessor, counts: ExportCounts) -> None:
        self._processor, self._counts = processor, counts

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Pass it on."""
        self._processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span that is complete, or drop it."""
        if self._counts.take():
            self._processor.on_end(span)

    def shutdown(self) -> None:
        """Deliver what is queued."""
        self._processor.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what is queued now."""
        return self._processor.force_flush(timeout_millis)
