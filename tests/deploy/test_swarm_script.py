"""deploy-swarm.sh asks a real Prometheus and a real Alertmanager; only the engine is a stand-in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import monitoring
from tests.deploy.monitoring import FIRING, Monitoring
from tests.parts import PATIENCE, ROOT, free_port, wait_for

# Says what a Swarm would on which everything goes well; stack deploy waits while `wait` is there.
DOCKER = """#!/bin/bash
echo "$*" >>"$STATE/docker.log"
case "$*" in
*PreviousSpec*) echo minitwit:before ;;
*ContainerSpec.Image*) echo minitwit:old ;;
*Replicas*) echo 1 ;;
*CurrentState*migrate_once) echo Complete ;;
*CurrentState*) echo "minitwit:new Running 1 second ago" ;;
"stack deploy"*) while [ -e "$STATE/wait" ]; do sleep 0.1; done ;;
esac
"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    ports = {f"{c}_{s}": str(free_port()) for c in ("BLUE", "GREEN") for s in ("API", "WEB")}
    with monitoring.start(tmp_path_factory.mktemp("swarm") / "monitoring", ports) as found:
        yield found


@pytest.fixture
def environment(watched: Monitoring, tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    return {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "STATE": str(tmp_path),
        "PROMETHEUS_URL": watched.prometheus, "ALERTMANAGER_URL": watched.alertmanager,
        "GRAFANA_URL": "http://127.0.0.1:9", "SITE": "localhost", "PATIENCE": "10",
    }  # fmt: skip


def deploy(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(ROOT / "deploy/deploy-swarm.sh"), *arguments], env=environment, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def asked(environment: dict[str, str]) -> str:
    return (Path(environment["STATE"]) / "docker.log").read_text()


def test_nothing_is_touched_while_a_critical_alert_fires(
    watched: Monitoring, environment: dict[str, str]
) -> None:
    watched.rules(FIRING)
    try:
        wait_for("the alert", lambda: watched.value("ALERTS"))
        _, said = (process := deploy(environment, "minitwit:new")).communicate(timeout=PATIENCE)
        assert process.returncode == 1
        assert "REFUSED: a critical alert fires: MiniTwitErrorRatio of api." in said
        assert "stack deploy" not in asked(environment)
        _, said = (process := deploy(environment, "--anyway", "minitwit:new")).communicate(
            timeout=PATIENCE
        )
        assert "it goes on all the same (--anyway)" in said
        assert process.returncode == 0, said
        assert "stack deploy" in asked(environment)
    finally:
        watched.rules()
        wait_for("no alert", lambda: not watched.value("ALERTS"))


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_silence_ends_whatever_happens(
    watched: Monitoring, environment: dict[str, str], interrupted: bool
) -> None:
    (wait := Path(environment["STATE"]) / "wait").touch()
    process = deploy(environment, "minitwit:new")
    try:
        [silence] = wait_for("a silence", lambda: watched.silences("active"))
        found = {m["name"]: (m["isEqual"], m["value"]) for m in silence["matchers"]}
        # Of a replica that is replaced; an alert that no replica is there has no instance.
        assert found == {
            "alertname": (True, "MiniTwitTargetDown"), "service": (True, "api|web"),
            "instance": (False, "|"),
        }  # fmt: skip
        down = {"alertname": "MiniTwitTargetDown", "mark": str(interrupted)}
        assert watched.silenced(**down, service="api", instance="10.0.0.1:5001")
        assert not watched.silenced(**down, service="api")
        assert not watched.silenced(**down, service="postgres", instance="10.0.0.1:9187")
        if interrupted:
            process.terminate()
    finally:
        wait.unlink()
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == int(interrupted), said
    assert watched.silences("active") == []
