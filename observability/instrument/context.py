"""What is known about the request being served: found from anywhere in its task."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Awaitable
from contextvars import ContextVar

from starlette.types import Message, Send

from observability.catalog import Attribute
from observability.instrument import redaction

# The client closed the connection before it had its answer (nginx's number for it).
CLIENT_CLOSED = 499
# What we take over from a caller: enough for ids in use, and nothing that could forge a line.
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
Attributes = dict[Attribute, str | int | float]
# A statement that was run: its name, what is known of all of its kind, when it began and ended
# (seconds of ``perf_counter``), and how it failed, or ''.
Ran = tuple[str, Attributes, float, float, str]
_AT_ONCE = 256
# Ids must differ, and need not be hard to guess: the system's own source is a call each time.
_random = random.Random()  # noqa: S311
_made: list[str] = []


def new_id() -> str:
    """Thirty-two hexadecimal digits; many are made at once."""
    try:
        return _made.pop()
    except IndexError:
        digits = _random.randbytes(16 * _AT_ONCE).hex()
        _made.extend(digits[at : at + 32] for at in range(0, len(digits), 32))
        return _made.pop()


def new_span_id() -> str:
    """Sixteen hexadecimal digits."""
    return new_id()[16:]


class Call:
    """What a request had done elsewhere: an SQL statement, a call to another service.

    ``started`` and ``ended`` are in nanoseconds since the epoch; ``error`` says how it failed, if
    it did. ``attributes`` belong to all calls of a kind; ``own`` are this one's.
    """

    __slots__ = ("attributes", "ended", "error", "name", "own", "span_id", "started")

    def __init__(self, name: str, attributes: Attributes, span_id: str = "") -> None:
        self.name = name
        self.attributes = attributes
        self.span_id = span_id
        self.started = time.time_ns()
        self.ended = 0
        self.error = ""
        self.own: Attributes = {}

    @classmethod
    def of(cls, ran: Ran) -> Call:
        """What is told of a statement that was run."""
        name, attributes, began, over, error = ran
        call = cls(name, attributes)
        now = time.perf_counter()
        call.ended = call.started - round((now - over) * 1e9)
        call.started -= round((now - began) * 1e9)
        call.error = error
        return call


async def _nobody(message: Message) -> None:
    """Whom an answer goes to where there is no request to answer."""


class RequestContext:
    """Ids, what was done elsewhere, fields for the request's log line, and what was answered.

    A trace that begins here lends its id to the request, and the half of it to the first span: an
    id more is a text more for each request.
    """

    parent_id = ""
    # The duration (seconds) from which the trace is kept; 0 where it is kept in any case.
    kept_from = math.inf
    db_seconds = 0.0
    status = CLIENT_CLOSED
    size = 0
    error = ""  # the exception that nobody caught

    def __init__(self, request_id: str = "", send: Send = _nobody) -> None:
        self.trace_id = new_id()
        self.span_id = self.trace_id[16:]
        self.request_id = request_id or self.trace_id
        self.fields: dict[str, object] = {}
        self.calls: list[Call | Ran] = []
        self._send = send

    def done(self) -> None:
        """Let go of the connection: what is known of a request may wait for its line."""
        self._send = _nobody

    def exemplar(self, seconds: float) -> dict[str, str] | None:
        """The exemplar of an observation of ``seconds``, if the trace is sure to be kept."""
        return {"trace_id": self.trace_id} if seconds >= self.kept_from else None

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a part of the answer on, looked at in passing: no coroutine of its own."""
        if message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        elif message["type"] == "http.response.start":
            self.status = message["status"]
            header = (b"x-request-id", self.request_id.encode())
            message["headers"] = [*message.get("headers", ()), header]
        return self._send(message)


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


def enter(offered: bytes | None, send: Send = _nobody) -> RequestContext:
    """Begin a request: keep the caller's id where it is one, and no secret, else make one."""
    context = RequestContext(_accepted(offered) if offered else "", send)
    _current.set(context)
    return context


def _accepted(offered: bytes) -> str:
    text = offered.decode("latin-1")
    return text if _ACCEPTED_ID.match(text) and redaction.text(text) == text else ""
