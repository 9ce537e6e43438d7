"""A client that does not read a long response loses its connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.app.test_contract import AUTHORIZATION, register
from tests.attacks import connect, rest
from tests.parts import Service, request, start_service, wait_for

ASK = (
    b"GET /msgs?no=10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
    + AUTHORIZATION.encode()
    + b"\r\n\r\n"
)
LEAST = 15_000_000  # bytes of the list; far more than the kernel keeps for a connection
MIB = 1024**2


@contextmanager
def api(database_url: str, folder: Path, **settings: Any) -> Iterator[Service]:
    """An api with 18 MB of messages."""
    with start_service(
        "api", folder, DATABASE_URL=database_url, STATEMENT_TIMEOUT="60", **settings
    ) as service:
        register(service, "Prolific")
        with psycopg.connect(database_url) as connection:
            connection.execute("""
                INSERT INTO messages (author_id, text, pub_date)
                SELECT (SELECT id FROM users WHERE username = 'Prolific'), repeat('x', 2000), n
                FROM generate_series(1, 9000) n WHERE NOT EXISTS (SELECT FROM messages)""")
        yield service


@pytest.fixture
def hasty(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """An api that waits four seconds for readers, and allows lists of any length."""
    free = {"LIST_BYTES": "100000000", "ANSWER_BYTES": "200000000"}
    with api(database_url, tmp_path, WRITE_SECONDS="4", **free) as service:
        yield service


def asked(service: Service) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
    connection.sendall(ASK)
    return connection


def read(service: Service) -> bytes:
    with connect(service.url) as reader:
        reader.sendall(ASK)
        return rest(reader)


def test_who_does_not_read_is_closed_and_who_does_gets_everything(hasty: Service) -> None:
    crowd = [asked(hasty) for _ in range(5)]
    try:
        in_progress = "minitwit_http_requests_in_progress"
        wait_for("all given up", lambda: hasty.metric(in_progress) == 0 and lines(hasty) == 5)
        for connection in crowd:
            assert len(rest(connection)) < LEAST
    finally:
        for connection in crowd:
            connection.close()
    # Four seconds may be too short for a reader without a processor.
    wait_for("all of it", lambda: len(read(hasty)) > LEAST)


def test_a_crowd_that_does_not_read_holds_a_bounded_amount(
    database_url: str, tmp_path: Path
) -> None:
    """Of several 18 MB responses, with 32 MB for all, one is sent."""
    free = {"LIST_BYTES": "100000000", "WRITE_SECONDS": "600"}
    with api(database_url, tmp_path, **free) as service:
        before = service.metric("process_resident_memory_bytes")
        crowd = []
        try:
            for number in range(10):  # one by one: what is built at once is bounded by the pool
                crowd.append(asked(service))
                wait_for("its answer", partial(answered, service, number))
            held = service.metric("process_resident_memory_bytes") - before
            assert held < 120 * MIB  # all ten are 180, and what builds them
            assert len(small(service)) == 5  # what is small is answered all the same
            statuses = [rest(connection).partition(b"\r\n")[0] for connection in crowd]
            assert statuses.count(b"HTTP/1.1 503 Service Unavailable") == 9
        finally:
            for connection in crowd:
                connection.close()
        wait_for("room again", lambda: len(everything(service)) == 9000)


def test_a_list_ends_where_it_gets_too_large(database_url: str, tmp_path: Path) -> None:
    with api(database_url, tmp_path) as service:
        found = everything(service)
        newest_first = [entry["pub_date"] for entry in found]
        assert newest_first == list(range(9000, 9000 - len(found), -1))
        entry = len(json.dumps(found[0], separators=(",", ":"))) + 1
        assert 2 * MIB - entry <= entry * len(found) <= 2 * MIB


def small(service: Service) -> list[dict[str, object]]:
    return listed(service, "/msgs?no=5")


def everything(service: Service) -> list[dict[str, object]]:
    return listed(service, "/msgs?no=10000")


def listed(service: Service, path: str) -> list[dict[str, object]]:
    answer = request("GET", service.url + path, headers={"Authorization": AUTHORIZATION})
    found: list[dict[str, object]] = answer.json() if answer.status == 200 else []
    return found


def answered(service: Service, number: int) -> bool:
    return lines(service) >= number


def lines(service: Service) -> int:
    """How many requests for the list are over."""
    return sum(line.get("route") == "/msgs" for line in service.logs())
