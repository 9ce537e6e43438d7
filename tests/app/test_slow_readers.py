"""A client that asks for a long list and does not read it loses its connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.app.test_contract import AUTHORIZATION, register
from tests.attacks import rest
from tests.parts import Service, start_service, wait_for

ASK = (
    b"GET /msgs?no=10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
    + AUTHORIZATION.encode()
    + b"\r\n\r\n"
)
LEAST = 15_000_000  # bytes of the list; far more than the kernel keeps for a connection


@pytest.fixture
def hasty(database_url: str, tmp_path: Path) -> Iterator[Service]:
    """An api that waits four seconds for readers, with a long list."""
    with start_service("api", tmp_path, DATABASE_URL=database_url, WRITE_SECONDS="4") as service:
        register(service, "Prolific")
        with psycopg.connect(database_url) as connection:
            connection.execute("""
                INSERT INTO messages (author_id, text, pub_date)
                SELECT (SELECT id FROM users WHERE username = 'Prolific'), repeat('x', 2000), n
                FROM generate_series(1, 9000) n""")
        yield service


def asked(service: Service) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
    connection.sendall(ASK)
    return connection


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
    with socket.create_connection(("127.0.0.1", int(hasty.url.rpartition(":")[2]))) as reader:
        reader.sendall(ASK)
        with reader.makefile("rb") as answer:
            assert len(answer.read()) > LEAST


def lines(service: Service) -> int:
    """How many requests for the list are over."""
    return sum(line.get("route") == "/msgs" for line in service.logs())
