"""Two hundred people register at the same moment: whoever is told to come back later does, nobody
is lost, and nobody else waits."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.app.test_contract import AUTHORIZATION, call, path, register
from tests.parts import Service, start_service

CROWD = 200
PEAK_KB = 300 * 1024
LIMIT = 0.3  # seconds: the simulator's read timeout
PATIENT = aiohttp.ClientTimeout(total=120)


@pytest.fixture
def fresh(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """An api whose peak of memory is that of this test."""
    with start_service("api", tmp_path, DATABASE_URL=database_url) as service:
        register(service, "By Stander")
        call(service, "POST", path("msgs", "By Stander"), {"content": "before the storm"})
        yield service


async def storm(api: Service, names: list[str]) -> tuple[Counter[int], list[float]]:
    """The statuses of the registrations, and the seconds that others' requests took meanwhile."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(api.url, connector=connector, timeout=PATIENT) as session:

        async def join(name: str) -> int:
            body = {"username": name, "email": "a@b.c", "pwd": "x"}
            while True:
                async with session.post("/register", data=json.dumps(body)) as answer:
                    await answer.read()
                    if answer.status != 503:
                        return answer.status
                    await asyncio.sleep(float(answer.headers["Retry-After"]))

        async def watch() -> list[float]:
            seconds = []
            while not crowd.done():
                began = time.perf_counter()
                async with session.get(
                    "/msgs?no=20", headers={"Authorization": AUTHORIZATION}
                ) as answer:
                    await answer.read()
                    assert answer.status == 200
                seconds.append(time.perf_counter() - began)
                await asyncio.sleep(0.02)
            return seconds

        crowd = asyncio.ensure_future(asyncio.gather(*map(join, names)))
        seconds = await watch()
        return Counter(await crowd), seconds


def peak(api: Service) -> int:
    """The most memory the process has held (KiB)."""
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["The Same"] * CROWD, {204: 1, 400: CROWD - 1}, id="one name"),
        pytest.param([f"No. {n}" for n in range(CROWD)], {204: CROWD}, id="many names"),
    ],
)
def test_two_hundred_registrations_at_once(
    fresh: Service, names: list[str], expected: dict[int, int]
) -> None:
    statuses, seconds = asyncio.run(storm(fresh, names))
    assert statuses == expected
    p99 = sorted(seconds)[int(len(seconds) * 0.99)]
    print(f"{len(seconds)} other requests, p99 {p99 * 1000:.0f} ms; peak {peak(fresh) // 1024} MiB")
    assert p99 < LIMIT
    assert peak(fresh) < PEAK_KB
    assert fresh.metric("minitwit_password_hashes_waiting") == 0
