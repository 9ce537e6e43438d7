"""A small HTTP/1.1 client that reports how a request ended, and never retries.

Written on asyncio and httptools: with a new connection for every request, as the course's
simulator does it, aiohttp's client took three times the CPU and ended at about 2,000 requests a
second, hardly more than the 1,716 of four times the nominal rate.
"""

from __future__ import annotations

import asyncio
import errno
import math
import socket
import ssl
import time
from typing import Literal, NamedTuple, cast

import httptools

from simulator.wire import Address

Kind = Literal["answer", "timeout", "refused", "reset", "other"]
KINDS: tuple[Kind, ...] = ("answer", "timeout", "refused", "reset", "other")
_OWN_FAULTS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}


class Outcome(NamedTuple):
    """How a request ended.

    ``answer`` has a status; ``timeout``: the response was incomplete in time; ``refused``: no
    connection; ``reset``: the connection ended before the response did; ``other``: anything else,
    with ``detail``. ``seconds`` are from before the connection to the last byte of the response.
    """

    kind: Kind
    seconds: float
    status: int = 0
    body: bytes = b""
    detail: str = ""


class _Exchange(asyncio.Protocol):
    """One connection: requests and their responses, one at a time."""

    __slots__ = ("body", "ended", "framed", "parser", "reusable", "status", "transport")

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.ended: asyncio.Future[str] | None = None
        self.status, self.body, self.framed, self.reusable = 0, b"", False, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not instances of asyncio's classes.
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, request: bytes, ended: asyncio.Future[str]) -> None:
        self.status, self.body, self.framed, self.reusable = 0, b"", False, False
        self.ended = ended
        if self.transport.is_closing():
            self._end("reset")
        else:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._end(f"not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        # An answer without a length is complete when its connection ends in order.
        self._end("answer" if self.status and not self.framed and exc is None else "reset")

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self.framed = True

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.status >= 200:
            self.reusable = self.parser.should_keep_alive()
            self._end("answer")

    def _end(self, how: str) -> None:
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(how)


class Client:
    """An HTTP client of one address; with ``keep_alive`` it reuses connections."""

    def __init__(self, address: Address, timeout: float, keep_alive: bool = False) -> None:
        self.address, self.timeout, self.keep_alive = address, timeout, keep_alive
        self._tls = ssl.create_default_context() if address.scheme == "https" else None
        self._idle: list[_Exchange] = []

    async def send(self, request: bytes) -> Outcome:
        """Try once, within the timeout (seconds). Never raises but for cancellation."""
        began = time.perf_counter()
        exchange: _Exchange | None = None
        try:
            async with asyncio.timeout(self.timeout):
                exchange = self._reuse() or await self._connect()
                ended = asyncio.get_running_loop().create_future()
                exchange.ask(request, ended)
                how = await ended
        except TimeoutError:
            # Timers may come a fraction of a millisecond early; it took longer all the same.
            longer = math.nextafter(self.timeout, math.inf)
            outcome = Outcome("timeout", max(time.perf_counter() - began, longer))
        except OSError as error:
            seconds = time.perf_counter() - began
            outcome = Outcome(_kind(error), seconds, detail=str(error))
        else:
            outcome = self._outcome(exchange, how, time.perf_counter() - began)
        finally:
            if exchange is not None and not self.keep_alive:
                exchange.transport.abort()
        if exchange is not None and self.keep_alive:
            self._keep(exchange, outcome)
        return outcome

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().transport.abort()

    async def _connect(self) -> _Exchange:
        loop = asyncio.get_running_loop()
        _, exchange = await loop.create_connection(
            _Exchange, self.address.host, self.address.port, ssl=self._tls
        )
        return exchange

    def _reuse(self) -> _Exchange | None:
        while self._idle:
            exchange = self._idle.pop()
            if not exchange.transport.is_closing():
                return exchange
        return None

    def _keep(self, exchange: _Exchange, outcome: Outcome) -> None:
        if outcome.kind == "answer" and exchange.reusable:
            self._idle.append(exchange)
        else:
            exchange.transport.abort()

    @staticmethod
    def _outcome(exchange: _Exchange, how: str, seconds: float) -> Outcome:
        if how == "answer":
            return Outcome("answer", seconds, exchange.status, exchange.body)
        if how == "reset":
            return Outcome("reset", seconds, detail="connection ended before the answer did")
        return Outcome("other", seconds, detail=how)


def _kind(error: OSError) -> Kind:
    """Return the outcome of a failed connection: refused, or a local error."""
    if error.errno in _OWN_FAULTS or isinstance(error, ssl.SSLError | socket.gaierror):
        return "other"
    return "refused"
