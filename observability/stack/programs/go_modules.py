"""The programs built here, each from a pinned Go module.

They are used where no archive can be downloaded. ``go_mod/NAME`` holds go.mod and go.sum; the
sums pin every source file by its hash. The versions are the newest whose modules could be built,
at most those of the table in ``versions``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMUNITY = "github.com/prometheus-community"
FOLDER = Path(__file__).parent / "go_mod"


@dataclass(frozen=True, slots=True)
class Module:
    """A module that requires one foreign module; ``programs`` maps name to package."""

    name: str
    version: str
    programs: Mapping[str, str]
    tags: str = "netgo"

    @property
    def folder(self) -> Path:
        """The folder of its go.mod and go.sum."""
        return FOLDER / self.name

    @property
    def stamp(self) -> str:
        """A digest of the sources; another stamp means that they must be rebuilt."""
        parts = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        return hashlib.sha256(b"\0".join([*parts, self.tags.encode()])).hexdigest()


MODULES = (
    Module(
        "prometheus",
        "3.14.0",
        {
            "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
            "promtool": "github.com/prometheus/prometheus/cmd/promtool",
        },
        # Only the service discovery in use: static, files (always included) and DNS.
        "netgo,remove_all_sd,enable_dns_sd",
    ),
    Module(
        "alertmanager",
        "0.31.1",
        {
            "alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager",
            "amtool": "github.com/prometheus/alertmanager/cmd/amtool",
        },
    ),
    Module("blackbox", "0.28.0", {"blackbox_exporter": "github.com/prometheus/blackbox_exporter"}),
    Module(
        "postgres-exporter",
        "0.19.1",
        {
            "postgres_exporter": f"{COMMUNITY}/postgres_exporter/cmd/postgres_exporter",
        },
    ),
    Module("actionlint", "1.7.12", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"}),
)
