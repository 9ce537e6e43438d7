"""A real Prometheus that scrapes both pairs, and a real Alertmanager."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from observability.stack.programs import tools
from observability.stack.settings import load
from tests.parts import PATIENCE, free_port, request, wait_for

ALERTMANAGER = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"
PROMETHEUS = """\
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [{folder}/rules.yml]
scrape_configs:
  - job_name: api
    static_configs: [{{targets: {api}, labels: {{service: api}}}}]
  - job_name: web
    static_configs: [{{targets: {web}, labels: {{service: web}}}}]
"""
# What makes a deploy refuse to start.
FIRING = (
    "- {alert: MiniTwitErrorRatio, expr: vector(1), labels: {severity: critical, service: api}}"
)
SPENT = (
    "- {record: 'objective:slo_budget_left:ratio_rate30d', expr: vector(-0.2),"
    " labels: {objective: web-availability}}"
)


@dataclass
class Monitoring:
    """Where both are; ``rules`` replaces what Prometheus evaluates."""

    folder: Path
    prometheus: str
    alertmanager: str
    pid: int

    def rules(self, *rules: str) -> None:
        """Evaluate just these from now on."""
        inside = "".join(f"      {rule}\n" for rule in rules)
        groups = f"  - name: test\n    rules:\n{inside}" if rules else ""
        (self.folder / "rules.yml").write_text(f"groups:\n{groups}" if groups else "groups: []\n")
        subprocess.run(["kill", f"-{signal.SIGHUP.value}", str(self.pid)], check=True)

    def value(self, query: str) -> list[Any] | None:
        """What a query finds; None without an answer."""
        answer = request("GET", f"{self.prometheus}/api/v1/query?query={query}")
        return answer.json()["data"]["result"] if answer.status == 200 else None

    def silences(self, state: str) -> list[dict[str, Any]]:
        """Those that are ``active`` or ``expired``."""
        answer = request("GET", f"{self.alertmanager}/api/v2/silences")
        return [one for one in json.loads(answer.body) if one["status"]["state"] == state]

    def silenced(self, **labels: str) -> bool:
        """Whether Alertmanager keeps an alert with these labels to itself."""
        url = f"{self.alertmanager}/api/v2/alerts"
        body = json.dumps([{"labels": labels}]).encode()
        assert request("POST", url, body, {"Content-Type": "application/json"}).status == 200

        def status() -> Any:
            alerts = request("GET", url).json()
            found = [one["status"] for one in alerts if one["labels"] == labels]
            return found[0] if found and found[0]["state"] != "unprocessed" else None

        return bool(wait_for("the alert", status)["silencedBy"])


@contextmanager
def start(folder: Path, ports: Mapping[str, str]) -> Iterator[Monitoring]:
    """Run both until they are ready; end them afterwards."""
    programs = tools.require(["prometheus", "alertmanager"], load().cache)
    folder.mkdir()
    own = {name: free_port() for name in ("prometheus", "alertmanager")}
    targets = {
        service: json.dumps([f"127.0.0.1:{ports[f'{c}_{service.upper()}']}" for c in COLOURS])
        for service in ("api", "web")
    }
    (folder / "prometheus.yml").write_text(PROMETHEUS.format(folder=folder, **targets))
    (folder / "alertmanager.yml").write_text(ALERTMANAGER)
    (folder / "rules.yml").write_text("groups: []\n")
    with ExitStack() as stack:
        found = {}
        for name, port in own.items():
            storage = "storage.tsdb.path" if name == "prometheus" else "storage.path"
            command = [
                str(programs[name].path), f"--config.file={folder}/{name}.yml",
                f"--{storage}={folder}/{name}", f"--web.listen-address=127.0.0.1:{port}",
                *(["--cluster.listen-address="] if name == "alertmanager" else []),
            ]  # fmt: skip
            log = stack.enter_context((folder / f"{name}.log").open("w"))
            found[name] = process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.terminate)
        urls = {name: f"http://127.0.0.1:{port}" for name, port in own.items()}
        for name, url in urls.items():
            wait_for(name, partial(_ready, url))
        yield Monitoring(folder, urls["prometheus"], urls["alertmanager"], found["prometheus"].pid)


COLOURS = ("BLUE", "GREEN")


def _ready(url: str) -> bool:
    return request("GET", f"{url}/-/ready").status == 200
