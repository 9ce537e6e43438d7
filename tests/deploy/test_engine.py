"""compose.yaml on a real engine: its core starts, takes load by nginx, and is seen.

Skipped, and said so, where no engine answers or the images are not there: a registry brings them,
or tests/deploy/images.sh makes stand-ins. The project is one of its own, on ports of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy import compose
from tests.parts import ROOT, free_port, request, wait_for

CORE = (
    "nginx", "nginx-exporter", "prometheus", "alertmanager", "blackbox", "node", "loki", "promtail",
    "relay", "chatlog",
)  # fmt: skip
PROJECT = "minitwit-engine-test"


def engine() -> str:
    """'' if an engine has all the images, else what is missing."""
    done = subprocess.run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"],
        capture_output=True, text=True, check=False,
    ) if _docker() else None  # fmt: skip
    if done is None or done.returncode:
        return "no Docker engine answers: compose.yaml was NOT started"
    services = compose.config()["services"]
    own = {service["image"] for service in services.values() if "build" in service}
    wanted = {services[name]["image"] for name in (*CORE, "postgres")} - own
    missing = wanted - set(done.stdout.split())
    return (
        f"the engine lacks {', '.join(sorted(missing))}: tests/deploy/images.sh" if missing else ""
    )


def _docker() -> bool:
    try:
        return (
            subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0
        )
    except OSError:
        return False


class Site:
    """The project, started."""

    def __init__(self) -> None:
        names = (
            "HTTP_PORT",
            "HTTPS_PORT",
            "WEB_PORT",
            "API_PORT",
            "PROMETHEUS_PORT",
            "GRAFANA_PORT",
        )
        self.ports = {name: str(free_port()) for name in names}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [compose.PROGRAM, "--env-file", os.devnull, "--project-name", PROJECT, *arguments],
            cwd=ROOT, env={**os.environ, **self.ports, "DOCKER_BUILDKIT": "0"},
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}"

    def prometheus(self, query: str) -> list[Any]:
        path = f"/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        answer = request("GET", self.url("PROMETHEUS_PORT") + path)
        found: list[Any] = answer.json()["data"]["result"] if answer.status == 200 else []
        return found

    def loki(self, selector: str) -> list[Any]:
        query = urllib.parse.urlencode({"query": selector})
        url = f"http://loki:3100/loki/api/v1/query_range?{query}"
        text = self.run("exec", "--no-TTY", "prometheus", "wget", "-q", "-O", "-", url)
        found: list[Any] = json.loads(text)["data"]["result"]
        return found


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    if why := engine():
        pytest.skip(why)
    site = Site()
    for tag, folder in (("minitwit:local", "."), ("minitwit-chat:local", "deploy/irc-server")):
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", tag, folder],
            cwd=ROOT, env={**os.environ, "DOCKER_BUILDKIT": "0"}, check=True, capture_output=True,
        )  # fmt: skip
    try:
        site.run("up", "--detach", "--no-build", "--wait", *CORE)
        yield site
    finally:
        site.run("down", "--volumes", "--timeout", "3")


@pytest.mark.stack
@pytest.mark.timeout(900)
def test_load_by_nginx_is_seen_in_metrics_logs_and_alerts(site: Site) -> None:
    command = [
        sys.executable, "-m", "simulator", "--url", site.url("API_PORT"), "--rate", "50",
        "--actions", "500", "--even", "--timeout", "20",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

    wait_for("the api's requests", lambda: site.prometheus("minitwit_http_requests_total > 0"))
    wait_for("nginx", lambda: site.prometheus("nginx_up > 0"))
    for service in ("api", "nginx"):
        wait_for(f"{service}'s lines", lambda s=service: site.loki(f'{{service="{s}"}}'))  # type: ignore[misc]

    site.run("up", "--detach", "--no-build", "--scale", "api=2", "--wait", "api")
    two = 'count(up{job="api"} == 1) == 2'
    wait_for("both replicas", lambda: site.prometheus(two))

    site.run("stop", "api")
    alert = 'ALERTS{alertname="MiniTwitTargetDown", alertstate="firing", service="api"}'
    wait_for("the alert", lambda: site.prometheus(alert))

    def told() -> bool:
        return "MiniTwitTargetDown" in site.run("logs", "chatlog")

    wait_for("the message in the chat", told)


@pytest.mark.stack
def test_no_secret_is_in_an_image_or_in_the_output_of_a_container(site: Site) -> None:
    names = ("database_password", "owner_url")
    secrets = [
        site.run("exec", "--no-TTY", "postgres", "cat", f"/run/secrets/{name}") for name in names
    ]
    history = subprocess.run(
        ["docker", "image", "history", "--no-trunc", "minitwit:local"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    settings = subprocess.run(
        ["docker", "inspect", *site.run("ps", "--all", "--quiet").split()],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for text in (history, settings, site.run("logs", "--no-color")):
        for secret in secrets:
            assert secret.strip() not in text
