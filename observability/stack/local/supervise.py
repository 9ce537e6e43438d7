"""The supervisor of the components: start, query and control it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from observability.stack.local import control
from observability.stack.local.env_variables import inherited
from observability.stack.local.processes import POLL, RUN_VARIABLE, alive, supervisor_pid
from observability.stack.settings import StackError

NOT_RUNNING = 70  # fault codes of supervisor's interface
ALREADY_STARTED = 60
LAUNCH = 15.0  # seconds in which it must respond
RETRY = 12.0  # seconds within which a failed component is started again, see restarts.py


@dataclass(frozen=True, slots=True)
class Process:
    """A component in supervisor's state: RUNNING, STOPPED, STARTING, BACKOFF, EXITED or FATAL."""

    state: str
    pid: int
    exit_status: int
    message: str

    @property
    def failing(self) -> bool:
        """Whether it exited soon after its last start; the supervisor retries."""
        return self.state in ("BACKOFF", "FATAL")

    @property
    def complaint(self) -> str:
        """Why it is not ready, as text for users."""
        if self.state == "RUNNING":
            return "does not answer"
        how = f"status {self.exit_status}" if self.state == "EXITED" else self.message
        again = "; tried again every few seconds" if self.failing else ""
        return f"{self.state.lower()}: {how}{again}"


class Supervisor:
    """The supervisor of the stack in ``run_dir``."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

    def call(self, method: str, *arguments: Any) -> Any:
        """Call supervisor's interface; OSError if it does not answer.

        A removed socket is restored first.
        """
        try:
            return control.call(self.run_dir, method, *arguments)
        except FileNotFoundError:
            if not control.restore(self.run_dir):
                raise
            return control.call(self.run_dir, method, *arguments)

    def running(self) -> bool:
        """Return whether it answers."""
        try:
            return bool(self.call("getState")["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    @property
    def pid(self) -> int:
        """Return its pid, even if it does not answer; 0 if it does not run."""
        return supervisor_pid(self.run_dir)

    def launch(self, config: Path) -> None:
        """Start it in the background, without any component."""
        self.forget()
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(config)],
            cwd=self.run_dir,
            env=inherited(os.environ) | {RUN_VARIABLE: str(self.run_dir)},
            capture_output=True,
            text=True,
            check=False,
        )
        deadline = time.monotonic() + LAUNCH
        while not done.returncode and time.monotonic() < deadline:
            if self.running():
                control.keep_spare(self.run_dir)
                return
            time.sleep(POLL)
        raise StackError(f"The supervisor does not start: {(done.stderr or done.stdout).strip()}")

    def reload(self) -> list[str]:
        """Load a changed configuration: changed components stop, removed ones go.

        Returns the names of the changed and removed ones.
        """
        added, changed, removed = self.call("reloadConfig")[0]
        for name in [*changed, *removed]:
            self.call("stopProcessGroup", name)
            self.call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self.call("addProcessGroup", name)
        return [*changed, *removed]

    def processes(self) -> dict[str, Process]:
        """Return every component by name; empty if it does not answer."""
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
        """Start a component without waiting; do nothing if it runs already."""
        self._tolerating(ALREADY_STARTED, "startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop a component, without restarting it, and wait until it has exited."""
        deadline = time.monotonic() + RETRY
        self._tolerating(NOT_RUNNING, "stopProcess", name)
        # A FATAL component cannot be stopped until it is started again.
        while name in (known := self.processes()) and known[name].state == "FATAL":
            if time.monotonic() > deadline:
                return
            time.sleep(POLL)
            self._tolerating(NOT_RUNNING, "stopProcess", name)

    def hang_up(self, name: str) -> None:
        """Make a running component reload its configuration."""
        self._tolerating(NOT_RUNNING, "signalProcess", name, "HUP")

    def shut_down(self, patience: float) -> None:
        """Stop it and all components, in reverse order; also if it does not answer."""
        pid = self.pid
        try:
            self.call("shutdown")
        except (OSError, xmlrpc.client.Error):
            if pid:
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + patience
        while pid and alive(pid) and time.monotonic() < deadline:
            time.sleep(POLL)

    def _tolerating(self, code: int, method: str, *arguments: Any) -> None:
        try:
            self.call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != code:
                raise StackError(f"{arguments[0]}: {fault.faultString}") from None
        except OSError as error:
            raise StackError(f"The supervisor does not answer: {error}") from None

    def forget(self) -> None:
        """Remove its socket."""
        control.forget_spare(self.run_dir)
        (self.run_dir / control.NAME).unlink(missing_ok=True)
