"""The runner's settings from the environment: the folder of its state, and its ports."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from observability.conventions import RUNBOOK_BASE

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
LINK_LENGTH = 100  # a chat message is one short line
LINK = re.compile(rf"(?=.{{1,{LINK_LENGTH}}}\Z)https?://[\w.~:/@%+-]+")
HIGHEST_OFFSET = 65535 - 9187  # 9187 is the highest port in the table of components


class StackError(Exception):
    """An error with a text for users; it is shown without a traceback."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one stack.

    ``run_dir`` holds all its state; ``offset`` is added to every port. The monitoring runs
    ``scale`` times as fast as in production. ``mirror`` is the URL of a mirror of the archives; ''
    means their publishers. Notifications link to dashboards under ``grafana_url``, or under this
    stack's own if it is '', and to ``runbook_base``.
    """

    run_dir: Path
    cache: Path
    offset: int = 0
    database_url: str = ""
    scale: float = 1
    mirror: str = ""
    grafana_url: str = ""
    runbook_base: str = RUNBOOK_BASE

    @property
    def config(self) -> Path:
        """The folder of the rendered configuration."""
        return self.run_dir / "config"

    @property
    def data(self) -> Path:
        """The folder of the components' data."""
        return self.run_dir / "data"

    @property
    def logs(self) -> Path:
        """The folder of logs, one for each component; the services' JSON lines are in ``json/``."""
        return self.run_dir / "logs"

    @property
    def secrets(self) -> Path:
        """The folder of files that only the user may read."""
        return self.run_dir / "secrets"

    @property
    def textfile(self) -> Path:
        """The folder of metrics that the node exporter reads."""
        return self.data / "textfile"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read what ``--help`` lists from the environment; ``StackError`` names wrong values."""
    offset = environ.get("PORT_OFFSET") or "0"
    if not offset.isdecimal() or int(offset) > HIGHEST_OFFSET:
        raise StackError(f"PORT_OFFSET must be a number from 0 to {HIGHEST_OFFSET}, not {offset!r}")
    pace = environ.get("TIME_SCALE") or "1"
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", pace) or float(pace) < 1:
        raise StackError(f"TIME_SCALE must be a number from 1 on, not {pace!r}")
    mirror = environ.get("MINITWIT_MIRROR") or ""
    if mirror and not mirror.startswith(("http://", "https://", "file:///")):
        raise StackError(f"MINITWIT_MIRROR must be an http, https or file URL, not {mirror!r}")
    for name in ("GRAFANA_URL", "RUNBOOK_BASE"):
        if (given := environ.get(name)) and not LINK.fullmatch(given):
            raise StackError(
                f"{name} must be an http or https URL of {LINK_LENGTH} characters at most, "
                f"not {given!r}"
            )
    home = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Settings(
        run_dir=(ROOT / (environ.get("RUN_DIR") or ".run")).resolve(),
        cache=Path(environ.get("MINITWIT_CACHE") or home / "minitwit").expanduser().resolve(),
        offset=int(offset),
        database_url=secret(environ, "DATABASE_URL"),
        scale=float(pace),
        mirror=mirror,
        grafana_url=(environ.get("GRAFANA_URL") or "").rstrip("/"),
        runbook_base=(environ.get("RUNBOOK_BASE") or RUNBOOK_BASE).rstrip("/"),
    )


def secret(environ: Mapping[str, str], name: str) -> str:
    """Return the setting ``name``, or the contents of the file in ``name``_FILE; '' if unset."""
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise StackError(f"{name}_FILE cannot be read: {error}") from None
    return environ.get(name, "")
