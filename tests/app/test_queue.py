"""The hashing queue: log-ins first, disconnects leave, cancelled work is not done."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import psycopg
import pytest
from anyio import wait_all_tasks_blocked

from app import deadline
from app.problems import Busy
from app.services.hashing_queue import HashingQueue
from app.settings import Environment
from app.settings import api as api_settings
from observability.catalog import SIMULATOR_TIMEOUT
from tests.attacks import connect
from tests.parts import Service, start_service, wait_for

PATIENT = aiohttp.ClientTimeout(total=120)
PASSWORD = "of the crowd"
FORM = b"application/x-www-form-urlencoded"


def registered(database_url: str, prefix: str) -> int:
    """How many users have names that begin so."""
    with psycopg.connect(database_url) as connection:
        query = "SELECT count(*) FROM users WHERE starts_with(username, %s)"
        row = connection.execute(query, (prefix,)).fetchone()
    return int(row[0]) if row else 0


def sessions(database_url: str) -> int:
    """How many sessions there are."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM sessions").fetchone()
    return int(row[0]) if row else 0


def person(name: str) -> dict[str, str]:
    return {"username": name, "email": "a@b.c", "pwd": PASSWORD}


def settled(api: Service) -> None:
    """Wait until nobody is served or waits any more."""
    wait_for("an empty queue", lambda: api.metric("minitwit_password_hashes_waiting") == 0)


def session(service: Service) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(service.url, connector=connector, timeout=PATIENT)


def head(service: Service, name: str) -> bytes:
    """A whole request to register, for api or for web."""
    if service.name == "api":
        body, kind = json.dumps(person(name)).encode(), b"application/json"
    else:
        body = urlencode(person(name) | {"password": PASSWORD, "password2": PASSWORD}).encode()
        kind = FORM
    lines = [b"POST /register HTTP/1.1", b"Host: x", b"Content-Type: " + kind]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


@pytest.mark.parametrize("name", ["api", "web"])
def test_who_hangs_up_leaves_the_queue(
    api: Service, web: Service, database_url: str, name: str
) -> None:
    service, crowd = {"api": api, "web": web}[name], 100
    for number in range(crowd):
        with connect(service.url) as connection:
            connection.sendall(head(service, f"gone by {name} {number}"))
    stays = partial(api.send, "POST", "/register", person(f"stays by {name}"))
    wait_for("a place for who stays", lambda: stays().status in (204, 400))
    settled(api)
    assert registered(database_url, f"stays by {name}") == 1
    assert registered(database_url, f"gone by {name}") < crowd / 2
    gave_up = wait_for("their lines", lambda: [x for x in service.logs() if x.get("status") == 499])
    assert {line["event"] for line in gave_up} == {"request"}, "it is not the client's mistake"


def test_a_log_in_goes_before_registrations(api: Service) -> None:
    api.send("POST", "/register", person("first"))

    async def crowd() -> tuple[int, int, int]:
        done: list[int] = []  # who was registered, in order
        begun = asyncio.Event()
        async with session(api) as client:

            async def join(number: int) -> None:
                async with client.post("/register", json=person(f"queued {number}")) as answer:
                    if answer.status == 204:
                        done.append(number)
                    begun.set()

            joining = [asyncio.ensure_future(join(n)) for n in range(50)]
            await begun.wait()
            body = {"username": "first", "password": PASSWORD}
            status = 503
            while status == 503:  # a machine this slow
                before = len(done)
                async with client.post("/api/sessions", json=body) as answer:
                    status, meanwhile = answer.status, len(done) - before
            await asyncio.gather(*joining)
        return status, meanwhile, len(joining) - before

    status, meanwhile, waiting = asyncio.run(crowd())
    assert status == 200
    assert meanwhile <= 12, f"{meanwhile} of {waiting} registrations were served before it"


async def _join(client: aiohttp.ClientSession, name: str) -> tuple[int, str]:
    async with client.post("/register", json=person(name)) as answer:
        await answer.read()
        return answer.status, answer.headers.get("Retry-After", "")


def test_what_the_processor_cannot_do_is_refused_at_once(api: Service, database_url: str) -> None:
    async def crowd() -> list[tuple[int, str]]:
        order: list[tuple[int, str]] = []
        async with session(api) as client:

            async def join(number: int) -> None:
                order.append(await _join(client, f"storming {number}"))

            await asyncio.gather(*map(join, range(500)))
        return order

    order = asyncio.run(crowd())
    counts = Counter(status for status, _ in order)
    assert {503} <= set(counts) <= {204, 503}, counts
    assert all(int(after) >= 1 for status, after in order if status == 503)
    statuses = [status for status, _ in order]
    if 204 in counts:
        assert statuses.index(503) < len(statuses) - 1 - statuses[::-1].index(204), "only later"
    assert registered(database_url, "storming") == counts[204]
    after = partial(api.send, "POST", "/register", person("after the storm"))
    wait_for("the next one", lambda: after().status in (204, 400))


