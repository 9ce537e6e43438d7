"""Tracing by OpenTelemetry's SDK: resource, ids, processor and exporter of a service.

The provider's own sampler is always on: head sampling decides before there is any span. The SDK
reads the other OTEL_* variables itself.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from dataclasses import dataclass, field

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from observability.instrument.export_counts import CountingExporter, CountingProcessor, ExportCounts
from observability.instrument.id_generator import RequestIdGenerator
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter

QUEUE_SIZE = 2048  # spans
BATCH = 64  # spans; encoding more at a time would delay requests
SHUTDOWN_SECONDS = 2.0
TRACES_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Settings of tracing.

    ``endpoint`` is the OTLP collector's URL, with credentials if any; '' means no tracing.
    ``sampler`` and ``ratio`` are OTEL_TRACES_SAMPLER and its argument, from 0 to 1.
    """

    endpoint: str = field(default="", repr=False)
    sampler: str = "parentbased_traceidratio"
    ratio: float = 0.05


class Tracing:
    """The tracer provider of a service; ``provider`` is None without a collector."""

    def __init__(
        self, settings: TraceSettings, meter: Meter, log: Log, version: str = "", port: int = 0
    ) -> None:
        self.provider: TracerProvider | None = None
        if not settings.endpoint:
            return
        # Read when the ASGI instrumentation is created: use the stable attribute names by default.
        os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
        # Failures are counted and logged once; the libraries would log each of them.
        for library in ("opentelemetry.exporter", "opentelemetry.sdk.trace.export", "urllib3"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        self._counts = ExportCounts(QUEUE_SIZE, meter, log)
        self.provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource(meter.service, version, port),
            id_generator=RequestIdGenerator(),
            shutdown_on_exit=False,
        )
        self.provider.add_span_processor(self._processor(_exporter(settings.endpoint)))

    def close(self) -> None:
        """Export what is queued, within two seconds.

        The SDK alone would wait twenty seconds for a collector that hangs.
        """
        if self.provider is None:
            return
        thread = threading.Thread(target=self.provider.shutdown, name="spans", daemon=True)
        thread.start()
        thread.join(SHUTDOWN_SECONDS)
        self._counts.end()

    def _processor(self, exporter: SpanExporter) -> CountingProcessor:
        batches = BatchSpanProcessor(
            CountingExporter(exporter, self._counts),
            max_queue_size=QUEUE_SIZE,
            max_export_batch_size=BATCH,
        )
        return CountingProcessor(batches, self._counts)


def resource(service: str, version: str, port: int) -> Resource:
    """Return the resource; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence."""
    ours = {
        "service.name": service,
        "service.version": version,
        "service.instance.id": f"{socket.gethostname()}:{port}",
    }
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def _exporter(endpoint: str) -> SpanExporter:
    """Return the OTLP exporter; it reads headers, timeout and compression by itself."""
    return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + TRACES_PATH)
