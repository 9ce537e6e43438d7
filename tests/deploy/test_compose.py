"""compose.yaml: valid, small, closed, and equal to the run without Docker."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from observability.generated import check
from observability.stack.components import COMPONENTS
from observability.stack.config.deployments import CONTAINER_PROXY, PROXY_PORTS, containers
from observability.stack.config.generate import OUT, files
from observability.stack.local import postgres
from observability.stack.targets import PROBE_USER
from tests.deploy.compose import config, run
from tests.parts import ROOT

EVERYTHING = ("green", "import", "restore", "simulator")
MOST = 2 * 1024**3  # bytes of memory, all limits together
LOOPBACK = {"prometheus", "grafana"}
ONCE = {"secrets", "migrate", "import", "restore"}
UNASKED = {
    *ONCE,
    "backup",
    "simulator",
    "chatlog",
    "deadman",
    "nginx-exporter",
    "tempo",
}  # nobody waits for their health
ROOT_NEEDED = {"secrets", "postgres", "nginx", "promtail"}


def services(*profiles: str) -> dict[str, Any]:
    found: dict[str, Any] = config(*profiles)["services"]
    return found


def test_the_generated_files_are_as_generated() -> None:
    assert check(OUT, files()) == [], "run: make dashboards"


def test_all_memory_limits_together_are_two_gigabytes_at_most() -> None:
    limits = {name: int(service["mem_limit"]) for name, service in services().items()}
    assert sum(limits.values()) <= MOST, limits


def test_a_setting_opens_one_plain_port() -> None:
    done = run("config", "--format", "json", PLAIN_API="0.0.0.0")  # noqa: S104
    ports = json.loads(done.stdout)["services"]["nginx"]["ports"]
    plain = {p["published"]: p["host_ip"] for p in ports if p["published"].startswith("500")}
    assert plain == {"5000": "127.0.0.1", "5001": "0.0.0.0"}  # noqa: S104


def test_only_nginx_publishes_but_for_two_pages_on_loopback() -> None:
    for name, service in services(*EVERYTHING).items():
        ports = service.get("ports", [])
        if name == "nginx":
            assert {p["published"] for p in ports} == {"80", "443", "5000", "5001"}
            inside = {PROXY_PORTS[port] for port in ("http", "https", "web", "api")}
            assert {p["target"] for p in ports} == inside
            plain = {p["published"] for p in ports if p.get("host_ip") == "127.0.0.1"}
            assert plain == {"5000", "5001"}
        elif name in LOOPBACK:
            assert [p["host_ip"] for p in ports] == ["127.0.0.1"]
        else:
            assert not ports, name


@pytest.mark.parametrize("name", services(*EVERYTHING))
def test_every_service_is_confined(name: str) -> None:
    service = services(*EVERYTHING)[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"]
    assert float(service["cpus"]) <= 1
    assert service["logging"]["options"]["max-size"]
    assert not service.get("privileged")
    assert (service.get("user") == "0:0") == (name == "secrets")
    assert not service.get("cap_add") or name in ROOT_NEEDED
    assert service.get("restart") == ("no" if name in ONCE else "unless-stopped")


@pytest.mark.parametrize("name", services(*EVERYTHING))
def test_every_image_is_pinned_and_who_is_waited_for_tells_its_health(name: str) -> None:
    service = services(*EVERYTHING)[name]
    tag = service["image"].rpartition(":")[2]
    assert tag == "local" or re.search(r"\d+\.\d+", tag), service["image"]
    disabled = service.get("healthcheck", {}).get("disable", False)
    own = "build" in service and name not in {"ngircd", "relay"}
    assert (name in UNASKED) == (disabled or not (own or "healthcheck" in service))
    for other, how in service.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert other not in UNASKED


def test_no_environment_holds_a_secret() -> None:
    for name, service in services(*EVERYTHING).items():
        for key, value in (service.get("environment") or {}).items():
            secret = re.search(r"PASSWORD|PASS$|SECRET|TOKEN|DATABASE_URL|PASS_", key)
            assert not secret or str(value).startswith("/run/secrets/"), f"{name}: {key}"


# Who may read the secrets of which audience; secrets.sh makes them.
AUDIENCES = {
    "secret-database": {"postgres", "migrate", "restore"},
    "secret-api": {"api", "api-green"},
    "secret-import": {"import"},
    "secret-monitor": {"postgres-exporter"},
    "secret-backup": {"backup"},
    "secret-simulator": {"simulator"},
    "secret-web": {"web", "web-green"},
    "secret-blackbox": {"blackbox"},
    "secret-prometheus": {"prometheus"},
    "secret-alertmanager": {"alertmanager"},
    "secret-loki": {"loki"},
    "secret-chat": {"ngircd"},
    "secret-relay": {"relay"},
    "secret-deadman": {"deadman"},
    "secret-chatlog": {"chatlog"},
    "secret-tls": {"nginx"},
    "secret-grafana": {"grafana"},
}
# Who reaches what asks nobody who it is.
CLOSED = {
    "data": {"postgres", "migrate", "api", "api-green", "backup", "restore", "postgres-exporter",
             "import"},
    "logs": {"loki", "promtail", "prometheus", "grafana", "alertmanager", "api", "api-green",
             "migrate", "simulator", "import"},
    "traces": {"tempo", "prometheus", "grafana", "api", "api-green", "web", "web-green"},
    "chat": {"ngircd", "relay", "chatlog", "deadman", "alertmanager"},
}  # fmt: skip


def test_what_asks_nobody_who_it_is_has_a_network_of_its_own() -> None:
    assert set(config()["networks"]) == {"default", *CLOSED}
    for name, members in CLOSED.items():
        assert config()["networks"][name]["internal"]
        found = {s for s, service in services(*EVERYTHING).items()
                 if name in (service.get("networks") or ())}  # fmt: skip
        assert found == members, name
    for name in ("postgres", "loki", "tempo", "relay", "ngircd"):
        assert "default" not in services()[name]["networks"], name


def test_each_service_mounts_the_secrets_of_its_own_audience() -> None:
    found: dict[str, set[str]] = {}
    for name, service in services(*EVERYTHING).items():
        for mount in service.get("volumes", []):
            if str(mount.get("source")).startswith("secret-") and name != "secrets":
                found.setdefault(mount["source"], set()).add(name)
                assert mount["read_only"]
    assert found == AUDIENCES


def test_the_log_of_the_database_has_nothing_that_people_sent() -> None:
    given = " ".join(services()["postgres"]["command"])
    swarm = (ROOT / "deploy/stack.postgres.yml").read_text()
    for text in (given, swarm, " ".join(postgres.command(Path("home"), 1))):
        assert "log_parameter_max_length=0" in text
        assert "log_error_verbosity=terse" in text


def test_what_the_switch_remembers_outlives_its_container() -> None:
    switch = services()["deadman"]
    folder = str(Path(switch["environment"]["HEARTBEAT_FILE"]).parent)
    [mount] = [m for m in switch["volumes"] if m["target"] == folder]
    assert mount["type"] == "volume"
    assert "read_only" not in mount
    # A new volume gets the owner of the image's folder.
    made = (ROOT / "Dockerfile").read_text().partition("install --directory --owner=10001")[2]
    assert folder in made.splitlines()[0].split()


def test_every_file_that_is_mounted_exists() -> None:
    for name, service in services(*EVERYTHING).items():
        for mount in service.get("volumes", []):
            if mount["type"] == "bind":
                assert Path(mount["source"]).exists(), f"{name}: {mount['source']}"
                assert mount["read_only"], f"{name}: {mount['target']}"


def test_prometheus_and_nginx_look_where_compose_puts_them() -> None:
    deployment, found = containers(), services()
    for name in deployment.components:
        assert name in found, name
        host = deployment.address[name].split(":")[0]
        aliases = [
            a for n in found[name]["networks"].values() for a in (n or {}).get("aliases", ())
        ]
        assert host in (name, *aliases), name
    mounted = {m["target"]: m.get("source") for m in found["nginx"]["volumes"]}
    assert str(Path(CONTAINER_PROXY.active).parent) in mounted
    assert str(Path(CONTAINER_PROXY.log).parent) in mounted
    mounted = {m["target"]: m.get("source") for m in found["prometheus"]["volumes"]}
    assert mounted[deployment.folder["rules"]] == str(ROOT / "alerts/generated")
    mounted = {m["target"]: m.get("source") for m in found["grafana"]["volumes"]}
    assert mounted[deployment.folder["dashboards"]] == str(ROOT / "dashboards/generated")


@pytest.mark.parametrize("name", ["prometheus", "alertmanager", "node"])
def test_programs_get_the_flags_that_they_have_without_docker(name: str) -> None:
    given = services()[name]["command"]
    for flag in COMPONENTS[name].command[1:]:
        option, _, value = flag.partition("=")
        if "{" not in value and "{" not in flag:
            assert flag in given, flag
        elif option == "--config.file" and "start.sh" in str(services()[name]["entrypoint"]):
            continue  # the script gives it
        elif option in ("--web.listen-address", "--collector.textfile.directory"):
            continue  # the image's own default; nobody writes there
        else:
            assert any(other.startswith(option) for other in given), flag


def test_grafana_is_set_as_without_docker() -> None:
    given = services()["grafana"]["environment"]
    for key, value in COMPONENTS["grafana"].env.items():
        if "{" not in value and key != "GF_AUTH_ANONYMOUS_ENABLED":
            assert given[key] == value, key


def test_the_user_of_the_probes_is_the_same_everywhere() -> None:
    assert services()["api"]["environment"]["PROBE_USER"] == PROBE_USER
    assert f"username={PROBE_USER}&" in (ROOT / "blackbox/blackbox.yml").read_text()


def test_the_image_gets_what_the_dockerfile_names_and_nothing_else() -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    names = {line[1:] for line in allowed if line.startswith("!")}
    assert names == {"VERSION", "app", "observability", "simulator", "requirements/app.txt"}
    assert allowed[1] == "*"


def test_green_differs_from_blue_in_image_and_api_alone() -> None:
    both = services(*EVERYTHING)
    for name in ("api", "web"):
        blue, green = both[name], both[f"{name}-green"]
        different = {key for key in blue | green if blue.get(key) != green.get(key)}
        assert different <= {"profiles", "image", "environment", "depends_on"}
    assert both["web"]["environment"]["API_URL"] == "http://api:5001"
    assert both["web-green"]["environment"]["API_URL"] == "http://api-green:5001"
