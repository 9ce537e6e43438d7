"""What clients do to api."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from observability.stack.targets import PROBE_USER
from tests.drills.faults import beside
from tests.drills.site import Site

_numbers = itertools.count(1)


def read(site: Site) -> None:
    """The newest messages."""
    site.send("GET", "/msgs", "")


def followed(site: Site) -> None:
    """Request the users that a user follows."""
    site.send("GET", f"/fllws/{PROBE_USER}", "")


def post(site: Site) -> None:
    """A message of the user that ``register_again`` registers."""
    site.send("POST", "/msgs/drill", {"content": "a drill"})


def register_someone(site: Site) -> None:
    """One more of a crowd registers."""
    name = f"drill{os.getpid()}x{next(_numbers)}"
    site.send("POST", "/register", {"username": name, "email": "d@d.d", "pwd": "drill"})


def register_again(site: Site) -> None:
    """The same name each time."""
    site.send("POST", "/register", {"username": "drill", "email": "d@d.d", "pwd": "drill"})


def try_a_password(site: Site) -> None:
    """A log-in that fails."""
    site.send("POST", "/api/sessions", {"username": "nobody", "password": str(next(_numbers))})


def send_garbage(site: Site) -> None:
    """A body that is no JSON."""
    site.send("POST", f"/fllws/{PROBE_USER}", "{no json")


@contextmanager
def crowded(site: Site) -> Iterator[None]:
    """Thousands of clients begin a large request and do not end it."""
    host, _, port = site.url("api").removeprefix("http://").partition(":")
    head = b"GET /msgs HTTP/1.1\r\nHost: drill\r\nX-Large: " + b"x" * 30_000

    def work(over: threading.Event) -> None:
        while not over.is_set():
            held = []
            for _ in range(3000):
                with contextlib.suppress(OSError):
                    one = socket.create_connection((host, int(port)), 5)
                    held.append(one)
                    one.sendall(head)
                if over.is_set():
                    break
            over.wait(5)
            for one in held:
                one.close()

    try:
        with beside(work, 2):
            yield
    finally:
        site.stop("api")  # as the runbook says: what Python once took it does not give back
        site.start("api")
