"""The connection pool: every statement has a name, a duration metric and a timeout."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import psycopg
from prometheus_client import Histogram
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from app.database.connection import needs
from app.problems import Overloaded, Unavailable
from app.settings import DatabaseSettings
from observability import catalog
from observability.catalog import Attribute
from observability.instrument import context, recording
from observability.instrument.context import RequestContext
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter
from observability.instrument.recording import Attributes

Row = tuple[Any, ...]
WATCH_SECONDS = 1.0
# One generic plan for each statement. With custom plans the planner misjudges prolific authors: it
# prefers to sort all their messages over reading the newest in index order.
PLANNING = "-c plan_cache_mode=force_generic_plan"
# Requests in a longer queue could not be served in time. New ones are refused long before that:
# refusing late costs more than answering, and a service that does only that does not recover.
ADMITTED_PER_CONNECTION = 10
MAX_WAITING_PER_CONNECTION = 20

READ_ONLY = "PostgreSQL accepts no writes"
# exception → ``reason`` label, description
_KINDS = (
    (PoolTimeout, "pool_exhausted", "no connection in time"),
    (TooManyRequests, "pool_exhausted", "too many waiting"),
    (psycopg.errors.QueryCanceled, "timeout", "statement timeout"),
    # After a failover: this server is a standby.
    (psycopg.errors.ReadOnlySqlTransaction, "unavailable", READ_ONLY),
)
WRITABLE = b"SELECT current_setting('transaction_read_only') = 'off'"


class Refused(Exception):
    """PostgreSQL rejected a statement: a bug in MiniTwit."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with ``%(name)s`` parameters; ``name`` is the ``query`` label and the span's name."""

    name: str
    sql: str
    query: bytes = field(init=False, repr=False, compare=False)
    attributes: Attributes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known: Attributes = {Attribute.DB_SYSTEM: "postgresql", Attribute.DB_QUERY: self.name}
        object.__setattr__(self, "attributes", known)
        object.__setattr__(self, "query", self.sql.encode())


