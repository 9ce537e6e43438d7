"""Stock instrumentation for a FastAPI service, each as the library's documentation shows it."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from prometheus_fastapi_instrumentator import Instrumentator

SAMPLED = 0.05  # as ours samples

# Each request as a line of JSON, in a file as ours.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {
        "file": {
            "class": "logging.FileHandler",
            "filename": os.environ.get("LOG_FILE", "peer.log"),
            "formatter": "json",
            "delay": True,
        }
    },
    "root": {"handlers": ["file"], "level": "INFO"},
}


def instrument(app: FastAPI) -> None:
    """Traces of requests and statements, metrics at ``/metrics``."""
    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(SAMPLED),
        resource=Resource.create({"service.name": "fastapi"}),
    )
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    PsycopgInstrumentor().instrument()
    FastAPIInstrumentor.instrument_app(app)
    Instrumentator().instrument(app).expose(app)
