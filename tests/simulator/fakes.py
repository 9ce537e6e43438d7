"""Servers on real sockets that behave as badly as a test wants."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.parts import PATIENCE


@dataclass
class Seen:
    """A request, and when (``time.monotonic``) it came and was answered."""

    line: str
    headers: dict[str, str]
    body: Any
    came: float
    answered: float = 0.0

    @property
    def names(self) -> list[str]:
        """The users that it names, the actor first."""
        path = urlsplit(self.line.split()[1]).path
        actor = self.body["username"] if path == "/register" else unquote(path.split("/", 2)[2])
        return [actor, *(self.body[key] for key in ("follow", "unfollow") if key in self.body)]

    @property
    def id(self) -> int:
        """Its ``latest``."""
        return int(parse_qs(urlsplit(self.line.split()[1]).query)["latest"][0])

    @property
    def registers(self) -> bool:
        """Whether it is a registration."""
        return self.line.startswith("POST /register?")


def answer(status: int, body: bytes = b"") -> bytes:
    """An HTTP answer."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


Behaviour = Callable[[Seen, socket.socket], bytes | None]


def fine(seen: Seen, connection: socket.socket) -> bytes:
    """Answers 204 at once."""
    return answer(204)


def silent(seen: Seen, connection: socket.socket) -> None:
    """Never answers; holds the connection until the client goes."""
    connection.recv(1)


def resets(seen: Seen, connection: socket.socket) -> None:
    """Ends the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closes(seen: Seen, connection: socket.socket) -> None:
    """Ends the connection in order, without an answer."""


def cuts(seen: Seen, connection: socket.socket) -> None:
    """Ends the connection in the middle of the answer."""
    connection.sendall(answer(200, b"12345")[:-2])


def trickles(seen: Seen, connection: socket.socket) -> None:
    """Sends a little again and again, and never all, until the client goes."""
    connection.sendall(b"HTTP/1.1 204 ")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        connection.sendall(b"X")
        time.sleep(0.05)


def hesitates(seen: Seen, connection: socket.socket) -> bytes:
    """Says that it goes on, and does so a little later."""
    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    time.sleep(0.05)
    return answer(204)


def late(seen: Seen, connection: socket.socket) -> bytes:
    """Answers once the client has given up."""
    connection.recv(1)
    return answer(204)


def babbles(seen: Seen, connection: socket.socket) -> bytes:
    """Speaks something else than HTTP."""
    return b"220 ready when you are\r\n"


@dataclass
class FakeApi:
    """What it saw, and its address. ``/latest`` tells ``latest`` and is not recorded."""

    url: str
    latest: int = -1
    seen: list[Seen] = field(default_factory=list)


@contextmanager
def fake_api(behaviour: Behaviour = fine, port: int = 0) -> Iterator[FakeApi]:
    """A server that answers ``/latest`` and leaves the rest to ``behaviour``."""
    api = FakeApi("")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(PATIENCE)
            with suppress(OSError):  # the client has given up, or never does
                self._serve()

        def _serve(self) -> None:
            came = time.monotonic()
            head, _, body = self._read()
            lines = head.decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:])
            seen = Seen(lines[0], headers, json.loads(body) if body else None, came)
            if lines[0].startswith("GET /latest "):
                reply: bytes | None = answer(200, json.dumps({"latest": api.latest}).encode())
            else:
                api.seen.append(seen)
                reply = behaviour(seen, self.request)
            seen.answered = time.monotonic()
            if reply is not None:
                self.request.sendall(reply)

        def _read(self) -> tuple[bytes, bytes, bytes]:
            data = b""
            while True:
                head, end, body = data.partition(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                if end and len(body) >= int(length or 0):
                    return head, end, body
                if not (more := self.request.recv(65536)):
                    raise ConnectionError
                data += more

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        request_queue_size = 512

    with Server(("127.0.0.1", port), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
