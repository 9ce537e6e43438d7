"""Ports in use, and the process that listens on them where /proc shows it."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from observability.stack.settings import HOST

TCP_LISTEN = "0A"  # the state in /proc/net/tcp


def taken(port: int) -> bool:
    """Return whether ``port`` of this host cannot be bound."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return True
    return False


def listener(port: int) -> str:
    """Return the process that listens on ``port``, as ``name (pid n)``; '' if unknown."""
    process = _holder(port, "[0-9]*")
    with suppress(OSError):  # it has ended
        return f"{(process / 'comm').read_text().strip()} (pid {process.name})" if process else ""
    return ""


def listens(pid: int, port: int) -> bool:
    """Return whether this process itself listens on ``port``."""
    return _holder(port, str(pid)) is not None


def _holder(port: int, pids: str) -> Path | None:
    """Return the folder in /proc of one of these processes that listens on ``port``."""
    inodes = _listening(port)
    for link in Path("/proc").glob(f"{pids}/fd/*"):
        with suppress(OSError):  # gone, or another user's
            target = str(link.readlink())
            if target.startswith("socket:[") and target[8:-1] in inodes:
                return link.parents[1]
    return None


def _listening(port: int) -> set[str]:
    """Return the inodes of sockets that listen on ``port``."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            _, local, _, state, *_ = fields = line.split()
            if state == TCP_LISTEN and int(local.rpartition(":")[2], 16) == port:
                inodes.add(fields[9])  # as proc(5) has it
    return inodes