def test_no_queue_is_longer_than_the_simulator_waits(database_url: str, tmp_path: Path) -> None:
    """Sixty hashes take longer than 0.25 s on any processor: some are refused."""
    settings = api_settings(Environment({"DATABASE_URL": "postgresql://x"}))
    assert settings.register_timeout < SIMULATOR_TIMEOUT

    async def crowd(api: Service) -> Counter[int]:
        async with session(api) as client:
            answers = await asyncio.gather(*(_join(client, f"queueing {n}") for n in range(60)))
        return Counter(status for status, _ in answers)

    with start_service("api", tmp_path, DATABASE_URL=database_url, REGISTER_TIMEOUT="") as api:
        counts = asyncio.run(crowd(api))
    assert {503} <= set(counts) <= {204, 503}, counts
    assert registered(database_url, "queueing") == counts[204]


async def _line(*patience: float) -> tuple[list[float], int]:
    """Return those served, in order, and the number of refusals.

    Each hash takes 0.11 s. All come before one is served; ``patience`` is the seconds each has.
    """
    queue, go, done = HashingQueue(1), asyncio.Event(), list[float]()
    for _ in range(50):
        queue.measured(0.11)

    async def register(seconds: float) -> None:
        deadline.begin(seconds)
        async with queue.register():
            await go.wait()
            done.append(seconds)

    tasks = []
    for seconds in patience:
        tasks.append(asyncio.create_task(register(seconds)))
        await wait_all_tasks_blocked()
    waiting = queue.waiting
    go.set()
    refused = await asyncio.gather(*tasks, return_exceptions=True)
    assert waiting == len(done)
    return done, sum(isinstance(one, Busy) for one in refused)


def test_a_deadline_decides_how_long_the_queue_may_be() -> None:
    """Six are always admitted; all others only if they have the time."""
    done, refused = asyncio.run(_line(*[0.25] * 15))
    assert (len(done), refused) == (6, 9)
    done, refused = asyncio.run(_line(*[60] * 15))
    assert (len(done), refused) == (15, 0)
    done, refused = asyncio.run(_line(*[60] * 30))
    assert len(done) == 18, "the queue is longer than two seconds"


def test_who_has_time_and_who_has_none_take_turns() -> None:
    done, _ = asyncio.run(_line(*[60] * 30, 0.25))
    assert done.index(0.25) == 3
    done, _ = asyncio.run(_line(*[0.25] * 30, 60))
    assert done.index(60) == 3


def test_a_page_that_says_no_means_no(api: Service, web: Service, database_url: str) -> None:
    async def crowd() -> Counter[int]:
        async with session(web) as client:

            async def sign_up(number: int) -> int:
                form: dict[str, Any] = person(f"signing up {number}")
                form |= {"password": PASSWORD, "password2": PASSWORD}
                async with client.post("/register", data=form, allow_redirects=False) as answer:
                    await answer.read()
                    assert answer.status == 302 or answer.headers["Retry-After"]
                    return answer.status

            return Counter(await asyncio.gather(*map(sign_up, range(200))))

    statuses = asyncio.run(crowd())
    settled(api)
    assert set(statuses) <= {302, 503}, statuses
    # Three are served at a time: those may be written at the very moment when web gives up.
    assert 0 <= registered(database_url, "signing up") - statuses[302] <= 3, statuses


def test_what_is_no_longer_wanted_is_not_done(api: Service, database_url: str) -> None:
    late = partial(api.send, "POST", X_Timeout_Ms="0")
    assert late("/register", person("late")).status == 503
    api.send("POST", "/register", person("in time"))
    body = {"username": "in time", "password": PASSWORD}
    before = sessions(database_url)
    assert late("/api/sessions", body).status == 503
    settled(api)
    assert registered(database_url, "late") == 0
    assert sessions(database_url) == before
    token = api.send("POST", "/api/sessions", body).json()["token"]
    bearer = f"Bearer {token}"
    assert late("/api/messages", {"text": "too late"}, Authorization=bearer).status == 503
    assert b"too late" not in api.get("/api/timelines/public").body


@pytest.mark.parametrize("said", ["", "-1", "abc", "1e3", "٣", "9" * 50])
def test_a_deadline_that_is_none_is_ignored(api: Service, said: str) -> None:
    headers = {"X_Timeout_Ms": said} if said.isascii() else {}
    assert api.get("/latest", **headers).status == 200
