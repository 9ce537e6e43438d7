"""The supervisor's control socket, and its recovery after it was removed.

It is in ``run_dir``, because /run and /tmp are cleaned up by others. A hard link to it is beside
the data, so that the first name can be restored while the supervisor runs.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import xmlrpc.client
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

NAME = "supervisor.sock"
SPARE = f"data/{NAME}"
LONGEST = 90  # bytes; a socket's path may have 107, and the supervisor adds its pid
PATIENCE = 30.0  # seconds for a response; stopping a component takes 10


def bound_path(run_dir: Path) -> Path:
    """Return the socket's path as the supervisor, with working directory ``run_dir``, binds it."""
    path = run_dir / NAME
    return path if len(bytes(path)) <= LONGEST else Path("/proc/self/cwd") / NAME


def keep_spare(run_dir: Path) -> None:
    """Create the hard link."""
    forget_spare(run_dir)
    os.link(run_dir / NAME, run_dir / SPARE)


def restore(run_dir: Path) -> bool:
    """Restore a removed socket from its hard link; return whether that was possible."""
    try:
        os.link(run_dir / SPARE, run_dir / NAME)
    except OSError:
        return False
    return True


def forget_spare(run_dir: Path) -> None:
    """Remove the hard link."""
    (run_dir / SPARE).unlink(missing_ok=True)


def call(run_dir: Path, method: str, *arguments: Any) -> Any:
    """Call supervisor's XML-RPC interface; OSError if nothing answers."""
    with contextlib.closing(_Transport(run_dir)) as transport:
        server = xmlrpc.client.ServerProxy("http://supervisor", transport=transport)
        try:
            return getattr(server.supervisor, method)(*arguments)
        except (http.client.HTTPException, ExpatError) as error:  # killed while it answered
            raise ConnectionError(f"half an answer: {error!r}") from error


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
