"""deploy-swarm.sh with the real docker command, Prometheus and Alertmanager.

Only the engine is a stand-in. What the replicas count is said by recording rules.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy import monitoring
from tests.deploy.monitoring import FIRING, Monitoring
from tests.deploy.swarm import Swarm, engine
from tests.parts import PATIENCE, ROOT, free_port, wait_for

# The docker command as it is, but for `stack deploy`, which waits while `wait` is there.
DOCKER = """#!/bin/bash
[ "$1 $2" = "stack deploy" ] || exec {docker} "$@"
while [ -e "$STATE/wait" ]; do sleep 0.1; done
curl --silent --fail --request POST "http://${{DOCKER_HOST#tcp://}}/stack?image=$IMAGE" >/dev/null
"""
WITHOUT = "no docker command on this machine: deploy-swarm.sh is NOT tested"
pytestmark = pytest.mark.skipif(not shutil.which("docker"), reason=WITHOUT)
QUICK = {"CANARY_SECONDS": "3", "WATCH_SECONDS": "1", "PATIENCE": "10", "START_SECONDS": "3",
         "ASK_SECONDS": "60"}  # fmt: skip
SUM = "sum(minitwit_http_requests_total)"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitoring]:
    ports = {f"{c}_{s}": str(free_port()) for c in ("BLUE", "GREEN") for s in ("API", "WEB")}
    with monitoring.start(tmp_path_factory.mktemp("swarm") / "monitoring", ports) as found:
        yield found


@pytest.fixture
def swarm() -> Iterator[Swarm]:
    with engine(Swarm()) as found:
        found.deploy("minitwit:before")
        found.deploy("minitwit:old")
        for name in ("api", "web", "api-canary", "web-canary"):  # of these only api gets requests
            assert len(found.addresses(name)) == (0 if "canary" in name else 2)
        yield found


@pytest.fixture
def environment(watched: Monitoring, swarm: Swarm, tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(docker=shutil.which("docker")))
    program.chmod(0o755)
    return {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "STATE": str(tmp_path),
        "PROMETHEUS_URL": watched.prometheus, "ALERTMANAGER_URL": watched.alertmanager,
        "GRAFANA_URL": "http://127.0.0.1:9", "SITE": "localhost", "DOCKER_HOST": swarm.address,
        **QUICK,
    }  # fmt: skip


@contextmanager
def deploy(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The script while the body runs; it has ended afterwards."""
    command = [str(ROOT / "deploy/deploy-swarm.sh"), *arguments]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit status and what it said."""
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def deployed(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit status and what it said."""
    with deploy(environment, *arguments) as process:
        return ended(process)


def sides(swarm: Swarm, old: list[str], new: list[str]) -> list[str]:
    """Rules of an old replica of api, and of its canary to come."""
    addresses = (swarm.addresses("api")[0], swarm.coming)
    return [
        rule.replace("ADDRESS", f"{address}:5001")
        for address, rules in zip(addresses, (old, new), strict=True)
        for rule in rules
    ]


def counted(version: str, slow: str = "0", failed: str = "0") -> list[str]:
    """The rules of a replica of api with 20 requests a second.

    ``slow`` of them, an expression, take more than 0.1 s; ``failed`` is the number of 5xx.
    """
    labels = "instance: 'ADDRESS', service: api"
    bucket = "minitwit_http_request_duration_seconds_bucket"
    requests = "20 * (time() - 1.7e9)"
    return [
        f"- {{record: minitwit_http_requests_total, expr: vector({requests}),"
        f" labels: {{{labels}, status: '200'}}}}",
        f"- {{record: minitwit_http_requests_total, expr: vector({failed}),"
        f" labels: {{{labels}, status: '500'}}}}",
        f"- {{record: minitwit_build_info, expr: vector(1),"
        f" labels: {{{labels}, version: '{version}'}}}}",
        *(
            f"- {{record: {bucket}, expr: vector({requests} - ({less})),"
            f" labels: {{{labels}, le: '{le}'}}}}"
            for le, less in (("0.1", slow), ("1", "0"), ("+Inf", "0"))
        ),
    ]


@pytest.fixture
def counting(watched: Monitoring) -> Iterator[Monitoring]:
    """A Prometheus whose rules are gone afterwards, and with them what they recorded."""
    yield watched
    watched.rules()
    wait_for("no series", lambda: watched.value(SUM) == [])


def test_nothing_is_touched_while_a_critical_alert_fires(
    watched: Monitoring, swarm: Swarm, environment: dict[str, str]
) -> None:
    watched.rules(FIRING)
    try:
        wait_for("the alert", lambda: watched.value("ALERTS"))
        status, said = deployed(environment, "minitwit:new")
        assert status == 1
        assert "REFUSED: a critical alert fires: MiniTwitErrorRatio of api." in said
        assert not [asked for asked in swarm.asked if asked.startswith("POST")]
        status, said = deployed(environment, "--anyway", "minitwit:new")
        assert "it goes on all the same (--anyway)" in said
        assert status == 0, said
        assert swarm.images("api") == {"minitwit:new"}
    finally:
        watched.rules()
        wait_for("no alert", lambda: watched.value("ALERTS") == [])


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_silence_ends_whatever_happens(
    watched: Monitoring, environment: dict[str, str], interrupted: bool
) -> None:
    (wait := Path(environment["STATE"]) / "wait").touch()
    with deploy(environment, "minitwit:new") as process:
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
        wait.unlink()
        status, said = ended(process)
    assert status == int(interrupted), said
    assert watched.silences("active") == []


