"""Plays actions against an API and counts the outcomes."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator

from observability.instrument.logs import Log
from simulator.client import Client, Outcome
from simulator.metrics import Metrics
from simulator.order import Order
from simulator.pace import Speed, pace
from simulator.reader import Reader, ReadError, describe
from simulator.results import Results
from simulator.scenario import Action
from simulator.wire import Wire

_RETRY = 1.0  # seconds between looks whether the API is back
_EXAMPLES = 5


class Run:
    """A run. ``results`` is complete up to the last ``roll``; ``done`` and ``errors`` always.

    ``forever`` makes it patient: while no connection is possible it waits, and a registration is
    repeated until it succeeds, or all later actions that name the user would fail. Each failed try
    is counted.
    """

    def __init__(
        self,
        client: Client,
        wire: Wire,
        speed: Speed,
        clients: int,
        forever: bool = False,
        metrics: Metrics | None = None,
        log: Log | None = None,
    ) -> None:
        self.client, self.wire = client, wire
        self.reader = Reader(wire, client)
        self.clients, self.forever = clients, forever
        self.results, self.done, self.errors = Results(), 0, 0
        self.first_errors: list[str] = []
        self.first_id: int | None = None
        self.last_id: int | None = None
        self._window, self._metrics, self.log = Results(), metrics, log
        self._pace = pace(speed)
        self._order = Order()
        self._next, self._away = asyncio.Lock(), asyncio.Lock()

    async def play(self, actions: Iterable[Action]) -> None:
        """Send every action once; return when all have ended."""
        source = iter(actions)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.clients):
                group.create_task(self._client(source))

    def roll(self) -> Results:
        """Return the results since the last roll, and add them to ``results``."""
        window, self._window = self._window, Results()
        self.results.merge(window)
        return window

    def close(self) -> None:
        """Close the idle connections."""
        self.client.close()
        self.reader.close()

    async def until_back(self) -> None:
        """Wait until the API responds; report the outage and the recovery once."""
        async with self._away:
            began, told = time.monotonic(), False
            while why := await self._missing():
                if not told:
                    self._tell("warning", f"waiting for the api: {why}")
                told = True
                await asyncio.sleep(_RETRY)
            if told:
                self._tell("info", f"the api is back after {time.monotonic() - began:.0f} s")
                self._pace.restart()

    async def _missing(self) -> str:
        try:
            await self.reader.latest()
        except ReadError as error:
            return str(error)
        return ""

    async def _client(self, source: Iterator[Action]) -> None:
        while True:
            async with self._next:
                action = next(source, None)
                if action is None:
                    return
                due = await self._pace.wait(action)
                turn = self._order.enter(action)
            async with turn:
                outcome = await self._act(action, due)
                if self.forever and outcome.kind in ("refused", "other"):
                    await self.until_back()
                while self.forever and action.command == "register" and _lost(outcome):
                    await asyncio.sleep(_RETRY)
                    await self.until_back()
                    outcome = await self._act(action, None)

    async def _act(self, action: Action, due: float | None) -> Outcome:
        began = time.perf_counter()
        outcome = await self.client.send(self.wire.action(action))
        if due is not None:
            self._window.late(began - due, outcome.seconds)
        if self._metrics:
            self._metrics.add(action.command, outcome)
        self.done += 1
        self.first_id = action.id if self.first_id is None else min(self.first_id, action.id)
        self.last_id = action.id if self.last_id is None else max(self.last_id, action.id)
        if self._window.add(action.command, outcome):
            self.errors += 1
            if len(self.first_errors) < _EXAMPLES:
                what = f"action {action.id}, {action.command} of {action.username}"
                self.first_errors.append(f"{what}: {describe(outcome)}")
            if self.log:
                self.log.warning(
                    "action",
                    f"action {action.id} failed: {describe(outcome)}",
                    action=action.command,
                    outcome=outcome.kind,
                    status=outcome.status,
                    duration_ms=round(outcome.seconds * 1000, 3),
                )
        return outcome

    def _tell(self, level: str, message: str) -> None:
        say(message)
        if self.log:
            self.log.write(level, "upstream_error", message, {})


def _lost(outcome: Outcome) -> bool:
    return outcome.kind != "answer" or outcome.status >= 500


def say(line: str) -> None:
    """Print one line on standard error."""
    print(f"simulator: {line}", file=sys.stderr, flush=True)
