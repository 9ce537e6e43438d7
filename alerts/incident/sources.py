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

    ``grafana`` is where links to dashboards lead, also if it is the preview; ``annotations`` is the
    API of a real Grafana. ``out`` is the folder for reports.
    """

    prometheus: str
    loki: str = ""
    tempo: str = ""
    grafana: str = ""
    annotations: str = ""
    chat: Path | None = None
    logs: Path | None = None
    out: Path = Path()
    get: Get = field(default_factory=getter)


URLS = {
    "prometheus": "for example http://127.0.0.1:9090",
    "loki": "for log lines",
    "tempo": "for traces",
    "grafana": "for links to dashboards and the annotations of deploys",
}


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options for data sources."""
    group = parser.add_argument_group(
        "data sources of another platform; without --prometheus those of the one in RUN_DIR"
    )
    for name, text in URLS.items():
        group.add_argument(f"--{name}", default="", metavar="URL", help=text)
    group.add_argument("--chat", type=Path, metavar="FILE", help="the log of the chat")
    group.add_argument("--logs", type=Path, metavar="DIR", help="the services' JSON log files")


def find(options: argparse.Namespace) -> Sources:
    """Return the data sources; ``StackError`` without a Prometheus."""
    if options.prometheus:
        url = {name: getattr(options, name).rstrip("/") for name in URLS}
        return Sources(**url, annotations=url["grafana"], chat=options.chat, logs=options.logs)
    settings = load()
    try:
        layout = status.running(settings)
    except StackError as error:
        raise StackError(
            f"{error}\nFor an incident of another platform give its --prometheus URL (see --help)"
        ) from None
    deployment = layout.deployment
    if "prometheus" not in deployment.components:
        raise StackError("No Prometheus runs here, and nothing else knows what happened.")

    def address(name: str) -> str:
        return f"http://{layout.address(name)}" if name in deployment.components else ""

    return Sources(
        prometheus=address("prometheus"),
        loki=address("loki"),
        tempo=address("tempo"),
        grafana=layout.grafana_url,
        annotations=address("grafana"),
        chat=settings.logs / "chat.log",
        logs=settings.logs / "json",
        out=settings.run_dir / "incidents",
    )
