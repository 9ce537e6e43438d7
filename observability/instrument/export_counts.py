"""Counts exported and dropped spans; each span is counted once.

The SDK's processor drops silently when its queue is full, so a slot is taken here first. The log
reports once when drops begin and once when they are over.
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
    """The spans in the export queue, of ``most``, and what became of the others."""

    def __init__(self, most: int, meter: Meter, log: Log) -> None:
        self._most, self._meter, self._log = most, meter, log
        self._lock = threading.Lock()
        self._pending, self._dropped, self._ended = 0, 0, False

    def take(self) -> bool:
        """Take a slot for one span; if none is free, count a drop."""
        with self._lock:
            taken = self._pending < self._most and not self._ended
            self._pending += taken
        if not taken:
            self._drop(1, "the queue is full")
        return taken

    def settle(self, count: int, delivered: bool) -> None:
        """Count spans as exported or as dropped."""
        with self._lock:
            if self._ended:  # already counted as dropped
                return
            self._pending -= count
        if delivered:
            self._meter.count(catalog.TRACE_SPANS, "exported", by=count)
            self._over()
        else:
            self._drop(count, "the collector does not accept them")

    def end(self) -> None:
        """Count the spans still in the queue as dropped."""
        with self._lock:
            left, self._pending, self._ended = self._pending, 0, True
        if left:
            self._drop(left, "the process is stopping")

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
        self._tell("info", "Spans are exported again; dropped ones are counted", dropped)

    def _tell(self, level: str, message: str, count: int) -> None:
        self._log.write(level, "trace_dropped", message, {"component": "otlp", "count": count})


class CountingExporter(SpanExporter):
    """A span exporter that counts the results of another one."""

    def __init__(self, exporter: SpanExporter, counts: ExportCounts) -> None:
        self._exporter, self._counts = exporter, counts

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._counts.settle(len(spans), result is SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Stop retrying."""
        self._exporter.shutdown()


class CountingProcessor(SpanProcessor):
    """A span processor that passes spans on while the queue has free slots."""

    def __init__(self, processor: SpanProcessor, counts: ExportCounts) -> None:
        self._processor, self._counts = processor, counts

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Pass the span on."""
        self._processor.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Queue an ended span, or drop it."""
        if self._counts.take():
            self._processor.on_end(span)

    def shutdown(self) -> None:
        """Export what is queued, and stop."""
        self._processor.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Export what is queued now."""
        return self._processor.force_flush(timeout_millis)
