"""The supervisor that keeps the components: start it, ask it, and sweep up what it left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from observability.stack.local.layout import MARK, socket_path
from observability.stack.settings import StackError

# What the components must not inherit from the shell: each gets its own.
PRIVATE = {"DATABASE_URL", "DATABASE_URL_FILE", "HOST", "PORT", "API_URL", "LOG_FILE", "LOG_STDOUT"}
NOT_RUNNING = 70  # fault codes of supervisor's interface
ALREADY_STARTED = 60


@dataclass(frozen=True, slots=True)
class Process:
    """A component as supervisor sees it: RUNNING, STOPPED, STARTING, BACKOFF, EXITED or FATAL."""

    state: str
    pid: int
    exit_status: int
    message: str

    @property
    def complaint(self) -> str:
        """Why it is not ready, for people."""
        if self.state == "RUNNING":
            return "does not answer"
        how = f"status {self.exit_status}" if self.state == "EXITED" else self.message
        return f"{self.state.lower()}: {how}"


class Supervisor:
    """The supervisor of the stack in ``run_dir``."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self._record = run_dir / "supervisor.socket"
        self.socket = socket_path(run_dir)
        if self._record.exists():  # started from a session with another XDG_RUNTIME_DIR, maybe
            self.socket = Path(self._record.read_text())

    def call(self, method: str, *arguments: Any) -> Any:
        """One call of supervisor's interface; OSError if it does not run."""
        transport = SupervisorTransport("", "", f"unix://{self.socket}")
        with contextlib.closing(transport):
            server = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(server.supervisor, method)(*arguments)

    def running(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.call("getState")["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def launch(self, config: Path) -> None:
        """Start it in the background, with no component running yet."""
        folder = self.socket.parent
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.geteuid() or folder.stat().st_mode & 0o077:
            raise StackError(f"{folder} is not ours alone; remove it, or set XDG_RUNTIME_DIR")
        self._record.write_text(str(self.socket))
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)]
        environment = {k: v for k, v in os.environ.items() if k not in PRIVATE}
        done = subprocess.run(
            command,
            env=environment | {MARK: str(self.run_dir)},
            capture_output=True,
            text=True,
            check=False,
        )
        deadline = time.monotonic() + 15
        while not done.returncode and time.monotonic() < deadline:
            if self.running():
                return
            time.sleep(0.05)
        raise StackError(f"The supervisor does not start: {(done.stderr or done.stdout).strip()}")

    def reload(self) -> None:
        """Take over a changed configuration: changed components stop, removed ones go."""
        added, changed, removed = self.call("reloadConfig")[0]
        for name in [*changed, *removed]:
            self.call("stopProcessGroup", name)
            self.call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self.call("addProcessGroup", name)

    def processes(self) -> dict[str, Process]:
        """Every component that it knows, by name; empty if it does not run."""
        try:
            rows = self.call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            return {}
        return {
            row["name"]: Process(
                row["statename"], row["pid"], row["exitstatus"], row["description"]
            )
            for row in rows
        }

    def start(self, name: str) -> None:
        """Start a component without waiting; one that runs already is left alone."""
        self._tolerating(ALREADY_STARTED, "startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop a component for good, and wait until it has ended."""
        self._tolerating(NOT_RUNNING, "stopProcess", name)

    def hang_up(self, name: str) -> None:
        """Make a running component read its configuration again."""
        self._tolerating(NOT_RUNNING, "signalProcess", name, "HUP")

    def _tolerating(self, code: int, method: str, *arguments: Any) -> None:
        try:
            self.call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != code:
                raise StackError(f"{arguments[0]}: {fault.faultString}") from None
        except OSError as error:
            raise StackError(f"The supervisor does not answer: {error}") from None

    def forget(self) -> None:
        """Remove the socket's folder and the note of where it was."""
        self.socket.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.socket.parent.rmdir()
        self._record.unlink(missing_ok=True)


def leftovers(run_dir: Path) -> list[int]:
    """Processes that carry the mark of the stack in ``run_dir``, by pid (Linux only)."""
    mark = f"{MARK}={run_dir}".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # ended meanwhile, or another user's
            if mark in environ.read_bytes().split(b"\0"):
                found.append(int(environ.parent.name))
    return [pid for pid in found if pid != os.getpid() and _alive(pid)]


def sweep(run_dir: Path, patience: float = 10) -> int:
    """End what a supervisor that died left behind; how many there were."""
    pids = leftovers(run_dir)
    _signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(map(_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    _signal(leftovers(run_dir), signal.SIGKILL)
    return len(pids)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
