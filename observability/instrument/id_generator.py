"""The ids of spans: those the request already has, so that its log lines match."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator


class _Given:
    """A trace id, and the id of the next span."""

    __slots__ = ("span_id", "trace_id")

    def __init__(self, trace_id: int, span_id: int) -> None:
        self.trace_id = trace_id
        self.span_id = span_id


_given: ContextVar[_Given | None] = ContextVar("given", default=None)


@contextmanager
def given(trace_id: int, span_id: int) -> Iterator[None]:
    """Give the first span that starts in the block these ids."""
    token = _given.set(_Given(trace_id, span_id))
    try:
        yield
    finally:
        _given.reset(token)


class RequestIdGenerator(IdGenerator):
    """Returns the given ids, else random ones."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """Return the id of a trace that starts here."""
        ids = _given.get()
        return ids.trace_id if ids else self._random.generate_trace_id()

    def generate_span_id(self) -> int:
        """Return the given id once, for the span it was given for."""
        ids = _given.get()
        if ids is None or not ids.span_id:
            return self._random.generate_span_id()
        span_id, ids.span_id = ids.span_id, 0
        return span_id

    def is_trace_id_random(self) -> bool:
        """Return True: given ids are random too."""
        return True
