"""Tail sampling: exports the traces of unsampled requests that failed or were slow.

The SDK makes their spans when the request is over, with their real times, under the ids that the
request's log lines already have.
"""

from __future__ import annotations

import time

from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanKind,
    StatusCode,
    set_span_in_context,
)
from starlette.types import Scope

from observability import catalog
from observability.catalog import Attribute
from observability.instrument import id_generator
from observability.instrument.attributes import ERROR_STATUS, answered, asked, span_name
from observability.instrument.context import SLOW_SECONDS, RequestContext
from observability.instrument.metrics import Meter
from observability.instrument.recording import Recorded, span_context

# Traces a second and process: tracing must not add to the load of an outage.
MOST_A_SECOND = 20


class Budget:
    """A rate limit: ``most`` in each second."""

    def __init__(self, most: int = MOST_A_SECOND) -> None:
        self._most = most
        self._second, self._taken = 0, 0

    def take(self) -> bool:
        """Take one; False if this second's are used up."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, 0
        if self._taken >= self._most:
            return False
        self._taken += 1
        return True


class TailSampling:
    """Makes spans of what was recorded of a request."""

    def __init__(self, provider: TracerProvider, meter: Meter) -> None:
        self._tracer = provider.get_tracer("minitwit")
        self._meter = meter
        self.budget = Budget()

    def finish(self, scope: Scope, request: RequestContext, started: int, seconds: float) -> bool:
        """Return whether the request became a trace. ``started``: nanoseconds since the epoch."""
        ended = started + round(seconds * 1e9)
        if not request.sampled:
            reason = why(request.status, seconds)
            if not reason:
                return False
            if not request.reserve():
                self._meter.count(catalog.TRACE_SPANS, "limited", by=1 + len(request.spans))
                return False
            self._server(scope, request, started, ended, reason)
        parent = NonRecordingSpan(span_context(request, int(request.span_id, 16)))
        inside = set_span_in_context(parent, Context())
        for recorded in request.spans:
            self._inner(request, recorded, inside, ended)
        return True

    def _server(
        self, scope: Scope, request: RequestContext, started: int, ended: int, reason: str
    ) -> None:
        """Make the server span that the ASGI instrumentation would have made."""
        parent = NonRecordingSpan(request.parent) if request.parent else INVALID_SPAN
        with id_generator.given(int(request.trace_id, 16), int(request.span_id, 16)):
            span = self._tracer.start_span(
                span_name(scope),
                set_span_in_context(parent, Context()),
                SpanKind.SERVER,
                asked(scope),
                start_time=started,
            )
        span.set_attribute(Attribute.STATUS, request.status)
        answered(span, scope, request, reason)
        if request.status >= ERROR_STATUS:
            span.set_status(StatusCode.ERROR)
        span.end(ended)

    def _inner(
        self, request: RequestContext, recorded: Recorded, parent: Context, ended: int
    ) -> None:
        with id_generator.given(int(request.trace_id, 16), recorded.span_id):
            span: Span = self._tracer.start_span(
                recorded.name,
                parent,
                recorded.kind,
                recorded.attributes,
                start_time=recorded.started,
            )
        if recorded.error:
            span.set_attribute(Attribute.ERROR_TYPE, recorded.error)
            span.set_status(StatusCode.ERROR)
        span.end(recorded.ended or ended)


def why(status: int, seconds: float) -> str:
    """Return why a request is sampled: ``error``, ``slow``, or '' if it is not."""
    if status >= ERROR_STATUS:
        return "error"
    return "slow" if seconds >= SLOW_SECONDS else ""
