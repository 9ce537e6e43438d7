"""Records spans inside a request; the SDK makes them when the request is over.

Whether a request fails or is slow is known only at its end. Each statement and each call is
therefore recorded, which is cheap, and becomes a span if the request is sampled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from observability.instrument import context
from observability.instrument.context import RequestContext, new_span_id

Attributes = dict[str, str | int | float]
_PROPAGATOR = TraceContextTextMapPropagator()


@dataclass(slots=True)
class Recorded:
    """A recorded span. Times are nanoseconds since the epoch; ``error`` is '' or its type."""

    name: str
    attributes: Attributes
    kind: SpanKind
    span_id: int = field(default_factory=new_span_id)
    started: int = field(default_factory=time.time_ns)
    ended: int = 0
    error: str = ""


@contextmanager
def span(name: str, attributes: Attributes, kind: SpanKind = SpanKind.CLIENT) -> Iterator[Recorded]:
    """Record a span of the request being served while the block runs.

    ``attributes`` are copied: the block may add to those of the result.
    """
    recorded = Recorded(name, dict(attributes), kind)
    request = context.current()
    if request is not None:
        request.spans.append(recorded)
    try:
        yield recorded
    finally:
        recorded.ended = time.time_ns()


def span_context(request: RequestContext, span_id: int) -> SpanContext:
    """Return the context of a span in the request's trace, for its children."""
    flags = TraceFlags.SAMPLED if request.sampled else TraceFlags.DEFAULT
    state = request.parent.trace_state if request.parent else None
    return SpanContext(int(request.trace_id, 16), span_id, False, TraceFlags(flags), state)


def headers(recorded: Recorded) -> dict[str, str]:
    """Return the trace-context headers for a call; none outside a request."""
    carrier: dict[str, str] = {}
    request = context.current()
    if request is not None:
        span = NonRecordingSpan(span_context(request, recorded.span_id))
        _PROPAGATOR.inject(carrier, set_span_in_context(span))
    return carrier
