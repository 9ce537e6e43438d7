"""Requests that no generator of well-formed ones would make, byte by byte over a socket."""

from __future__ import annotations

import json
import os
import random
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.parts import PostgresServer, Service, start_service, wait_for

SEED = int(os.environ.get("FUZZ_SEED", "20261123"))
HOW_MANY = 10_000
BASIC = b"Authorization: Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh"

METHODS = (b"GET", b"GET", b"GET", b"POST", b"POST", b"POST", b"POST",
           b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"TRACE", b"BREW",
           b"get", b"CONNECT", b"PROPFIND", b"")  # fmt: skip
PATHS = (
    *[b"/msgs/known"] * 8, *[b"/fllws/known"] * 8, b"/", b"/latest", b"/register", b"/msgs",
    b"/msgs/known", b"/fllws/known", b"/api/session",
    b"/api/sessions", b"/api/messages", b"/api/timelines/public", b"/api/timelines/user/known",
    b"/api/follows/known", b"/api/openapi.json", b"/metrics", b"/healthz", b"/readyz", b"*",
    b"//", b"/msgs/", b"/msgs//", b"/msgs/..%2f..", b"/msgs/%00", b"/msgs/%ff%fe", b"/msgs/%",
    b"/msgs/%zz", b"/msgs/" + b"a" * 6000, b"http://elsewhere/msgs", b"/%2e%2e/", b"/msgs;x=1",
    "/msgs/é".encode(), b"/msgs/\x80", b"/./msgs", b"/fllws/%F0%9F%98%80", b"/fllws/%ED%A0%80",
)  # fmt: skip
QUERIES = (
    b"", b"?", b"?latest=1", b"?latest=-1", b"?latest=" + b"9" * 30, b"?no=-1", b"?no=abc",
    b"?no=1&no=2", b"?before=1.1", b"?before=-9.-9", b"?before=99999999999999999999.1",
    b"?before=%00", b"?%", b"?a=%ff", b"?&&&=", b"?latest=%D9%A3", b"?no=1e400",
)  # fmt: skip
BODIES = (
    b"", b"{}", b"[]", b"null", b"true", b"1e999", b"NaN", b'"x"', b"{", b"\xff\xfe{}",
    b'{"content":"x"}', b'{"content":[]}', b'{"content":{"a":1}}', b'{"content":"\\ud800"}',
    b'{"follow":"known"}', b'{"unfollow":7}', b'{"follow":null,"unfollow":"known"}',
    b'{"username":"u","email":"@","pwd":""}', b'{"username":{},"email":[],"pwd":0}',
    b'{"username":"\\u0000","email":"a@b","pwd":"x"}', b'{"a":' * 3000, b"[" * 60_000,
    b'{"username":"known","password":"\\ud800"}', b'{"text":"\\u202e\\u0007"}', b"x" * 70_000,
    b'{"content":' + b"9" * 5000 + b"}", b"content=x&text=y", b"\x00" * 100,
)  # fmt: skip
HEADERS = (
    *[BASIC] * 20, b"Authorization: Bearer x", b"Authorization: Bearer", b"Authorization: ",
    b"Authorization: Basic \xff", b"Authorization: Basic Og==", b"Content-Type: \xe9",
    b"Content-Type: application/json; charset=utf-16", b"Content-Encoding: gzip", b"Accept: \x80/*",
    b"X-Request-ID: a\tb", b"X-Request-ID: " + b"x" * 300, b"X-Forwarded-For: ' OR 1=1",
    b"X-Forwarded-For: 999.1.1.1", b"X-Forwarded-For: ,,,", b"X-Forwarded-Proto: gopher",
    b"traceparent: 00-0-0-0", b"traceparent: \xff", b"Cookie: a=b; c", b"Cookie: session=\xff",
    b"Range: bytes=0-", b"If-None-Match: *", b"Expect: 100-continue", b"Expect: 999",
    b"Upgrade: websocket\r\nConnection: Upgrade", b"Upgrade: h2c\r\nConnection: Upgrade",
    b"Connection: close", b"Host: \xff", b"Host: a:b:c", b"Host:", b"TE: trailers",
    b"X: " + b"y" * 200,
)  # fmt: skip
NO_HTTP = b"Invalid HTTP request received."  # uvicorn's own words; nginx has the pinned shape
FRAMES = (*[b"HTTP/1.1"] * 16, b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"")


@pytest.fixture(scope="module")
def attacked(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """An api with one user."""
    url = postgres_server.create_database("strange")
    folder = tmp_path_factory.mktemp("strange")
    with start_service("api", folder, DATABASE_URL=url, BODY_SECONDS="0.3") as api:
        body = {"username": "known", "email": "a@b.c", "pwd": "pw"}
        assert api.send("POST", "/register", body).status == 204
        yield api


def strange(choose: random.Random) -> bytes:
    """A request: mostly a plausible one with something wrong, sometimes cut or with noise."""
    body = choose.choice(BODIES)
    headers = choose.sample(HEADERS, choose.choice((0, 1, 1, 2, 3)))
    length = choose.choice([b"Content-Length: %d" % len(body)] * 8 + [b"Content-Length: -1", b""])
    line = b" ".join(
        (
            choose.choice(METHODS),
            choose.choice(PATHS) + choose.choice(QUERIES),
            choose.choice(FRAMES),
        )
    )
    request = b"\r\n".join(
        (line, b"Host: x", b"Connection: close", length or b"X: 1", *headers, b"", body)
    )
    if choose.random() < 0.05:
        at = choose.randrange(len(request))
        request = request[:at] + choose.randbytes(choose.randint(1, 9)) + request[at + 1 :]
    return request


def answer(api: Service, request: bytes) -> bytes:
    """What comes back until the connection is closed, or nothing more comes."""
    address = ("127.0.0.1", int(api.url.rpartition(":")[2]))
    received = b""
    whole = b"\r\n\r\n" in request  # for half a head uvicorn waits, and nginx in front does not
    with socket.create_connection(address, timeout=20 if whole else 0.5) as connection:
        try:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                received += chunk
                connection.settimeout(1)  # one that lost its "Connection: close" is kept open
        except (ConnectionResetError, BrokenPipeError):
            pass  # it had heard enough; whether it lives is asserted below
        except TimeoutError:
            assert received or not whole, request
    return received


def test_nothing_strange_is_a_server_error(attacked: Service) -> None:
    choose = random.Random(SEED)
    requests = [strange(choose) for _ in range(HOW_MANY)]
    with ThreadPoolExecutor(16) as clients:
        answers = clients.map(partial(answer, attacked), requests)
    statuses: Counter[int] = Counter()
    for sent, (head, _, body) in zip(
        requests, (a.partition(b"\r\n\r\n") for a in answers), strict=False
    ):
        status = int(head.split()[1]) if head else 0
        statuses[status] += 1
        assert status < 500, (sent[:300], head)
        if status >= 400 and body != NO_HTTP and body:
            parsed, _ = json.JSONDecoder().raw_decode(body.decode())  # what is behind it is next
            assert (parsed["status"], bool(parsed["error_msg"])) == (status, True), (sent, body)
    print(f"\n{HOW_MANY} strange requests: {dict(sorted(statuses.items()))}")
    assert {200, 204, 400, 403, 404, 405, 413} <= statuses.keys()
    assert attacked.get("/readyz").status == 200


def test_each_line_of_the_log_is_still_one_object(attacked: Service) -> None:
    lines = wait_for("a log", attacked.logs)
    assert not [line for line in lines if line["event"] == "unhandled"]
    assert not [line for line in lines if line.get("status", 0) >= 500]
