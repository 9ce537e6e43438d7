"""The context of the request being served, found from anywhere in its task."""

from __future__ import annotations

import random
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING

from observability import catalog
from observability.instrument import redaction

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from observability.instrument.recording import Recorded
    from observability.instrument.tail_sampling import Budget

# The client closed the connection before the response (nginx's status for it).
CLIENT_CLOSED = 499
# Tail sampling exports requests that took at least so many seconds.
SLOW_SECONDS = catalog.SIMULATOR_TIMEOUT
# Request ids accepted from a caller: the usual formats, and nothing that could forge a log line.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


def new_span_id() -> int:
    """Return 64 random bits, not all of them zero."""
    return random.getrandbits(64) or 1


class RequestContext:
    """A request's ids, recorded spans, log fields and response.

    ``parent`` is the caller's span, if this request continues its trace. ``sampled`` is the
    head-sampling decision; ``budget`` limits tail sampling, None without tracing.
    """

    parent: SpanContext | None = None
    sampled = False
    budget: Budget | None = None
    reserved = False
    db_seconds = 0.0
    status = CLIENT_CLOSED
    size = 0  # bytes of the response's body
    error = ""  # the class of the exception that determined the response

    def __init__(self, request_id: str = "") -> None:
        self.trace_id = f"{random.getrandbits(128) or 1:032x}"
        self.span_id = f"{new_span_id():016x}"
        self.request_id = request_id or self.trace_id
        self.fields: dict[str, object] = {}
        self.spans: list[Recorded] = []

    def reserve(self) -> bool:
        """Return whether tail sampling may export this request's trace."""
        if not self.reserved and self.budget:
            self.reserved = self.budget.take()
        return self.reserved

    def exemplar(self, seconds: float) -> dict[str, str] | None:
        """Return the exemplar for ``seconds``, if the trace is certain to be exported."""
        if self.sampled or (seconds >= SLOW_SECONDS and self.reserve()):
            return {"trace_id": self.trace_id}
        return None


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current() -> RequestContext | None:
    """Return the context of the request being served; None outside any."""
    return _current.get()


def request_id() -> str:
    """Return the id of the request being served; '' outside any."""
    request = _current.get()
    return request.request_id if request else ""


def note(**fields: object) -> None:
    """Add fields to the log line of the request being served, if there is one."""
    request = _current.get()
    if request is not None:
        request.fields.update(fields)


def failed(error: Exception) -> None:
    """Record which exception determines the response of the request being served."""
    request = _current.get()
    if request is not None:
        request.error = type(error).__name__


def enter(offered: bytes | None) -> RequestContext:
    """Start the context of a request, with the caller's request id if that is valid.

    A new id is made where the caller's is malformed or contains a secret.
    """
    context = RequestContext(_accepted(offered) if offered else "")
    _current.set(context)
    return context


def _accepted(offered: bytes) -> str:
    text = offered.decode("latin-1")
    return text if _ACCEPTED_ID.match(text) and redaction.text(text) == text else ""
