"""Assembles the api service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from app.api import responses
from app.api.simulator_endpoints import SimulatorEndpoints
from app.api.web_endpoints import WebEndpoints
from app.database import latest
from app.database.pool import Database, Row
from app.services.accounts import Accounts
from app.services.following import Following
from app.services.passwords import Passwords
from app.services.periodic import PeriodicTasks
from app.services.posting import Posting
from app.settings import ApiSettings
from observability import catalog
from observability.instrument.events import Events
from observability.instrument.logs import Log
from observability.instrument.metrics import Meter


def create(settings: ApiSettings, meter: Meter, log: Log) -> tuple[Starlette, Database]:
    """Return the application, and the database on which its readiness depends."""

    def on_heartbeat(row: Row) -> None:
        meter.set(catalog.SIMULATOR_LATEST, row[0])

    database = Database(settings.database, meter, log, latest.READ, on_heartbeat)
    passwords = Passwords(settings.hash_threads)
    meter.watch(catalog.HASHES_WAITING, lambda: passwords.queue.waiting)
    events = Events(meter)
    accounts = Accounts(database, passwords, events, settings.probe)
    posting = Posting(database, events, settings.probe.user)
    following = Following(database, events)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await database.open()
        tasks = asyncio.create_task(PeriodicTasks(database, accounts, meter).run())
        try:
            yield
        finally:
            tasks.cancel()
            await database.close()
            passwords.close()

    routes = [
        *SimulatorEndpoints(settings, database, accounts, posting, following, meter).routes(),
        *WebEndpoints(database, accounts, posting, following).routes(),
    ]
    app = Starlette(routes=list(routes), lifespan=lifespan, exception_handlers=responses.HANDLERS)
    return app, database
