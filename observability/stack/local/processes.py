"""Finds the processes of a platform by a variable in their environment (Linux only)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

RUN_VARIABLE = "MINITWIT_RUN"  # in the environment of every process: the RUN_DIR of its platform
POLL = 0.05
KILLED = 60.0  # seconds in which a killed process ends, also where the machine has no time
STATE, PARENT, THREADS = 0, 1, 17  # fields of /proc/…/stat after the name, as proc(5) has them


def platform_pids(run_dir: Path) -> list[int]:
    """Return the pids of all running processes of a platform, except this one."""
    variable = f"{RUN_VARIABLE}={run_dir}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # exited meanwhile, or another user's
            if variable in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return [pid for pid in found if pid != os.getpid() and alive(pid)]


def supervisor_pid(run_dir: Path) -> int:
    """Return the pid of the supervisor of ``run_dir``; 0 if none runs.

    Not by its pid file, which can be removed as easily as its socket.
    """
    found = [pid for pid in platform_pids(run_dir) if b"supervisor.supervisord" in _command(pid)]
    # A component is a copy of the supervisor for a moment, until it runs its own program.
    return next((pid for pid in found if _parent(pid) not in found), 0)


def stop_orphans(run_dir: Path, patience: float = 10) -> int:
    """Stop the processes that a dead supervisor left behind; return how many there were."""
    found = pids = platform_pids(run_dir)
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, KILLED)):
        _signal(pids, number)
        deadline = time.monotonic() + seconds
        while any(map(alive, pids)) and time.monotonic() < deadline:
            time.sleep(POLL)
        pids = platform_pids(run_dir)
    return len(found)


def alive(pid: int) -> bool:
    """Return whether a process exists and has not ended, with all of its threads.

    The first thread of a process that is killed may be a zombie while another still holds what
    all share: a port is free when the last has ended.
    """
    fields = _stat(pid)
    return bool(fields) and (fields[STATE] not in "ZX" or int(fields[THREADS]) > 1)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on from /proc; empty without such a process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[PARENT]) if fields else 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
