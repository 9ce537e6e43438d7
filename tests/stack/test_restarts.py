"""What is started again, and written again, whatever ends or is removed meanwhile."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from observability.stack.components import COMPONENTS
from observability.stack.local import restarts
from observability.stack.local.supervise import Supervisor
from observability.stack.settings import HOST, StackError
from tests.parts import wait_for
from tests.stack.platform import Platform


@contextmanager
def another_server(port: int) -> Iterator[None]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, port))
        server.listen()
        yield


@contextmanager
def blackbox_failing(platform: Platform) -> Iterator[None]:
    """Its port is taken; the supervisor has given it up when the block runs."""
    platform.stop("blackbox")
    with another_server(COMPONENTS["blackbox"].port + platform.offset):
        platform.start("blackbox")
        wait_for("the end of the supervisor's patience",
                 lambda: platform.process("blackbox").state == "FATAL")  # fmt: skip
        yield


def test_a_component_whose_port_was_taken_comes_back(small: Platform) -> None:
    with blackbox_failing(small):
        pass
    wait_for("another try", lambda: small.process("blackbox").state == "RUNNING")
    assert "blackbox failed" in (small.run_dir / "logs/restarts.log").read_text()


def test_what_failed_comes_back_also_if_its_listener_was_killed(small: Platform) -> None:
    with blackbox_failing(small):
        # What it counted is what somebody else wrote: no reason to end either.
        (small.run_dir / "data/textfile/minitwit_restarts.prom").write_bytes(b"\0\0")
        os.kill(small.process("restarts").pid, signal.SIGKILL)
    wait_for("another try", lambda: small.process("blackbox").state == "RUNNING")


class OneIsGone(Supervisor):
    """Two components failed for good; the first was removed since it was asked."""

    started = ""

    def call(self, method: str, *_: object) -> list[dict[str, object]]:
        assert method == "getAllProcessInfo"
        return [{"name": name, "statename": "FATAL", "pid": 0} for name in ("gone", "node")]

    def start(self, name: str) -> None:
        if name == "gone":
            raise StackError("gone: BAD_NAME")
        self.started += name


def test_one_that_cannot_be_started_keeps_no_other_waiting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor = OneIsGone(tmp_path)
    restarts.look_after(supervisor)
    assert supervisor.started == "node"
    assert "cannot start gone: gone: BAD_NAME" in capsys.readouterr().err


def test_another_server_is_not_taken_for_a_component(small: Platform) -> None:
    small.stop("node")
    port = COMPONENTS["node"].port + small.offset
    with another_server(port):
        done = small.run("start", "node")
        assert done.returncode == 1
        assert f"Port {port}, which node needs, is taken by python" in done.stderr
    assert small.run("start", "node").returncode == 0


def test_the_listener_outlives_a_folder_that_is_gone(small: Platform) -> None:
    """It counts restarts, and starts again what failed: nobody starts it."""
    file = small.run_dir / "data/textfile/minitwit_restarts.prom"
    before = file.read_text()
    file.parent.rename(file.parent.with_name("away"))
    file.parent.write_text("no folder")
    os.kill(small.process("node").pid, signal.SIGKILL)
    wait_for("a complaint", lambda: "cannot be written" in
             (small.run_dir / "logs/restarts.log").read_text())  # fmt: skip
    file.parent.unlink()
    wait_for("the counts", lambda: file.exists() and file.read_text() != before)
    wait_for("node", lambda: small.process("node").state == "RUNNING")


def test_logs_that_are_removed_are_written_again(small: Platform) -> None:
    """The supervisor's own and its listener's too; also if their folder is gone."""
    logs = small.run_dir / "logs"
    names = ("node.log", "blackbox.log", "restarts.log", "supervisord.log")
    for name in names:
        (logs / name).unlink()

    def written() -> bool:
        """The files are made a moment before the supervisor opens them."""
        small.run("restart", "node")
        return "node_exporter" in (logs / "node.log").read_text()

    wait_for("the logs", lambda: all((logs / name).exists() for name in names))
    wait_for("lines of node", written)
    logs.rename(logs.with_name("moved"))
    wait_for("the folder", lambda: all((logs / name).exists() for name in names))
    wait_for("lines again", written)
    # As sed -i and logrotate do it.
    (logs / "other").write_text("")
    (logs / "other").rename(logs / "node.log")
    wait_for("the log", lambda: "opened again: node.log" in (logs / "restarts.log").read_text())
    wait_for("its lines", written)
    small.healthy()


def test_restarts_that_were_counted_stay_counted(small: Platform) -> None:
    file = small.run_dir / "data/textfile/minitwit_restarts.prom"
    counted = restarts.read(file.parent)["blackbox"]
    os.kill(small.process("blackbox").pid, signal.SIGKILL)
    wait_for("a restart", lambda: restarts.read(file.parent)["blackbox"] == counted + 1)
    before, pid = restarts.read(file.parent), small.process("restarts").pid
    age = file.stat().st_mtime_ns
    os.kill(pid, signal.SIGKILL)
    wait_for("another listener", lambda: small.process("restarts").pid not in (0, pid))
    wait_for("its counts", lambda: file.stat().st_mtime_ns > age)
    assert restarts.read(file.parent) == before
