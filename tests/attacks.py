"""Requests by hand: half of them, too much of them, and what comes back."""

from __future__ import annotations

import json
import socket

from tests.parts import PATIENCE


def connect(url: str) -> socket.socket:
    """A connection to the server of a URL."""
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=PATIENCE)


def rest(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    received = bytearray()
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:  # it closed with something of ours unread
            return bytes(received)
        if not chunk:
            return bytes(received)
        received += chunk


def refused(answer: bytes, status: int) -> dict[str, object]:
    """Assert that this is such an answer, in the pinned shape; its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    parsed: dict[str, object] = json.loads(body)
    assert parsed["status"] == status
    assert parsed["error_msg"]
    return parsed