def out(swarm: Swarm) -> bool:
    """The old version alone is in service, as if nothing had been."""
    canaries = [*swarm.addresses("api-canary"), *swarm.addresses("web-canary")]
    return not canaries and swarm.images("api") == swarm.images("web") == {"minitwit:old"}


def test_one_replica_first_and_with_too_few_requests_it_goes_on(
    swarm: Swarm, environment: dict[str, str]
) -> None:
    (hold := Path(environment["STATE"]) / "wait").touch()  # before the others are replaced
    with deploy(environment, "minitwit:new") as process:
        wait_for("the canary", lambda: swarm.addresses("web-canary"))
        assert swarm.images("api-canary") == {"minitwit:new"}
        assert swarm.images("api") == {"minitwit:old"}
        assert len(swarm.addresses("api")) == 2, "what serves is not touched"
        hold.unlink()
        status, said = ended(process)
    assert status == 0, said
    assert "api: too few to judge (0 requests of" in said
    assert swarm.addresses("api-canary") == []
    assert swarm.images("web") == {"minitwit:new"}


def test_one_that_does_no_worse_by_its_version_takes_over(
    counting: Monitoring, swarm: Swarm, environment: dict[str, str]
) -> None:
    counting.rules(*sides(swarm, counted("1.0.0"), counted("2.0.0")))
    wait_for("requests", lambda: counting.value(SUM))
    status, said = deployed(environment | {"CANARY_SECONDS": "15"}, "minitwit:new")
    assert status == 0, said
    assert "api: 2.0.0 does no worse (0.0 % of " in said
    assert "web: too few to judge" in said
    assert swarm.images("api") == {"minitwit:new"}


def test_the_third_5xx_takes_it_out(
    counting: Monitoring, swarm: Swarm, environment: dict[str, str]
) -> None:
    # What the old replicas ever answered does not count.
    two, three = (
        sides(swarm, counted("1.0.0", failed="400"), counted("2.0.0", failed=number))
        for number in ("2", "3")
    )
    counting.rules(*two)
    wait_for("requests", lambda: counting.value(SUM))
    with deploy(environment | {"CANARY_SECONDS": "60"}, "minitwit:new") as process:
        wait_for("the canary", lambda: swarm.addresses("web-canary"))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(4)
        counting.rules(*three)
        status, said = ended(process)
    assert status == 1
    assert "3 answers of the new version were a 5xx" in said
    assert "3 replace" not in said
    assert "FAILED: minitwit:new is not in service, minitwit:old is" in said
    assert out(swarm)


def test_what_is_slower_by_its_version_is_taken_out(
    counting: Monitoring, swarm: Swarm, environment: dict[str, str]
) -> None:
    slow = counted("2.0.0", slow="10 * (time() - 1.7e9)")
    counting.rules(*sides(swarm, counted("1.0.0"), slow))
    wait_for("requests", lambda: counting.value(SUM))
    status, said = deployed(environment | {"CANARY_SECONDS": "15"}, "minitwit:new")
    assert status == 1
    assert "api: 2.0.0 is WORSE (0.0 % of " in said
    assert out(swarm)


def test_what_never_gets_healthy_is_taken_out(swarm: Swarm, environment: dict[str, str]) -> None:
    swarm.unhealthy.add("minitwit:new")
    status, said = deployed(environment, "minitwit:new")
    assert status == 1
    assert "api-canary does not get healthy" in said
    assert out(swarm)


def test_one_that_is_interrupted_takes_its_canary_out(
    swarm: Swarm, environment: dict[str, str]
) -> None:
    with deploy(environment | {"CANARY_SECONDS": "60"}, "minitwit:new") as process:
        wait_for("the canary", lambda: swarm.addresses("web-canary"))
        process.terminate()
        assert ended(process)[0] == 1
    assert out(swarm)


def test_the_third_5xx_afterwards_brings_the_old_version_back(
    counting: Monitoring, swarm: Swarm, environment: dict[str, str]
) -> None:
    with deploy(environment | {"WATCH_SECONDS": "60"}, "minitwit:new") as process:
        wait_for("the new version", lambda: swarm.images("web") == {"minitwit:new"})
        counting.rules(*sides(swarm, counted("2.0.0", failed="3"), []))
        status, said = ended(process)
    assert status == 1
    assert "3 answers of the new version were a 5xx" in said
    assert out(swarm)


def test_back_goes_without_a_canary_and_so_does_a_stack_that_has_none(
    swarm: Swarm, environment: dict[str, str]
) -> None:
    status, said = deployed(environment, "--back")
    assert status == 0, said
    assert "2 without a canary: every replica is replaced" in said
    assert swarm.images("api") == {"minitwit:before"}
    for name in ("api", "web"):
        swarm.remove(f"minitwit_{name}-canary")
    status, said = deployed(environment, "minitwit:new")
    assert status == 0, said
    assert "2 without a canary: the stack that runs has none yet" in said
