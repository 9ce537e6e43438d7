"""What the runner does when something goes wrong and recovers: it retries for ever."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

from observability.stack.local import postgres
from observability.stack.local.processes import platform_pids
from tests.parts import PATIENCE, ROOT, wait_for
from tests.stack.platform import Platform

# Ctrl-C as soon as the first module of the runner's commands is looked for.
INTERRUPT = """
import os, signal, sys

class Finder:
    def find_spec(name, path=None, target=None):
        if name == "observability.stack.components":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder)
"""


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
    small.healthy()
    (small.run_dir / "supervisor.sock").unlink()
    assert small.up("node", "blackbox").stderr == ""
    assert {name: small.process(name).pid for name in before} == before


def test_one_component_is_stopped_started_and_restarted(small: Platform) -> None:
    pid = small.process("node").pid
    done = small.run("stop", "blackbox")
    assert "make start C=blackbox" in done.stdout
    assert small.process("blackbox").state == "STOPPED"
    assert small.run("start", "blackbox").returncode == 0
    small.healthy()
    old = small.process("blackbox").pid
    assert small.run("restart", "blackbox").returncode == 0
    assert small.process("blackbox").pid not in (0, old)
    assert small.process("node").pid == pid
    done = small.run("stop", "nothing")
    assert done.returncode == 1
    assert "There are: node, blackbox" in done.stderr


def test_two_starts_at_once_wait_for_each_other(small: Platform) -> None:
    """And for a third one, the test, so that none is over before another begins."""
    with (small.run_dir / "up.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        starts = [command(small, "up", "--only", "node,blackbox") for _ in range(2)]
        for start in starts:
            assert start.stdout
            assert any("waiting for it" in line for line in start.stdout)
    said = [start.communicate(timeout=PATIENCE) for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said


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


def test_ctrl_c_in_the_first_moment_is_no_traceback(tmp_path: Path) -> None:
    """While the modules of a command are loaded."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    done = subprocess.run(
        [sys.executable, "-m", "observability.stack", "status"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == ""
    assert done.returncode == -signal.SIGINT


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


def test_what_ends_after_more_than_a_moment_is_told(platform: Platform, tmp_path: Path) -> None:
    """The supervisor takes it for started each time, and so never for failing."""
    program = tmp_path / "alertmanager-irc-relay"
    program.write_text("#!/bin/sh\nsleep 1.2\necho no luck\nexit 3\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = platform.run("up", "--only", "relay", PATH=path, MINITWIT_TOOLS="path")
    assert done.returncode == 1
    assert "times" in done.stderr.partition("it ended ")[2], done.stderr
    assert "no luck" in done.stderr


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


def test_a_lock_of_a_dead_server_whose_pid_is_in_use(platform: Platform) -> None:
    platform.up("postgres")
    platform.down()
    lock = platform.run_dir / "data/postgres/data/postmaster.pid"
    with subprocess.Popen([*postgres.as_unprivileged(), "sleep", "600"]) as other:
        try:
            lock.write_text(f"{other.pid}\n{lock.parent}\n")
            platform.up("postgres")
        finally:
            other.kill()


def test_a_folder_whose_name_is_a_pattern(platform: Platform) -> None:
    platform.run_dir /= "a [x] {y}*"
    platform.run_dir.mkdir()
    platform.environment["RUN_DIR"] = str(platform.run_dir)
    platform.environment["TIME_SCALE"] = "20"  # so that the rules lie in this folder
    platform.up("prometheus")
    assert "rules healthy" in platform.healthy()["prometheus"]


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


def test_ctrl_c_in_psql_cancels_the_statement_and_not_the_session(platform: Platform) -> None:
    platform.up("postgres")
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(ROOT)
        command = [sys.executable, "-m", "observability.stack", "psql"]
        os.execve(sys.executable, command, {**os.environ, **platform.environment})  # noqa: S606
    try:
        said = b""
        while b"minitwit=" not in said:
            said += os.read(terminal, 4096)
        # In the runner's place, which Ctrl-C would end.
        assert Path(f"/proc/{pid}/comm").read_text() == "psql\n"
        os.write(terminal, b"SELECT pg_sleep(600);\n")
        url = (platform.run_dir / "secrets/owner_url").read_text()
        sleeping = "SELECT 1 FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep' AND state = %s"
        with psycopg.connect(url, autocommit=True) as session:
            for key, state in ((b"", "active"), (b"\x03", "idle")):
                os.write(terminal, key)
                wait_for(state, lambda s=state: session.execute(sleeping, [s]).fetchone())  # type: ignore[misc]
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)
