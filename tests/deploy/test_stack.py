"""stack.yml: Docker itself takes it, it is closed, and it says the same as compose.yaml."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from observability.stack.config.deployments import CONTAINER_PROXY, containers
from observability.stack.config.receivers import DEADMAN_URL, SECRETS
from tests.deploy.compose import config as compose_config
from tests.parts import PATIENCE, ROOT

SETTINGS = {
    "IMAGE": "registry.example/minitwit:1.0.0",
    "CHAT_IMAGE": "registry.example/minitwit-chat:1.0.0",
    "SITE": "example.org",
    "DATABASE_ADDRESS": "db.example.org:5432",
}
ROLLING = ("api", "web")
CANARIES = {f"{name}-canary": name for name in ROLLING}
WITHOUT = "no docker command with `stack config` on this machine: stack.yml is NOT checked"


def docker(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def can_check() -> bool:
    return bool(shutil.which("docker")) and docker("stack", "config", "--help").returncode == 0


pytestmark = pytest.mark.skipif(not can_check(), reason=WITHOUT)


@functools.cache
def config() -> dict[str, Any]:
    """The stack with its configuration files, as Docker would deploy it."""
    files = subprocess.run(
        [str(ROOT / "deploy/swarm-configs.sh")], capture_output=True, text=True, check=True
    )
    done = docker("stack", "config", "-c", "stack.yml", "-c", "-", stdin=files.stdout)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    parsed: dict[str, Any] = yaml.safe_load(done.stdout)
    return parsed


def services() -> dict[str, Any]:
    found: dict[str, Any] = config()["services"]
    return found


def compose_service(name: str) -> dict[str, Any]:
    """Return the service of compose.yaml; of a canary, the one beside it."""
    found: dict[str, Any] = compose_config()["services"][CANARIES.get(name, name)]
    return found


def test_what_compose_runs_runs_here_too() -> None:
    elsewhere = {"secrets", "postgres"}  # Docker's secrets; a managed database
    assert set(services()) - set(CANARIES) == set(compose_config()["services"]) - elsewhere


def test_only_nginx_publishes_and_on_its_own_node() -> None:
    for name, service in services().items():
        ports = service.get("ports", [])
        assert bool(ports) == (name == "nginx"), name
        assert {port["mode"] for port in ports} <= {"host"}
        assert {str(port["published"]) for port in ports} <= {"80", "443"}  # nothing in plain text
    assert services()["nginx"]["deploy"]["update_config"]["order"] == "stop-first"


def dry_run(folder: Path, **plain: str) -> tuple[str, str]:
    """What deploy-swarm.sh would deploy, as Docker reads it, and what it says."""
    real = shutil.which("docker")
    script = f'#!/bin/sh\n[ "$2" = config ] || exec {real} "$@"\nexec {real} "$@" >{folder}/out\n'
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)
    own = {"PATH": f"{folder}:{os.environ['PATH']}", "STATE": str(folder), **plain}
    done = subprocess.run(
        [str(ROOT / "deploy/deploy-swarm.sh"), "--dry-run", SETTINGS["IMAGE"]],
        env={**os.environ, **SETTINGS, **own}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return (folder / "out").read_text(), done.stderr


@pytest.mark.parametrize(
    ("plain", "opened"),
    [
        ({}, set()),
        ({"PLAIN_API": "127.0.0.1"}, set()),
        ({"PLAIN_API": "0.0.0.0"}, {"5001"}),  # noqa: S104
        ({"PLAIN_API": "192.0.2.7", "PLAIN_WEB": "0.0.0.0"}, {"5000", "5001"}),  # noqa: S104
    ],
)
def test_plain_ports_are_opened_by_a_setting_alone_and_with_a_warning(
    tmp_path: Path, plain: dict[str, str], opened: set[str]
) -> None:
    deployed, said = dry_run(tmp_path, **plain)
    ports = yaml.safe_load(deployed)["services"]["nginx"]["ports"]
    assert {str(port["published"]) for port in ports} == {"80", "443", *opened}
    assert said.count("WARNING: PLAIN_") == len(opened)


def test_api_and_web_roll_start_first_and_go_back_by_themselves() -> None:
    for name in ROLLING:
        update = services()[name]["deploy"]["update_config"]
        assert update["order"] == "start-first"
        assert update["failure_action"] == "rollback"
        assert update["parallelism"] == 1
        assert services()[name]["deploy"]["replicas"] == 2


def test_a_canary_is_the_service_beside_it_without_a_replica() -> None:
    for canary, name in CANARIES.items():
        beside = dict(services()[name])
        aliases = {network: {"aliases": [name]} for network in beside.pop("networks")}
        deploy = {**beside.pop("deploy"), "replicas": 0}
        # Docker's DNS has tasks.ALIAS for each alias, so it is found with the others.
        assert services()[canary] == {**beside, "networks": aliases, "deploy": deploy}


def test_every_service_is_confined_placed_and_found_by_dns_alone() -> None:
    for name, service in services().items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        deploy = service["deploy"]
        assert deploy["endpoint_mode"] == "dnsrr", name
        assert deploy["resources"]["limits"]["memory"], name
        assert deploy["resources"]["limits"]["pids"], name
        assert float(deploy["resources"]["limits"]["cpus"]) <= 1, name
        everywhere = deploy.get("mode") == "global"
        assert everywhere == (name in {"node", "promtail"})
        assert everywhere or deploy["placement"]["constraints"], name


def test_what_the_switch_remembers_outlives_its_task() -> None:
    there = {m["target"]: m["type"] for m in services()["deadman"]["volumes"]}
    file = services()["deadman"]["environment"]["HEARTBEAT_FILE"]
    assert there[str(Path(file).parent)] == "volume"


def test_the_database_is_spoken_to_over_verified_tls() -> None:
    for name in ("migrate", "api", "postgres-exporter"):
        assert "database_ca" in {secret["source"] for secret in services()[name]["secrets"]}
    uri = services()["postgres-exporter"]["environment"]["DATA_SOURCE_URI"]
    assert uri == (
        "db.example.org:5432/minitwit?sslmode=verify-full&sslrootcert=/run/secrets/database_ca"
    )


def test_each_service_gets_the_secrets_of_its_own_role() -> None:
    owners = {"owner_url", "database_roles", "database_password"}
    own = {"migrate": owners, "api": {"app_url"}, "backup": {"backup_user", "backup_password"}}
    own["api-canary"] = own["api"]
    own["postgres-exporter"] = {"monitor_user", "monitor_password"}
    roles = set().union(*own.values())
    for name, service in services().items():
        mounted = {secret["source"] for secret in service.get("secrets", [])} & roles
        assert mounted <= own.get(name, set()), name


def test_the_networks_are_those_of_compose_and_encrypted() -> None:
    for network in config()["networks"].values():
        assert "encrypted" in network["driver_opts"]
    for name, service in services().items():
        there = set(compose_service(name)["networks"]) - {"data"} or {"default"}
        assert set(service.get("networks") or {"default"}) == there, name


def test_no_environment_holds_a_secret_and_every_secret_is_numbered() -> None:
    for name, service in services().items():
        for key, value in (service.get("environment") or {}).items():
            secret = re.search(r"PASSWORD|PASS$|SECRET|TOKEN|DATABASE_URL|PASS_", key)
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {key}"
    for name, secret in config()["secrets"].items():
        # Where alerts go is a file of the operator; not set, it is deploy/empty-secret.
        assert secret.get("external") or (
            name in (*SECRETS, DEADMAN_URL) and secret["file"].endswith("/empty-secret")
        )
        assert secret["name"].endswith("_1")


def test_configs_are_named_after_their_content_and_found_where_compose_mounts_them() -> None:
    mounted = {}
    for name, service in services().items():
        for item in service.get("configs", []):
            file = config()["configs"][item["source"]]["file"]
            mounted[name, item["target"]] = str(file)
            assert re.fullmatch(r".*_[0-9a-f]{10}", item["source"])
    for name, service in compose_config()["services"].items():
        for mount in service.get("volumes", []):
            source, target = mount["source"], mount["target"]
            if mount["type"] != "bind" or name in {"secrets", "node"}:
                continue
            if os.path.isdir(source):  # noqa: PTH112
                inside = {file for (n, t), file in mounted.items() if t.startswith(target)}
                assert inside == {str(p) for p in Path(source).iterdir() if p.is_file()}
            else:
                assert mounted[name, target] == source, (name, target)
    assert ("nginx", CONTAINER_PROXY.active.replace("*", "upstream")) in mounted


@pytest.mark.parametrize(
    "key", ["image", "entrypoint", "command", "environment", "healthcheck", "cap_add"]
)
def test_it_says_the_same_as_compose(key: str) -> None:
    settings = set(SETTINGS.values())
    for name, service in services().items():
        here, there = service.get(key), compose_service(name).get(key)
        if key == "image" and (here in settings):
            continue
        if key == "environment":
            varying = {"DATA_SOURCE_URI", "API_URL", "GF_SERVER_ROOT_URL", "GRAFANA_URL", "SITE"}
            varying |= {"DATABASE_ADDRESS", "PGSSLMODE", "PGSSLROOTCERT"}
            here = {k: v for k, v in (here or {}).items() if k not in varying}
            there = {k: v for k, v in (there or {}).items() if k not in varying | {"DATABASE_URL"}}
        if key == "healthcheck" and here and there:
            assert here.get("test") == there.get("test"), name
            continue
        assert (here or None) == (there or None), name


def test_replicas_are_found_one_by_one() -> None:
    upstream = (ROOT / "deploy/nginx/swarm.conf").read_text()
    for name in ROLLING:
        assert containers().address[name] in upstream
    assert services()["web"]["environment"]["API_URL"] == "http://tasks.api:5001"
