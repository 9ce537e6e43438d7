"""The connection pool: every statement is named, timed, bounded in time, and fails plainly."""

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

from app.problems import Unavailable
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
# One plan for all parameters, made once a connection: the one that serves a prolific author by
# index order would lose, by a guess, to one that sorts all that author ever wrote.
PLANNING = "-c plan_cache_mode=force_generic_plan"
# A request queue longer than this many per connection cannot be served in time anyway.
MAX_WAITING_PER_CONNECTION = 20


READ_ONLY = "the database takes no writes"
# How a statement fails for want of a connection or of time, and what to say of it.
_KINDS = (
    (PoolTimeout, "pool_exhausted", "no connection in time"),
    (TooManyRequests, "pool_exhausted", "too many waiting"),
    (psycopg.errors.QueryCanceled, "timeout", "statement timeout"),
    # As after a failover: a server of this kind is there, but not the one that takes writes.
    (psycopg.errors.ReadOnlySqlTransaction, "unavailable", READ_ONLY),
)
WRITABLE = b"SELECT current_setting('transaction_read_only') = 'off'"


class Refused(Exception):
    """The server would not run a statement: a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with ``%(name)s`` parameters. ``name`` is the ``query`` label and the span's name."""

    name: str
    sql: str
    query: bytes = field(init=False, repr=False, compare=False)
    attributes: Attributes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known: Attributes = {Attribute.DB_SYSTEM: "postgresql", Attribute.DB_QUERY: self.name}
        object.__setattr__(self, "attributes", known)
        object.__setattr__(self, "query", self.sql.encode())


class Database:
    """Runs one statement at a time, each a transaction of its own.

    Raises Unavailable, within the pool's and the statement's time limits, when PostgreSQL is
    down, saturated, or does not answer; what it refuses otherwise is raised as psycopg does.
    """

    def __init__(
        self,
        settings: DatabaseSettings,
        meter: Meter,
        log: Log,
        pulse: Statement,
        on_pulse: Callable[[Row], None],
    ) -> None:
        """``pulse`` runs every second on a connection of its own; its row goes to ``on_pulse``."""
        self._settings = settings
        self._pulse = pulse
        self._on_pulse = on_pulse
        self._connection: psycopg.AsyncConnection[Row] | None = None
        self._meter = meter
        self._log = log
        self._watcher: asyncio.Task[None] | None = None
        self.trouble: str | None = "not connected yet"
        self.read_only = False
        milliseconds = int(settings.statement_timeout * 1000)
        # The server ends a statement in time, if it lives; if it hangs, nothing but this does.
        self._patience = settings.pool_timeout + settings.statement_timeout
        self._connect_options: dict[str, Any] = {
            "autocommit": True,
            "connect_timeout": 2,
            "prepare_threshold": 1,
            "options": f"-c statement_timeout={milliseconds} {PLANNING}",
            "application_name": f"minitwit-{meter.service}",
            "client_encoding": "UTF8",  # whatever PGCLIENTENCODING says
        }
        self._durations: dict[str, Histogram] = {}
        self.pool = AsyncConnectionPool(
            settings.url.reveal(),
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
        """Start connecting and watching; returns at once, also while the database is away."""
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
        """Readiness: what is wrong, or None."""
        return self.trouble or (READ_ONLY if self.read_only else None)

    async def one(self, statement: Statement, parameters: Mapping[str, object]) -> Row:
        """Run a statement that always gives exactly one row."""
        row = await self.first(statement, parameters)
        if row is None:
            raise LookupError(f"{statement.name} gave no row")
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
                    # Without the cause: its detail quotes the row, and with it what people typed.
                    raise Refused(f"{statement.name}: {what}") from None
                raise Unavailable from error

    async def _fetch(self, statement: Statement, parameters: Mapping[str, object]) -> Row | None:
        # Not ``pool.connection()``: that begins a transaction, and each statement commits itself.
        connection = await self.pool.getconn()
        timer = asyncio.get_running_loop().call_later(self._patience, _hang_up, connection)
        started = perf_counter()
        try:
            cursor = await connection.execute(statement.query, parameters)
            return await cursor.fetchone()
        except psycopg.errors.ReadOnlySqlTransaction:
            await connection.close()  # the next session may reach the server that takes writes
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
        """The kind of a failure, and what to say of it."""
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
        done, _ = await asyncio.wait((task,), timeout=WATCH_SECONDS)
        if not done:
            task.add_done_callback(_forget)
        trouble = task.result() if done else "the database does not answer"
        if trouble != self.trouble:
            if trouble:
                self._log.error("db_error", "The database is away", error=trouble)
            else:
                self._log.info("ready", "The database answers")
        self.trouble = trouble

    async def _ping(self) -> str | None:
        """The pulse: on a connection of its own, because busy is not broken."""
        try:
            if self._connection is None or self._connection.broken or self._connection.closed:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._settings.url.reveal(), **self._connect_options
                )
            row = await (await self._connection.execute(self._pulse.query)).fetchone()
            writable = await (await self._connection.execute(WRITABLE)).fetchone()
            await self._note_writable(bool(writable and writable[0]))
        except psycopg.OperationalError:
            return "the database cannot be reached"
        except psycopg.Error as error:
            return _plain(error)
        if row:
            self._on_pulse(row)
        return None

    async def _note_writable(self, writable: bool) -> None:
        """Readiness is to tell of a server that only reads; reading goes on."""
        if self.read_only == writable:
            if writable:
                self._log.info("ready", "The database takes writes again")
            else:
                self._log.error("db_error", "The database is read-only", error=READ_ONLY)
        self.read_only = not writable
        if not writable and self._connection:
            await self._connection.close()  # the next one may reach another server

    def _watch_pool(self) -> None:
        def stat(name: str) -> float:
            return self.pool.get_stats().get(name, 0)

        meter = self._meter
        meter.set(catalog.DB_POOL_LIMIT, self._settings.pool_size)
        meter.watch(catalog.DB_POOL_WAITING, lambda: stat("requests_waiting"))
        meter.watch(catalog.DB_POOL_CONNECTIONS, lambda: stat("pool_available"), "idle")
        meter.watch(
            catalog.DB_POOL_CONNECTIONS,
            lambda: stat("pool_size") - stat("pool_available"),
            "busy",
        )


def _forget(task: asyncio.Task[Any]) -> None:
    """Take the late result of a statement that nobody waits for any more."""
    if not task.cancelled():
        task.exception()


def _hang_up(connection: psycopg.AsyncConnection[Row]) -> None:
    """End a session whose server does not answer: whoever waits for it learns that at once.

    To cancel the statement would not do: psycopg then waits for the server's consent.
    """
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)


def _plain(error: psycopg.Error) -> str:
    """Code and primary message: the detail would carry users' data into the log."""
    if error.sqlstate:
        return f"{error.sqlstate}: {error.diag.message_primary}"
    return type(error).__name__
