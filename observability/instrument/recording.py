"""Spans inside a request, noted as they happen; the SDK makes them when the request is over.

Whether a request fails or is slow is known at its end only. So each statement and each call is
noted in any case, which is cheap, and becomes a span where the request becomes a trace.
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
    """A span to be made. Times are nanoseconds since the epoch; ``error`` is '' or its kind."""

    name: str
    attributes: Attributes
    kind: SpanKind
    span_id: int = field(default_factory=new_span_id)
    started: int = field(default_factory=time.time_ns)
    ended: int = 0
    error: str = ""


@contextmanager
def span(name: str, attributes: Attributes, kind: SpanKind = SpanKind.CLIENT) -> Iterator[Recorded]:
    """Note what the request being served has done while the block runs.

    ``attributes`` are copied: the block may add to those of what it is given.
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
    """A span of the request's trace, as others refer to it."""
    flags = TraceFlags.SAMPLED if request.sampled else TraceFlags.DEFAULT
    state = request.parent.trace_state if request.parent else None
    return SpanContext(int(request.trace_id, 16), span_id, False, TraceFlags(flags), state)


def headers(recorded: Recorded) -> dict[str, str]:
    """The headers by which the other side of a call joins the trace; none outside any request."""
    carrier: dict[str, str] = {}
    request = context.current()
    if request is not None:
        span = NonRecordingSpan(span_context(request, recorded.span_id))
        _PROPAGATOR.inject(carrier, set_span_in_context(span))
    return carrier
