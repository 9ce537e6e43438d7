"""The programs that are no Python: found on PATH, in the tool cache, or fetched into it.

The cache has two parts. ``bin/`` holds programs built for this project; ``debian-…/`` is the
distribution's own packages, unpacked: no root, no service started, nothing installed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from observability.stack.programs import archive
from observability.stack.settings import StackError

BUILT = "make tools"  # from where what no distribution brings is had
SBIN = "/usr/local/sbin:/usr/sbin"  # not on everybody's PATH


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: its names, the package that brings it (if any), and where else it is from."""

    names: tuple[str, ...]
    package: str
    elsewhere: str
    flags: tuple[str, ...] = ()  # what the version that is built here needs besides
    pages: bool = False  # the distribution's has web pages, the one that is built here has none


TOOLS = {
    "prometheus": Tool(("prometheus",), "prometheus", "prometheus.io/download", pages=True),
    "promtool": Tool(("promtool",), "prometheus", "prometheus.io/download"),
    "alertmanager": Tool(
        ("alertmanager", "prometheus-alertmanager"),
        "prometheus-alertmanager",
        "prometheus.io/download",
        flags=("--enable-feature=receiver-name-in-metrics",),
    ),
    "amtool": Tool(("amtool",), "prometheus-alertmanager", "prometheus.io/download"),
    "blackbox": Tool(
        ("blackbox_exporter", "prometheus-blackbox-exporter"),
        "prometheus-blackbox-exporter",
        "prometheus.io/download",
    ),
    "node": Tool(
        ("node_exporter", "prometheus-node-exporter"),
        "prometheus-node-exporter",
        "prometheus.io/download",
    ),
    "postgres-exporter": Tool(
        ("postgres_exporter", "prometheus-postgres-exporter"),
        "prometheus-postgres-exporter",
        "github.com/prometheus-community/postgres_exporter",
        # It asks for the size of each table, and so waits for as long as one of them is locked:
        # while the database is at its worst, there would be nothing to see.
        flags=("--no-collector.stat_user_tables",),
    ),
    "loki": Tool(("loki",), "", "grafana.com/docs/loki"),
    "promtail": Tool(("promtail",), "", "grafana.com/docs/loki"),
    "tempo": Tool(("tempo",), "", "grafana.com/docs/tempo"),
    "actionlint": Tool(("actionlint",), "", BUILT),
    "ngircd": Tool(("ngircd",), "ngircd", "ngircd.barton.de"),
    "relay": Tool(
        ("alertmanager-irc-relay",),
        "alertmanager-irc-relay",
        "github.com/google/alertmanager-irc-relay",
    ),
    "wrk": Tool(("wrk",), "wrk", "github.com/wg/wrk"),
    "nginx": Tool(("nginx",), "nginx", "nginx.org"),
    "nginx-exporter": Tool(
        ("nginx-prometheus-exporter", "prometheus-nginx-exporter"),
        "prometheus-nginx-exporter",
        "github.com/nginx/nginx-prometheus-exporter",
    ),
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was found: its path, and what its place asks for besides."""

    path: Path
    flags: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None


def find(name: str, cache: Path) -> Program | None:
    """The program called ``name`` in ``TOOLS``, or None if this machine has it nowhere.

    PATH comes first, then what was built here, then the distribution's. With MINITWIT_TOOLS=pinned
    what was built here comes first: the very versions that compose pins.
    """
    tool = TOOLS[name]
    here, built = f"{os.environ.get('PATH', os.defpath)}:{SBIN}", f"{cache}/bin"
    root = archive.folder(cache)
    packaged = f"{root}/usr/bin:{root}/usr/sbin"
    order = (here, packaged, built) if tool.pages else (here, built, packaged)
    if os.environ.get("MINITWIT_TOOLS") == "pinned":
        order = (built, here, packaged)
    for place in order:
        for found in (shutil.which(n, path=place) for n in tool.names):
            if found and place == packaged:
                return _unpacked(name, Path(found), root)
            if found:
                return Program(Path(found), flags=tool.flags if place == built else ())
    return None


def require(names: Iterable[str], cache: Path) -> dict[str, Program]:
    """All of ``names``, fetching what is missing; ``StackError`` has a line for each that is not.

    Prints one line before it fetches, because that takes a few seconds.
    """
    wanted = tuple(names)
    why = ""
    if any(find(name, cache) is None for name in wanted):
        why = archive.fetch({tool.package for tool in TOOLS.values() if tool.package}, cache)
    found = {name: find(name, cache) for name in wanted}
    lines = [
        f"{name}: no {TOOLS[name].names[0]} on PATH. {_advice(TOOLS[name], why)}"
        for name, program in found.items()
        if program is None
    ]
    if lines:
        raise StackError("\n".join(lines))
    return {name: program for name, program in found.items() if program}


def _advice(tool: Tool, why: str) -> str:
    if not tool.package:
        return f"Build it: {tool.elsewhere}"
    return f"Install it ({tool.elsewhere}; Debian, Ubuntu: package {tool.package}). {why}".rstrip()


def _unpacked(name: str, path: Path, root: Path) -> Program:
    """Debian's builds look for some files under /usr: tell them where those are instead."""
    share = root / "usr/share/prometheus"
    if name in ("ngircd", "wrk"):
        return Program(path, env={"LD_LIBRARY_PATH": str(archive.libraries(root))})
    if name == "alertmanager":
        assets = share / "alertmanager"
        return Program(path, flags=(f"--web.ui-path={assets}/no-ui/",), directory=assets)
    if name == "prometheus":
        etc = root / "etc/prometheus"
        return Program(
            path,
            flags=(
                f"--web.local-assets={share}/web/",
                f"--web.console.templates={etc}/consoles",
                f"--web.console.libraries={etc}/console_libraries",
            ),
        )
    return Program(path)
