"""Data sources: addresses and files of the running platform, or from options."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from alerts.incident.prometheus_api import Get, getter
from observability.stack.local import status
from observability.stack.settings import StackError, load


@dataclass(frozen=True, slots=True)
class Sources:
    """URLs and files; '' and None for what is missing.

    ``out`` is the folder for reports.
    """

    prometheus: str
    loki: str = ""
    tempo: str = ""
    grafana: str = ""
    annotations: str = ""  # a Grafana that has annotations; the preview has none
    chat: Path | None = None
    logs: Path | None = None
    out: Path = Path()
    get: Get = field(default_factory=getter)


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options for data sources."""
    group = parser.add_argument_group(
        "data sources, if not those of the platform that runs here (see RUN_DIR in make up)"
    )
    for name, text in (
        ("prometheus", "for example http://127.0.0.1:9090"),
        ("loki", "for log lines"),
        ("tempo", "for traces"),
        ("grafana", "for links to dashboards and the annotations of deploys"),
    ):
        group.add_argument(f"--{name}", default="", metavar="URL", help=text)
    group.add_argument("--chat", type=Path, metavar="FILE", help="the log of the chat")
    group.add_argument("--logs", type=Path, metavar="DIR", help="the services' JSON log files")


def find(options: argparse.Namespace) -> Sources:
    """Return the data sources; ``StackError`` without a Prometheus."""
    if options.prometheus:
        return Sources(
            options.prometheus.rstrip("/"), options.loki.rstrip("/"), options.tempo.rstrip("/"),
            options.grafana.rstrip("/"), options.grafana.rstrip("/"), options.chat, options.logs,
        )  # fmt: skip
    settings = load()
    try:
        layout = status.running(settings)
    except StackError as error:
        raise StackError(f"{error}\nOf another platform: --prometheus URL (see --help)") from None
    deployment = layout.deployment
    if "prometheus" not in deployment.components:
        raise StackError("No Prometheus runs here, and nothing else knows what happened.")

    def address(name: str) -> str:
        return f"http://{layout.address(name)}" if name in deployment.components else ""

    return Sources(
        address("prometheus"), address("loki"), address("tempo"), layout.grafana_url,
        address("grafana"), settings.logs / "chat.log", settings.logs / "json",
        settings.run_dir / "incidents",
    )  # fmt: skip
