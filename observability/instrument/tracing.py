"""Traces that cost next to nothing until they are kept.

Every request has a trace id and a span id and passes them on (W3C trace context). Its caller
decides whether the trace is kept, or chance where there is none, before any span exists: what the
request does is only noted down. A request that fails, or is slower than the objective, is kept
whatever was decided, with every statement it ran. A thread of its own makes spans of the notes.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from observability import catalog
from observability.instrument import context
from observability.instrument.context import Attributes, Call, RequestContext, new_span_id
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter

if TYPE_CHECKING:
    from observability.instrument.spans import SpanSink

SLOW_SECONDS = catalog.SIMULATOR_TIMEOUT
ERROR_STATUS = 500
_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z"
)
_SAMPLED = 1
_DECIDES = 16  # the part of a trace id from here on, so that all services decide alike


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """``endpoint``: the OTLP receiver, with its credentials if any; '' keeps nothing.

    ``sample``: the share of traces begun here that are kept, from 0 to 1.
    """

    endpoint: str = field(default="", repr=False)
    sample: float = 0.05


class Kept(NamedTuple):
    """The notes of one request, of which spans are made."""

    trace_id: str
    parent_id: str
    server: Call
    calls: tuple[Call, ...]


class Tracer:
    """Decides which requests of a service are traced, and hands those over."""

    def __init__(self, settings: TraceSettings, meter: Meter, log: Log, version: str = "") -> None:
        bound = round(settings.sample * 2**64)
        # Compared as text; "g" is above all digits.
        self._bound = f"{bound:016x}" if bound < 2**64 else "g"
        self._sink: SpanSink | None = None
        if settings.endpoint:
            from observability.instrument.spans import SpanSink  # which needs this module

            self._sink = SpanSink(settings.endpoint, meter, log, version)

    def begin(self, request: RequestContext, traceparent: bytes | None) -> None:
        """Decide whether the request is traced, or learn it from its caller."""
        if traceparent and self._join(request, traceparent.decode("latin-1")):
            return
        if self._sink:
            sampled = request.trace_id[_DECIDES:] < self._bound
            request.kept_from = 0.0 if sampled else SLOW_SECONDS

    def _join(self, request: RequestContext, traceparent: str) -> bool:
        """Take part in the caller's trace; False if the header is none."""
        parent = _PARENT.match(traceparent)
        if not parent or (parent[1] == "00" and parent[5]):
            return False
        request.trace_id, request.parent_id = parent[2], parent[3]
        if self._sink:
            request.kept_from = 0.0 if int(parent[4], 16) & _SAMPLED else SLOW_SECONDS
        return True

    def why(self, request: RequestContext, seconds: float, status: int) -> str:
        """Why the request's trace is kept: ``error``, ``sampled`` or ``slow``; '' if it is not."""
        if self._sink is None:
            return ""
        if status >= ERROR_STATUS:
            return "error"
        if seconds < request.kept_from:
            return ""
        return "slow" if request.kept_from else "sampled"

    def keep(self, request: RequestContext, server: Call) -> bool:
        """Hand over the notes of the request, ``server`` of itself; False if there is no room."""
        calls = tuple(one if isinstance(one, Call) else Call.of(one) for one in request.calls)
        kept = Kept(request.trace_id, request.parent_id, server, calls)
        return self._sink is not None and self._sink.put(kept)

    def close(self) -> None:
        """Deliver what is queued, for two seconds at most."""
        if self._sink:
            self._sink.close()


@contextmanager
def call(name: str, attributes: Attributes) -> Iterator[Call]:
    """Note that the request being served has something done elsewhere while the block runs."""
    noted = Call(name, attributes, new_span_id())
    try:
        yield noted
    finally:
        noted.ended = time.time_ns()
        request = context.current()
        if request is not None:
            request.calls.append(noted)


def traceparent(noted: Call) -> str:
    """The header by which the other side of a call joins the trace; '' outside any request."""
    request = context.current()
    if request is None:
        return ""
    flags = _SAMPLED if request.kept_from == 0 else 0
    return f"00-{request.trace_id}-{noted.span_id}-{flags:02x}"
