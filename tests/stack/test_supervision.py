"""What the runner does when something goes wrong and recovers: it retries for ever."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from observability.stack.components import COMPONENTS
from observability.stack.local.processes import platform_pids
from observability.stack.settings import HOST
from tests.parts import PATIENCE, ROOT, wait_for
from tests.stack.platform import Platform


@pytest.fixture(scope="module")
def small() -> Iterator[Platform]:
    """Two components that start in no time, kept by a real supervisor."""
    with tempfile.TemporaryDirectory(prefix="minitwit-stack-") as folder:
        platform = Platform(Path(folder) / "run")
        try:
            # A folder of the session that does not exist is no reason not to start.
            done = platform.run("up", "--only", "node,blackbox", XDG_RUNTIME_DIR="/nowhere/at/all")
            assert done.returncode == 0, done.stderr
            yield platform
        finally:
            platform.down()


def command(platform: Platform, *arguments: str) -> subprocess.Popen[str]:
    """A command of the runner that goes on."""
    return subprocess.Popen(
        [sys.executable, "-m", "observability.stack", *arguments],
        cwd=ROOT,
        env={**os.environ, **platform.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_removed_socket_is_made_anew(small: Platform) -> None:
    before = {name: small.process(name).pid for name in ("node", "blackbox")}
    (small.run_dir / "supervisor.sock").unlink()
    assert small.status(wait=0)[0] == 0
    (small.run_dir / "supervisor.sock").unlink()
    assert small.up("node", "blackbox").stderr == ""
    assert {name: small.process(name).pid for name in before} == before


def test_a_component_whose_port_was_taken_comes_back(small: Platform) -> None:
    small.stop("blackbox")
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, COMPONENTS["blackbox"].port + small.offset))
        server.listen()
        small.start("blackbox")
        wait_for("the end of the supervisor's patience",
                 lambda: small.process("blackbox").state == "FATAL", 60)  # fmt: skip
    wait_for("another try", lambda: small.process("blackbox").state == "RUNNING")
    assert "blackbox failed" in (small.run_dir / "logs/restarts.log").read_text()


def test_the_listener_outlives_a_folder_that_is_gone(small: Platform) -> None:
    """It counts restarts, and starts again what failed: nobody starts it."""
    file = small.run_dir / "data/textfile/minitwit_restarts.prom"
    before = file.read_text()
    file.parent.rename(file.parent.with_name("away"))
    file.parent.write_text("no folder")
    os.kill(small.process("node").pid, signal.SIGKILL)
    wait_for("a complaint", lambda: "cannot be written" in
             (small.run_dir / "logs/restarts.log").read_text(), 30)  # fmt: skip
    file.parent.unlink()
    wait_for("the counts", lambda: file.exists() and file.read_text() != before)
    wait_for("node", lambda: small.process("node").state == "RUNNING")


def test_one_component_is_stopped_started_and_restarted(small: Platform) -> None:
    pid = small.process("node").pid
    done = small.run("stop", "blackbox")
    assert "make start C=blackbox" in done.stdout
    assert small.process("blackbox").state == "STOPPED"
    assert small.run("start", "blackbox").returncode == 0
    assert small.status(wait=0)[0] == 0
    old = small.process("blackbox").pid
    assert small.run("restart", "blackbox").returncode == 0
    assert small.process("blackbox").pid not in (0, old)
    assert small.process("node").pid == pid
    done = small.run("stop", "nothing")
    assert done.returncode == 1
    assert "There are: node, blackbox" in done.stderr


def test_two_starts_at_once_wait_for_each_other(small: Platform) -> None:
    starts = [command(small, "up", "--only", "node,blackbox") for _ in range(2)]
    said = [start.communicate(timeout=PATIENCE) for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said
    assert sum("waiting for it" in out for out, _ in said) == 1


def test_the_logs_of_all_are_followed_and_ctrl_c_is_no_failure(small: Platform) -> None:
    (small.run_dir / "logs/json/api.log").write_text('{"event": "request"}\n')
    for name, expected in (("logs", '{"event": "request"}'), ("chat", "Ctrl-C ends")):
        following = command(small, name)
        assert following.stdout
        for line in following.stdout:
            if expected in line:
                break
        following.send_signal(signal.SIGINT)
        _, errors = following.communicate(timeout=PATIENCE)
        assert following.returncode == 0, errors
        assert "Traceback" not in errors


def test_a_supervisor_that_cannot_be_asked_is_not_taken_for_dead(platform: Platform) -> None:
    platform.up("node")
    for path in platform.run_dir.rglob("supervisor.sock"):
        path.unlink()
    before = sorted(platform_pids(platform.run_dir))
    for name in ("status", "up"):
        done = platform.run(name)
        assert done.returncode == 1
        assert "lives but does not answer" in done.stderr
    assert sorted(platform_pids(platform.run_dir)) == before
    platform.down()


def test_what_runs_without_its_supervisor_is_told(platform: Platform) -> None:
    platform.up("node")
    os.kill(int((platform.run_dir / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_for("its end", lambda: not platform.supervisor.running())
    assert "The supervisor was killed" in platform.run("status").stderr


def test_state_that_cannot_be_read_is_set_aside(platform: Platform) -> None:
    state = platform.run_dir / "data/alertmanager"
    state.mkdir(parents=True)
    (state / "nflog").write_bytes(b"\xff\xfe no log of notifications")
    (state / "silences").write_bytes(b"\xff\xfe no silences")
    done = platform.up("alertmanager")
    assert "The state of alertmanager cannot be read" in done.stdout
    kept = list((platform.run_dir / "data").glob("alertmanager.unreadable-*"))
    assert [path.name for path in kept if (path / "nflog").exists()]


def test_initdb_that_was_killed_and_a_shell_of_other_work(platform: Platform) -> None:
    """An incomplete cluster is created again; libpq's variables of the shell are ignored."""
    data = platform.run_dir / "data/postgres/data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    shell = {"PGSSLMODE": "verify-full", "PGSERVICE": "other", "PGCLIENTENCODING": "LATIN1"}
    done = platform.run("up", "--only", "postgres", **shell)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(data.parent.glob("data.broken-*"))


def test_a_folder_whose_name_is_a_pattern(platform: Platform) -> None:
    platform.run_dir /= "a [x] {y}*"
    platform.run_dir.mkdir()
    platform.environment["RUN_DIR"] = str(platform.run_dir)
    platform.environment["TIME_SCALE"] = "20"  # so that the rules lie in this folder
    platform.up("prometheus")
    status, rows = platform.status()
    assert status == 0, rows
    assert "rules healthy" in rows["prometheus"]


def test_an_alert_tells_that_nobody_starts_again_what_ends(tmp_path: Path) -> None:
    """The supervisor is killed, and Prometheus, which lives on, says so."""
    platform = Platform(tmp_path / "run", 20)
    try:
        platform.up("node", "prometheus")
        # Of the last seconds: Prometheus is stopped with the rest, and its last sample stays.
        alert = 'ALERTS{alertname="MiniTwitSupervisorDown",alertstate="firing"}'
        firing = f"last_over_time({alert}[5s])"
        wait_for("its file", lambda: platform.prometheus("node_textfile_mtime_seconds"))
        os.kill(int((platform.run_dir / "supervisord.pid").read_text()), signal.SIGKILL)
        wait_for("the alert", lambda: platform.prometheus(firing))
        platform.up("node", "prometheus")
        wait_for("the all-clear", lambda: not platform.prometheus(firing))
    finally:
        platform.down()
