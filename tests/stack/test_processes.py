"""What a dead supervisor left has ended, with its ports, when the runner goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from observability.stack.local.processes import RUN_VARIABLE, alive, platform_pids, stop_orphans
from tests.parts import wait_for

# Its first thread ends and another goes on, as happens for a moment when a program is killed.
HEADLESS = """
import ctypes, threading, time
threading.Thread(target=lambda: print("ready", flush=True) or time.sleep(600)).start()
ctypes.CDLL(None).pthread_exit(None)
"""
# Not ended by SIGTERM, and so large that its end after SIGKILL takes a while.
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
large = b"x" * (256 << 20)
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def running(program: str, run_dir: Path) -> Iterator[int]:
    """The pid of a program of a platform, when it is ready."""
    environment = {**os.environ, RUN_VARIABLE: str(run_dir)}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            yield process.pid
        finally:
            process.kill()


def test_a_process_lives_as_long_as_one_of_its_threads(tmp_path: Path) -> None:
    with running(HEADLESS, tmp_path) as pid:
        stat = Path(f"/proc/{pid}/stat")
        wait_for("the end of its first thread", lambda: stat.read_text().split()[2] == "Z")
        assert alive(pid)
        os.kill(pid, 9)
        wait_for("its end", lambda: not alive(pid))


def test_what_ignores_the_request_has_ended_all_the_same(tmp_path: Path) -> None:
    with running(STUBBORN, tmp_path) as pid:
        assert platform_pids(tmp_path) == [pid]
        assert stop_orphans(tmp_path, patience=0.2) == 1
        assert not alive(pid)
