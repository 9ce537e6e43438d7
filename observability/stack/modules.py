"""The programs that no distribution brings: each a pinned Go module with what to build from it.

``modules/NAME`` holds go.mod and go.sum; the sums pin every source file by its hash. The
versions are those that compose uses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "modules"


@dataclass(frozen=True, slots=True)
class Module:
    """A module of our own that requires one foreign one; ``programs`` are name → package."""

    name: str
    version: str
    programs: Mapping[str, str]
    tags: str = "netgo"

    @property
    def folder(self) -> Path:
        """Where its go.mod and go.sum are."""
        return FOLDER / self.name

    @property
    def stamp(self) -> str:
        """What the programs are built from: another stamp means they must be built anew."""
        parts = [(self.folder / name).read_bytes() for name in ("go.mod", "go.sum")]
        return hashlib.sha256(b"\0".join([*parts, self.tags.encode()])).hexdigest()


# Loki 3.6.8 is the newest whose module, and whose Promtail, could be had and built.
MODULES = (
    Module(
        "loki",
        "3.6.8",
        {
            "loki": "github.com/grafana/loki/v3/cmd/loki",
            "promtail": "github.com/grafana/loki/v3/clients/cmd/promtail",
        },
    ),
    Module("actionlint", "1.7.12", {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint"}),
)