class Database:
    """Runs single statements, each in a transaction of its own (autocommit).

    Raises Unavailable, within the limits of the pool and of the statement, when PostgreSQL is
    down, saturated, or does not answer, and Refused when it rejects the statement.
    """

    def __init__(
        self,
        settings: DatabaseSettings,
        meter: Meter,
        log: Log,
        heartbeat: Statement,
        on_heartbeat: Callable[[Row], None],
    ) -> None:
        """Create the pool, without connecting.

        ``heartbeat`` runs every second on a connection of its own; its row goes to
        ``on_heartbeat``.
        """
        self._settings = settings
        self._heartbeat = heartbeat
        self._on_heartbeat = on_heartbeat
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._meter = meter
        self._log = log
        self._watcher: asyncio.Task[None] | None = None
        self.trouble: str | None = "not connected yet"
        self.read_only = False
        url, milliseconds = settings.url.reveal(), int(settings.statement_timeout * 1000)
        # The server enforces statement_timeout; this covers a server that hangs.
        self._patience = settings.pool_timeout + settings.statement_timeout
        self._connect_options: dict[str, Any] = {
            "autocommit": True,
            "connect_timeout": 2,
            "prepare_threshold": 1,
            "application_name": f"minitwit-{meter.service}",
            **needs(url, f"-c statement_timeout={milliseconds} {PLANNING}"),
        }
        self._durations: dict[str, Histogram] = {}
        self.pool = AsyncConnectionPool(
            url,
            min_size=min(2, settings.pool_size),
            max_size=settings.pool_size,
            max_waiting=settings.pool_size * MAX_WAITING_PER_CONNECTION,
            timeout=settings.pool_timeout,
            reconnect_timeout=2,
            open=False,
            kwargs=self._connect_options,
        )
        self._watch_pool()

    async def open(self) -> None:
        """Start connecting and watching; return at once, also while the database is down."""
        await self.pool.open(wait=False)
        await self._probe()
        self._watcher = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Stop watching and close the connections."""
        if self._watcher:
            self._watcher.cancel()
        if self._connection:
            await self._connection.close()
        await self.pool.close(timeout=2)

    async def check(self) -> str | None:
        """Return why the database is not ready, or None."""
        return self.trouble or (READ_ONLY if self.read_only else None)

    def admit(self) -> None:
        """Raise Overloaded if so many wait that a new request would be late."""
        if self._stat("requests_waiting") >= self._settings.pool_size * ADMITTED_PER_CONNECTION:
            self._meter.count(catalog.DB_ERRORS, "pool_exhausted")
            raise Overloaded

    async def one(self, statement: Statement, parameters: Mapping[str, object]) -> Row:
        """Run a statement that always returns exactly one row."""
        row = await self.first(statement, parameters)
        if row is None:
            raise LookupError(f"{statement.name} returned no row")
        return row

    async def first(self, statement: Statement, parameters: Mapping[str, object]) -> Row | None:
        """Run a statement and return its first row, if any."""
        if self.trouble:
            self._meter.count(catalog.DB_ERRORS, "unavailable")
            raise Unavailable
        with recording.span(statement.name, statement.attributes) as span:
            began = perf_counter()
            try:
                return await self._fetch(statement, parameters)
            except psycopg.Error as error:
                span.error, what = self._explain(error, perf_counter() - began)
                self._meter.count(catalog.DB_ERRORS, span.error)
                self._log.error(
                    "db_error",
                    "A statement failed",
                    query=statement.name,
                    error=what,
                    reason=span.error,
                )
                if span.error == "statement":
                    # Without the cause: its detail quotes the row, and so users' input.
                    raise Refused(f"{statement.name}: {what}") from None
                raise Unavailable from error

    async def _fetch(self, statement: Statement, parameters: Mapping[str, object]) -> Row | None:
        # Not ``pool.connection()``, which would begin a transaction.
        connection = await self.pool.getconn()
        timer = asyncio.get_running_loop().call_later(self._patience, _hang_up, connection)
        started = perf_counter()
        try:
            cursor = await connection.execute(statement.query, parameters)
            return await cursor.fetchone()
        except psycopg.errors.ReadOnlySqlTransaction:
            await connection.close()  # the next session may reach the primary
            raise
        finally:
            timer.cancel()
            self._observe(statement, context.current(), perf_counter() - started)
            await self.pool.putconn(connection)

    def _observe(
        self, statement: Statement, request: RequestContext | None, seconds: float
    ) -> None:
        exemplar = None
        if request:
            request.db_seconds += seconds
            exemplar = request.exemplar(seconds)
        if statement.name not in self._durations:
            bound = self._meter.bind(catalog.DB_QUERY_DURATION, statement.name)
            self._durations[statement.name] = bound
        self._durations[statement.name].observe(seconds, exemplar)

    def _explain(self, error: psycopg.Error, seconds: float) -> tuple[str, str]:
        """Return the ``reason`` label of a failure and its description."""
        for cause, kind, what in _KINDS:
            if isinstance(error, cause):
                return kind, what
        if isinstance(error, psycopg.OperationalError):
            if seconds >= self._patience:
                return "timeout", f"no answer within {self._patience:g} s"
            return "unavailable", _plain(error)
        return "statement", _plain(error)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self._probe()

    async def _probe(self) -> None:
        task = asyncio.create_task(self._ping())
        # A request may wait that long for a connection, so the heartbeat may as well.
        patience = max(WATCH_SECONDS, self._settings.pool_timeout)
        done, _ = await asyncio.wait((task,), timeout=patience)
        if not done:
            task.add_done_callback(_forget)
        trouble = task.result() if done else "PostgreSQL does not answer"
        if trouble != self.trouble:
            if trouble:
                self._log.error("db_error", "PostgreSQL is unreachable", error=trouble)
            else:
                self._log.info("ready", "PostgreSQL is reachable")
        self.trouble = trouble

    async def _ping(self) -> str | None:
        """Run the heartbeat query on its own connection: a busy pool is not an outage."""
        try:
            if self._connection is None or self._connection.broken or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._settings.url.reveal(), **self._connect_options
                )
            row = await (await self._connection.execute(self._heartbeat.query)).fetchone()
            writable = await (await self._connection.execute(WRITABLE)).fetchone()
            await self._note_writable(bool(writable and writable[0]))
        except psycopg.OperationalError:
            return "PostgreSQL cannot be reached"
        except psycopg.Error as error:
            return _plain(error)
        if row:
            self._on_heartbeat(row)
        return None

    async def _note_writable(self, writable: bool) -> None:
        """Record whether the server takes writes; readiness reports it, reads go on."""
        if self.read_only == writable:
            if writable:
                self._log.info("ready", "PostgreSQL accepts writes again")
            else:
                self._log.error("db_error", "The database is read-only", error=READ_ONLY)
        self.read_only = not writable
        if not writable and self._connection:
            await self._connection.close()  # the next one may reach another server

    def _stat(self, name: str) -> float:
        return self.pool.get_stats().get(name, 0)

    def _watch_pool(self) -> None:
        stat, meter = self._stat, self._meter
        meter.set(catalog.DB_POOL_LIMIT, self._settings.pool_size)
        meter.watch(catalog.DB_POOL_WAITING, lambda: stat("requests_waiting"))
        meter.watch(catalog.DB_POOL_CONNECTIONS, lambda: stat("pool_available"), "idle")
        meter.watch(
            catalog.DB_POOL_CONNECTIONS,
            lambda: stat("pool_size") - stat("pool_available"),
            "busy",
        )


def _forget(task: asyncio.Task[Any]) -> None:
    """Discard the late result of a statement that nobody awaits any more."""
    if not task.cancelled():
        task.exception()


def _hang_up(connection: psycopg.AsyncConnection[Row]) -> None:
    """Close the socket of a server that does not answer.

    Its caller fails at once. Cancelling the statement is no alternative: psycopg then waits for
    the server's confirmation.
    """
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)


def _plain(error: psycopg.Error) -> str:
    """Return SQLSTATE and primary message: the detail would carry users' data into the log."""
    if error.sqlstate:
        return f"{error.sqlstate}: {error.diag.message_primary}"
    return type(error).__name__
