"""The runner against real components: what it starts, what it says, what it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import yaml

from observability.exporters import COMPONENT_RESTARTS
from observability.stack.components import COMPONENTS
from observability.stack.local.processes import platform_pids
from observability.stack.settings import HOST
from tests.parts import PATIENCE, ROOT, wait_for
from tests.stack.platform import MONITORING, Platform

LINE_LIMIT = 400  # bytes


def test_status_is_good_when_every_signal_arrives(monitoring: Platform) -> None:
    rows = monitoring.healthy()
    assert set(rows) == set(MONITORING)
    assert "rules healthy" in rows["prometheus"]
    assert "in #minitwit" in rows["relay"]
    assert "2 probes succeed" in rows["blackbox"]


def test_a_second_up_changes_nothing(monitoring: Platform) -> None:
    before = {name: monitoring.process(name).pid for name in MONITORING}
    monitoring.up(*MONITORING)
    assert {name: monitoring.process(name).pid for name in MONITORING} == before


def test_up_with_fewer_leaves_the_others_running(monitoring: Platform) -> None:
    monitoring.up("node")
    assert monitoring.process("blackbox").state == "RUNNING"


def test_a_stopped_component_makes_status_bad_until_up(monitoring: Platform) -> None:
    monitoring.stop("node")
    status, rows = monitoring.status(wait=0)
    assert status == 1
    assert "node stopped" in rows["node"]
    monitoring.up(*MONITORING)
    monitoring.healthy()


def test_a_signal_that_does_not_arrive_makes_the_sender_bad(monitoring: Platform) -> None:
    """PostgreSQL and Blackbox run and respond, but their signals are missing or bad."""
    monitoring.stop("postgres-exporter")
    monitoring.stop("alertmanager")
    wait_for("staleness", lambda: not monitoring.prometheus("pg_up"))
    wait_for("a failing probe", lambda: monitoring.prometheus("probe_success == 0"))

    def bad() -> bool:
        status, rows = monitoring.status(wait=0)
        return (
            status == 1
            and "postgres healthy" in rows["postgres"]
            and "waiting for the exporter" in rows["postgres"]
            and "blackbox healthy" in rows["blackbox"]
            and "probe fails: alertmanager-ready" in rows["blackbox"]
        )

    wait_for("two complaints", bad)
    monitoring.up(*MONITORING)


def test_a_fault_that_is_mended_is_good_for_status_at_once(monitoring: Platform) -> None:
    """The last scrape, which found it down, is out of date."""
    monitoring.stop("postgres")
    monitoring.stop("node")
    wait_for("pg_up", lambda: monitoring.prometheus("pg_up == 0"))
    wait_for("a target that is down", lambda: monitoring.prometheus('up{job="node"} == 0'))
    assert monitoring.run("start", "postgres", "node").returncode == 0
    _, rows = monitoring.status(wait=int(PATIENCE))
    # Nothing of the fault; on a machine without time something else may be late.
    assert "connection refused" not in rows["node"], rows
    assert "reports it down" not in rows["postgres"], rows
    monitoring.healthy()


def test_what_prometheus_was_not_told_is_bad_until_up_tells_it(monitoring: Platform) -> None:
    file = monitoring.run_dir / "config/prometheus.yml"
    config = yaml.safe_load(file.read_text())
    del config["alerting"]
    config["scrape_configs"] = [c for c in config["scrape_configs"] if c["job_name"] != "node"]
    config["rule_files"] = [name.replace("*.yml", "alerts.yml") for name in config["rule_files"]]
    file.write_text(yaml.safe_dump(config))
    monitoring.supervisor.hang_up("prometheus")

    def blind() -> bool:
        _, rows = monitoring.status(wait=0)
        return (
            "no target in Prometheus" in rows["node"]
            and "not loaded" in rows["prometheus"]
            and "Prometheus does not know it" in rows["alertmanager"]
        )

    wait_for("three complaints", blind)
    monitoring.up(*MONITORING)
    monitoring.healthy()


def test_a_killed_component_comes_back_and_is_counted(monitoring: Platform) -> None:
    pid = monitoring.process("blackbox").pid
    os.kill(pid, signal.SIGKILL)
    wait_for("a new process", lambda: monitoring.process("blackbox").pid not in (0, pid))
    count = f'{COMPONENT_RESTARTS}{{component="blackbox"}}'
    wait_for("the count", lambda: [v for _, v in monitoring.prometheus(count)] == [1])
    wait_for("the component", lambda: monitoring.process("blackbox").state == "RUNNING")
    assert monitoring.process("node").state == "RUNNING"
    assert " 1 " in monitoring.status(wait=0)[1]["blackbox"]


def test_an_alert_is_one_short_line_in_the_room(monitoring: Platform) -> None:
    labels = {
        "alertname": "MiniTwit" + "VeryLongName" * 4,
        "severity": "critical",
        "service": "api",
        "instance": "http://127.0.0.1:5001/" + "path/" * 20,
    }
    annotations = {"summary": "Much is wrong. " * 40, "runbook_url": "https://example.org/" * 20}
    monitoring.fire(labels, annotations)
    found = wait_for(
        "the message", lambda: [x for x in monitoring.chat_lines() if "VeryLongName" in x]
    )
    assert "[FIRING] critical api: MiniTwitVeryLongName" in found[0]
    assert len(found[0].partition(" ")[2].encode()) < LINE_LIMIT
    assert "Much is" in found[0] and "https://example.org" in found[0]


def test_after_the_supervisor_was_killed_up_starts_afresh(platform: Platform) -> None:
    platform.up("node", "blackbox")
    old = {platform.process(name).pid for name in ("node", "blackbox")}
    os.kill(int((platform.run_dir / "supervisord.pid").read_text()), signal.SIGKILL)
    wait_for("its end", lambda: not platform.supervisor.running())
    assert platform.status()[0] == 1
    assert old <= set(platform_pids(platform.run_dir))
    assert "left by a dead supervisor" in platform.up("node", "blackbox").stdout
    assert not old & set(platform_pids(platform.run_dir))


def test_down_also_ends_what_a_killed_supervisor_left(platform: Platform) -> None:
    platform.up("node")
    os.kill(int((platform.run_dir / "supervisord.pid").read_text()), signal.SIGKILL)
    assert platform_pids(platform.run_dir)
    platform.down()  # checks that nothing is left
    assert not list(platform.run_dir.rglob("supervisor.sock"))


def test_a_taken_port_is_named_with_who_has_it(platform: Platform) -> None:
    port = COMPONENTS["node"].port + platform.offset
    with socket.socket() as server:
        server.bind((HOST, port))
        server.listen()
        done = platform.run("up", "--only", "node,blackbox")
    assert done.returncode == 1
    assert f"Port {port}, which node needs, is taken by" in done.stderr
    if Path("/proc/net/tcp").exists():
        assert f"(pid {os.getpid()})" in done.stderr
    assert "Traceback" not in done.stderr
    assert platform_pids(platform.run_dir) == []


def test_a_component_that_dies_at_once_is_named_with_its_last_words(
    platform: Platform, tmp_path: Path
) -> None:
    broken = tmp_path / "node_exporter"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "node_exporter, version 99.0.0" && exit 0\n'
        "echo my last words\nexit 3\n"
    )
    broken.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = platform.run("up", "--only", "node,blackbox", PATH=path, MINITWIT_TOOLS="path")
    assert done.returncode == 1, done.stdout
    assert re.search(r"node is not healthy \((starting|backoff|fatal)", done.stderr)
    assert "Stop: make down" in done.stderr
    assert "my last words" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_of_nothing_is_one_line(platform: Platform) -> None:
    done = platform.run("status")
    assert done.returncode == 1
    assert done.stderr.strip() == "Nothing is running. Start it with: make up"


def test_folders_with_secrets_are_closed(monitoring: Platform) -> None:
    secrets = monitoring.run_dir / "secrets"
    assert secrets.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets.iterdir())
    assert (monitoring.run_dir / "supervisor.sock").stat().st_mode & 0o077 == 0
    assert (monitoring.run_dir / "config/supervisord.conf").stat().st_mode & 0o077 == 0


def test_an_installed_grafana_is_started_with_what_is_provisioned(
    platform: Platform, tmp_path: Path
) -> None:
    """A stand-in for Grafana records how it is started, and responds like it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "api").mkdir()
    (tmp_path / "api/health").write_text("{}")
    boards = list((ROOT / "dashboards/generated").glob("*.json"))
    (tmp_path / "api/search").write_text(json.dumps([{"uid": board.stem} for board in boards]))
    grafana = tmp_path / "bin/grafana"
    grafana.write_text(
        f'#!/bin/sh\nenv > {tmp_path}/env\necho "$@" > {tmp_path}/arguments\n'
        f'exec {sys.executable} -m http.server "$GF_SERVER_HTTP_PORT" '
        f'--bind "$GF_SERVER_HTTP_ADDR" --directory {tmp_path}\n'
    )
    grafana.chmod(0o755)
    done = platform.run("up", "--only", "grafana", GRAFANA_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "arguments").read_text().split() == ["server", "--homepath", str(tmp_path)]
    folder = platform.run_dir / "config/grafana"
    assert f"GF_PATHS_PROVISIONING={folder}\n" in (tmp_path / "env").read_text()
    assert f"{len(boards)} dashboards" in platform.healthy()["grafana"]
    (tmp_path / "api/search").write_text("[]")
    assert platform.status(wait=0)[0] == 1


def test_the_room_survives_a_crash_of_the_chat_server(monitoring: Platform) -> None:
    os.kill(monitoring.process("ngircd").pid, signal.SIGKILL)
    monitoring.healthy()
    labels = {"alertname": "AfterTheCrash", "severity": "critical", "service": "api"}
    monitoring.fire(labels, {})
    wait_for("the message", lambda: "AfterTheCrash" in "".join(monitoring.chat_lines()))


def test_the_runbooks_command_stops_and_starts_a_component(monitoring: Platform) -> None:
    configuration = monitoring.run_dir / "config" / "supervisord.conf"

    def control(*arguments: str) -> str:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(configuration)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        return done.stdout

    assert control("stop", "blackbox") == "blackbox: stopped\n"
    assert monitoring.process("blackbox").state == "STOPPED"
    assert control("start", "blackbox") == "blackbox: started\n"
