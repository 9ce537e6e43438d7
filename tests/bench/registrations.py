"""Registrations on a schedule: which take over 0.3 s, by hashing rate.

The client hangs up after 0.3 s, as the simulator does, and is beside api on the same cores. What
hashing allows is measured first: registrations a second where eight clients, who wait, send their
next when the one before is answered.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from observability.catalog import TIMEOUT_HEADER
from tests.bench.environment import Environment
from tests.bench.servers import TICKS

TIMEOUT = 0.3  # seconds: the simulator's, who hangs up then
SHARES = (0.25, 0.5, 0.75, 0.9, 1.5)  # of what hashing allows; the last is too much
BARRED = 0.9  # up to here nobody waits longer
SECONDS, CLIENTS, PATIENT = 15, 8, 10
_numbers = count()


@dataclass
class Run:
    """What became of registrations: seconds from when each was due, and statuses."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    async def register(self, session: aiohttp.ClientSession, url: str, due: float) -> None:
        """Send one and note its end."""
        person = {"username": f"crowd {next(_numbers)}", "email": "a@b.example", "pwd": "pw"}
        try:
            async with session.post(f"{url}/register", json=person) as answer:
                status = str(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            status = "TimeoutError" if isinstance(error, TimeoutError) else type(error).__name__
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status == "204":
            self.latencies.append(time.monotonic() - due)

    def figures(self) -> dict[str, Any]:
        """Numbers and milliseconds."""
        ordered = sorted(self.latencies)
        late = self.statuses.get("TimeoutError", 0)  # a sleep that ends late makes none late
        some = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        milliseconds = {
            name: round(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1)
            for name, share in some.items() if ordered
        }  # fmt: skip
        return {"statuses": self.statuses, "late": late, "latency_ms": milliseconds}


async def allowed(url: str) -> float:
    """Registrations a second that are served when some clients always want one."""
    run, end = Run(), time.monotonic() + SECONDS

    async def client(session: aiohttp.ClientSession) -> None:
        while time.monotonic() < end:
            await run.register(session, url, time.monotonic())

    async with _session(PATIENT) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return run.statuses.get("204", 0) / SECONDS


async def paced(url: str, rate: float) -> Run:
    """So many a second, sent when they are due, whatever became of those before."""
    run, began = Run(), time.monotonic()
    async with _session(TIMEOUT) as session, asyncio.TaskGroup() as group:
        for number in range(round(rate * SECONDS)):
            due = began + number / rate
            await asyncio.sleep(max(0, due - time.monotonic()))
            group.create_task(run.register(session, url, due))
    return run


def busy() -> float:
    """Seconds of processor time that all have had since the machine started, steal included."""
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + sum(rest)) / TICKS


def _session(patience: float) -> aiohttp.ClientSession:
    # A connection each, as the course's simulator makes.
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    said = {TIMEOUT_HEADER: f"{patience * 1000:.0f}"} if patience > TIMEOUT else {}
    timeout = aiohttp.ClientTimeout(patience)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, headers=said)


def measure(env: Environment) -> dict[str, Any]:
    """The rate that hashing allows, and what happens at shares of it."""
    database = env.empty("registrations")
    with env.server("observed", database, pinned=False) as server:
        rate = asyncio.run(allowed(server.url))
        env.say(f"hashing allows {rate:.0f} registrations a second")
        runs = {}
        for share in SHARES:
            before, cpu = busy(), server.cpu()
            figures = asyncio.run(paced(server.url, rate * share)).figures()
            # How much of the machine was at work, and how much of that was api: tells of others.
            figures["busy_cores"] = round((busy() - before) / SECONDS, 2)
            figures["api_cores"] = round((server.cpu() - cpu) / SECONDS, 2)
            runs[str(share)] = figures
            env.say(f"{share:.0%} of it: {runs[str(share)]}")
    return {"allowed": round(rate, 1), "seconds": SECONDS, "shares": runs}


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """What, bar, measured, met."""
    table = [("registrations that hashing allows", "", f"{found['allowed']:.0f}/s", True)]
    for share, run in found["shares"].items():
        barred = float(share) <= BARRED
        served = run["statuses"].get("204", 0)
        others = sum(run["statuses"].values()) - served - run["late"]
        table.append(
            (
                f"registrations at {float(share):.0%} of that, a connection each",
                "none over 0.3 s, none refused" if barred else "",
                f"{served:,} served: {run['late']:,} over 0.3 s, p99"
                f" {run['latency_ms'].get('p99', 0)} ms; {others:,} refused",
                not barred or not run["late"] + others,
            )
        )
    return table
