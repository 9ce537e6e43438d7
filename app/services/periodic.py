"""Periodic tasks of an api replica: row counts, the latest backup, the probe user."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.database import activity
from app.database.pool import Database, Refused
from app.problems import Problem
from app.services.accounts import SESSION_SECONDS, Accounts
from observability import catalog
from observability.instrument.metrics import Meter

PERIOD = 10.0  # seconds


class PeriodicTasks:
    """Tasks run one after the other, every ``PERIOD``; a failed one is retried next time."""

    def __init__(self, database: Database, accounts: Accounts, meter: Meter) -> None:
        self._database, self._accounts, self._meter = database, accounts, meter

    async def run(self) -> None:
        """Run until cancelled; skip the tasks while the database is unavailable."""
        while True:
            for task in (
                self._count_active,
                self._count_rows,
                self._record_latest_backup,
                self._accounts.ensure_probe_user,
            ):
                if not self._database.trouble:
                    await _try(task)
            await asyncio.sleep(PERIOD if not self._database.trouble else 1)

    async def _count_active(self) -> None:
        seconds = catalog.ACTIVE_SECONDS
        found = await activity.active_users(self._database, seconds, SESSION_SECONDS)
        self._meter.set(catalog.ACTIVE_USERS, found)

    async def _count_rows(self) -> None:
        for table, rows in (await activity.table_sizes(self._database)).items():
            self._meter.set(catalog.ROWS, rows, table)

    async def _record_latest_backup(self) -> None:
        taken, size = await activity.latest_backup(self._database)
        self._meter.set(catalog.BACKUP_TIME, taken)
        self._meter.set(catalog.BACKUP_SIZE, size)


async def _try(task: Callable[[], Awaitable[None]]) -> None:
    try:
        await task()
    except (Problem, Refused):  # the database has logged and counted it
        return
