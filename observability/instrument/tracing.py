"""Tracing by OpenTelemetry's SDK: resource, ids, processor and exporter of one service.

The provider's own sampler is always on: what is sampled is decided at the gate, before there is
any span. What the environment says otherwise (OTEL_*) is read by the SDK.
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

QUEUE_SIZE = 2048  # spans on their way
BATCH = 64  # spans; to encode more at a stretch would hold up requests
SHUTDOWN_SECONDS = 2.0
TRACES_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """``endpoint``: the OTLP receiver, with its credentials if any; '' means no tracing.

    ``sampler`` and ``ratio``: OTEL_TRACES_SAMPLER and its argument, from 0 to 1.
    """

    endpoint: str = field(default="", repr=False)
    sampler: str = "parentbased_traceidratio"
    ratio: float = 0.05


class Tracing:
    """The tracer provider of a service, and its end. ``provider`` is None without a receiver."""

    def __init__(
        self, settings: TraceSettings, meter: Meter, log: Log, version: str = "", port: int = 0
    ) -> None:
        self.provider: TracerProvider | None = None
        if not settings.endpoint:
            return
        # Read when the ASGI instrumentation is made: the stable names, unless others are wanted.
        os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
        # Failures are counted and said once; the libraries would say them again and again.
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
        """Deliver what is queued, for two seconds at most: a receiver that hangs would have the
        SDK wait for twenty."""
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
    """What the spans are of; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word."""
    ours = {
        "service.name": service,
        "service.version": version,
        "service.instance.id": f"{socket.gethostname()}:{port}",
    }
    return Resource.create({**ours, **OTELResourceDetector().detect().attributes})


def _exporter(endpoint: str) -> SpanExporter:
    """The library's own; headers, timeout and compression are those of the environment."""
    return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + TRACES_PATH)
