"""The supervisor's socket: how it is asked, and how the socket comes back if it was removed.

It lies in ``run_dir``: what is in /run and /tmp is cleaned by others. A second name of the same
socket lies beside the data, so that the first can be made anew while the supervisor runs.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any

NAME = "supervisor.sock"
SPARE = f"data/{NAME}"
LONGEST = 90  # bytes; a socket's path may have 107, and the supervisor adds its pid
PATIENCE = 30.0  # seconds for one answer; to stop a component takes 10


def bound_path(run_dir: Path) -> Path:
    """The socket's path as the supervisor binds it, whose working directory is ``run_dir``."""
    path = run_dir / NAME
    return path if len(bytes(path)) <= LONGEST else Path("/proc/self/cwd") / NAME


def keep_spare(run_dir: Path) -> None:
    """Give the socket its second name."""
    forget_spare(run_dir)
    os.link(run_dir / NAME, run_dir / SPARE)


def restore(run_dir: Path) -> bool:
    """Make a socket that was removed anew from its second name; whether that was possible."""
    try:
        os.link(run_dir / SPARE, run_dir / NAME)
    except OSError:
        return False
    return True


def forget_spare(run_dir: Path) -> None:
    """Remove the second name."""
    (run_dir / SPARE).unlink(missing_ok=True)


def call(run_dir: Path, method: str, *arguments: Any) -> Any:
    """One call of supervisor's XML-RPC interface; OSError if nothing answers."""
    with contextlib.closing(_Transport(run_dir)) as transport:
        server = xmlrpc.client.ServerProxy("http://supervisor", transport=transport)
        return getattr(server.supervisor, method)(*arguments)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, run_dir: Path) -> None:
        super().__init__()
        self.own = _Connection(run_dir)

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return self.own

    def close(self) -> None:
        self.own.close()
        super().close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, run_dir: Path) -> None:
        super().__init__("supervisor")
        self._run_dir = run_dir

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        folder = os.open(self._run_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            path = self._run_dir / NAME
            if len(bytes(path)) > LONGEST:
                path = Path(f"/proc/self/fd/{folder}/{NAME}")
            self.sock.connect(str(path))
        finally:
            os.close(folder)
