"""How a request ends, told apart on real sockets."""

import asyncio
import socket
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from observability.catalog import TIMEOUT_HEADER
from simulator.client import Client, Outcome
from simulator.scenario import Action
from simulator.wire import Address, Wire
from tests.parts import PATIENCE, free_port, wait_for
from tests.simulator import fakes
from tests.simulator.fakes import Behaviour, answer, fake_api

TWEET = Action(17, 0, "", "tweet", "A B", ("hi",))


def send(url: str, *actions: Action, timeout: float = PATIENCE) -> list[Outcome]:
    async def run() -> list[Outcome]:
        address = Address.parse(url)
        client = Client(address, timeout)
        wire = Wire(address, "simulator", "super_safe!", False, timeout)
        outcomes = [await client.send(wire.action(action)) for action in actions]
        client.close()
        return outcomes

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("behaviour", "kind", "status"),
    [
        (fakes.fine, "answer", 204),
        (lambda *_: answer(500, b"oops"), "answer", 500),
        (fakes.hesitates, "answer", 204),
        (lambda *_: b"HTTP/1.0 404 X\r\n\r\nuntil the end", "answer", 404),
        (fakes.silent, "timeout", 0),
        (fakes.late, "timeout", 0),
        (fakes.trickles, "timeout", 0),
        (fakes.resets, "reset", 0),
        (fakes.closes, "reset", 0),
        (fakes.cuts, "reset", 0),
        (fakes.babbles, "other", 0),
    ],
)
def test_kinds(behaviour: Behaviour, kind: str, status: int) -> None:
    with fake_api(behaviour) as api:
        (outcome,) = send(api.url, TWEET, timeout=0.3 if kind == "timeout" else PATIENCE)
        assert (outcome.kind, outcome.status) == (kind, status)
        wait_for("the request", lambda: api.seen)
        assert len(api.seen) == 1, "it must not try again"
    if kind == "timeout":
        assert outcome.seconds >= 0.295


def test_nobody_listens() -> None:
    (outcome,) = send(f"http://127.0.0.1:{free_port()}", TWEET)
    assert outcome.kind == "refused"


def test_connecting_counts_too() -> None:
    """A full backlog leaves the connection hanging before anything can be read."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        (outcome,) = send(f"http://127.0.0.1:{port}", TWEET, timeout=0.3)
        for filler in fillers:
            filler.close()
    assert outcome.kind == "timeout"


def test_an_unknown_host_is_no_refusal() -> None:
    (outcome,) = send("http://no-such-host.invalid:5001", TWEET)
    assert outcome.kind == "other"


def test_the_body_of_an_answer_is_kept() -> None:
    with fake_api(lambda *_: answer(400, b'{"error_msg": "no"}')) as api:
        (outcome,) = send(api.url, TWEET)
    assert outcome.body == b'{"error_msg": "no"}'


def test_headers_are_those_of_the_course() -> None:
    with fake_api() as api:
        send(api.url, TWEET)
        (seen,) = api.seen
    assert seen.line == "POST /msgs/A%20B?latest=17 HTTP/1.1"
    assert seen.headers["Connection"] == "close"
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.headers["Authorization"] == "Basic c2ltdWxhdG9yOnN1cGVyX3NhZmUh"
    assert seen.headers["Host"] == api.url.removeprefix("http://")


@pytest.mark.parametrize(
    ("command", "rest", "line", "body"),
    [
        ("register", ("a@b", "p"), "/register", {"username": "A", "email": "a@b", "pwd": "p"}),
        ("tweet", ("😀 \\",), "/msgs/A", {"content": "😀 \\"}),
        ("follow", ("B",), "/fllws/A", {"follow": "B"}),
        ("unfollow", ("B",), "/fllws/A", {"unfollow": "B"}),
    ],
)
def test_bodies(command: str, rest: tuple[str, ...], line: str, body: dict[str, str]) -> None:
    with fake_api() as api:
        send(api.url, Action(1, 0, "", command, "A", rest))
    assert api.seen[0].line == f"POST {line}?latest=1 HTTP/1.1"
    assert api.seen[0].body == body


def test_only_who_waits_longer_than_the_course_says_so() -> None:
    with fake_api() as api:
        send(api.url, TWEET, timeout=0.3)
        wait_for("the first", lambda: api.seen)
        send(api.url, TWEET, timeout=2.5)
        wait_for("the second", lambda: len(api.seen) == 2)
    assert [seen.headers.get(TIMEOUT_HEADER) for seen in api.seen] == [None, "2500"]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_survives_the_path(name: str) -> None:
    wire = Wire(Address.parse("http://h:1"), "u", "p", False)
    line = wire.action(Action(1, 0, "", "tweet", name, ("x",))).split(b"\r\n")[0].decode("ascii")
    path = line.removeprefix("POST /msgs/").removesuffix("?latest=1 HTTP/1.1")
    assert "/" not in path
    assert "?" not in path
    assert unquote(path) == name


def test_kept_connections_are_used_again() -> None:
    connections: set[object] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        for status in (204, 500, 204):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split()[0]))
            writer.write(answer(status))
        writer.close()

    async def run() -> list[Outcome]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            address = Address.parse(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            client, wire = Client(address, 1, True), Wire(address, "u", "p", True)
            outcomes = [await client.send(wire.action(TWEET)) for _ in range(3)]
            client.close()
        return outcomes

    assert [outcome.status for outcome in asyncio.run(run())] == [204, 500, 204]
    assert len(connections) == 1


@pytest.mark.parametrize("url", ["", "x", "127.0.0.1:5001", "ftp://x", "http://", "http://x:99999"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        Address.parse(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://a", "http://a:80"),
        ("https://a/b/", "https://a:443/b"),
        ("http://[::1]:5", "http://[::1]:5"),
    ],
)
def test_addresses(url: str, told: str) -> None:
    assert str(Address.parse(url)) == told
