"""What is known about the request being served: found from anywhere in its task."""

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

# The client closed the connection before it had its answer (nginx's number for it).
CLIENT_CLOSED = 499
# From this duration (seconds) on, a request that was not sampled becomes a trace all the same.
SLOW_SECONDS = catalog.SIMULATOR_TIMEOUT
# What we take over from a caller: enough for ids in use, and nothing that could forge a line.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


def new_span_id() -> int:
    """Sixty-four random bits, not all of them zero."""
    return random.getrandbits(64) or 1


class RequestContext:
    """Ids, spans to be made, fields for the request's log line, and what was answered.

    ``parent`` is the caller's span, if its trace goes on here. ``sampled`` says whether the trace
    was chosen at the start; ``budget`` is asked for the others, None where there is no tracing.
    """

    parent: SpanContext | None = None
    sampled = False
    budget: Budget | None = None
    reserved = False
    db_seconds = 0.0
    status = CLIENT_CLOSED
    size = 0  # bytes of the answer's body
    error = ""  # the class of the exception that became the answer, if one did

    def __init__(self, request_id: str = "") -> None:
        self.trace_id = f"{random.getrandbits(128) or 1:032x}"
        self.span_id = f"{new_span_id():016x}"
        self.request_id = request_id or self.trace_id
        self.fields: dict[str, object] = {}
        self.spans: list[Recorded] = []

    def reserve(self) -> bool:
        """Whether a trace of this request may be made although it was not sampled."""
        if not self.reserved and self.budget:
            self.reserved = self.budget.take()
        return self.reserved

    def exemplar(self, seconds: float) -> dict[str, str] | None:
        """The exemplar of an observation of ``seconds``, if the trace is sure to be exported."""
        if self.sampled or (seconds >= SLOW_SECONDS and self.reserve()):
            return {"trace_id": self.trace_id}
        return None


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current() -> RequestContext | None:
    """The context of the request being served, or None outside any."""
    return _current.get()


def request_id() -> str:
    """The id of the request being served; '' outside any."""
    request = _current.get()
    return request.request_id if request else ""


def note(**fields: object) -> None:
    """Add fields to the log line of the request being served, if there is one."""
    request = _current.get()
    if request is not None:
        request.fields.update(fields)


def failed(error: Exception) -> None:
    """Note which exception becomes the answer of the request being served."""
    request = _current.get()
    if request is not None:
        request.error = type(error).__name__


def enter(offered: bytes | None) -> RequestContext:
    """Begin a request: keep the caller's id where it is one, and no secret, else make one."""
    context = RequestContext(_accepted(offered) if offered else "")
    _current.set(context)
    return context


def _accepted(offered: bytes) -> str:
    text = offered.decode("latin-1")
    return text if _ACCEPTED_ID.match(text) and redaction.text(text) == text else ""
