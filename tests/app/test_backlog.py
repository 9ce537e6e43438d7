"""Clients of a service that is far behind wait outside, not in a long queue."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack
from pathlib import Path

from app.server import BACKLOG
from tests.parts import start_service, wait_for

LISTENS = "0A"  # the state in /proc/net/tcp, where ``rx_queue`` then counts connections


def queued(port: int) -> int:
    """Connections to this port of 127.0.0.1 that are not yet accepted."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    [queues] = [p[4] for p in lines if p[1] == f"0100007F:{port:04X}" and p[3] == LISTENS]
    return int(queues.partition(":")[2], 16)


def test_a_service_that_stands_still_lets_few_queue(app_url: str, tmp_path: Path) -> None:
    with start_service("api", tmp_path, DATABASE_URL=app_url) as api, ExitStack() as opened:
        port = int(api.url.rpartition(":")[2])
        api.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3 * BACKLOG):
                client = opened.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            # The kernel takes one more than it is told.
            wait_for("a full queue", lambda: queued(port) == BACKLOG + 1)
        finally:
            api.process.send_signal(signal.SIGCONT)
        wait_for("an empty queue", lambda: not queued(port))
        assert api.get("/latest").status == 200
