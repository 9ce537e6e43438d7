"""Checks commands of pages: each part of them exists. What no rule covers is wrong."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator

from observability.stack.components import COMPONENTS
from tests.alerts import logql
from tests.bench.__main__ import SUITES
from tests.docs import docker, python, scripts
from tests.docs.shell import split
from tests.drills.breaking import DRILLS_HERE
from tests.drills.table import DRILLS
from tests.mutate.operators import OPERATORS
from tests.parts import ROOT

SETTING = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)
PLACEHOLDER = re.compile(r"[A-Z_]+$|\$|…")
KNOWN = {
    "C": set(COMPONENTS),
    "DRILL": {drill.name for drill in DRILLS},
    "FAULT": {drill.name for drill in DRILLS_HERE},
    "SUITE": set(SUITES),
    "ONLY": set(OPERATORS),
}
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = dict(re.findall(r"^([a-z-]+):((?:.*\n)(?:\t.*\n)*)", MAKEFILE, re.MULTILINE))
VARIABLES = dict(re.findall(r"^([A-Z_]+) [:?]?= (.*)$", MAKEFILE, re.MULTILINE))
# where settings of the environment are declared
DECLARED = (
    *(ROOT / name for name in ("app/settings.py", "compose.yaml", "stack.yml")),
    ROOT / "observability/stack/commands.py",
    *(ROOT / "deploy").rglob("*.sh"),
)
SETTINGS = "".join(file.read_text() for file in DECLARED)
LOGS = {f".run/logs/{name}.log" for name in (*COMPONENTS, "restarts", "supervisord")}
LOGS |= {f".run/logs/json/{name}.log" for name in ("api", "web")}
# paths of programs that are not ours
PATHS = {"loki": "/loki/api/v1/query_range", "tempo": "/api/traces/"}
ROUTES = "".join(
    file.read_text()
    for folder in ("app/api", "app/web", "observability/instrument")
    for file in (ROOT / folder).glob("*.py")
)


def wrong(text: str) -> list[str]:
    """Return what is unknown in command lines; a word alone is none."""
    if " " not in text.strip():
        return []
    shell = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if shell.returncode:
        return shell.stderr.splitlines()
    return [found for words in split(text) for found in _wrong(words)]


def _wrong(words: list[str]) -> Iterator[str]:
    while words and (found := SETTING.fullmatch(words[0])):
        yield from _setting(found[1])
        words = words[1:]
    if words:
        name = words[0].rpartition("/")[2] if words[0].endswith("/python") else words[0]
        rule = RULES.get(name)
        yield from rule(words) if rule else [f"no rule covers {words[0]}"]


def _setting(name: str) -> Iterator[str]:
    if not re.search(rf"\b{name.removesuffix('_FILE')}(_FILE)?\b", SETTINGS):
        yield f"no setting {name}"


def _make(words: list[str]) -> Iterator[str]:
    target = next((word for word in words[1:] if "=" not in word), "")
    if target not in TARGETS:
        yield f"no target {target}"
        return
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            continue
        if name not in _read(TARGETS[target]):
            yield from _setting(name)
        for one in value.split():
            if name in KNOWN and one not in KNOWN[name] and not PLACEHOLDER.match(one):
                yield f"no {name}={one}"


def _read(text: str) -> set[str]:
    """Return the variables that a text of the Makefile reads, also through others."""
    names = set(re.findall(r"\$\([^)]*?\b([A-Z_]+)\b", text)) | {"PYTHON"}
    return names.union(
        *(_read(VARIABLES[name]) for name in names - {"PYTHON"} if name in VARIABLES)
    )


def _tail(words: list[str]) -> Iterator[str]:
    for word in words[1:]:
        if "/" in word and word not in LOGS and not word.startswith(".run/secrets/"):
            yield f"no log {word}"


def _curl(words: list[str]) -> Iterator[str]:
    ports = {str(component.port): component for component in COMPONENTS.values() if component.port}
    found = re.findall(r"127\.0\.0\.1:(\d+)(/\S*)", " ".join(words))
    if not found:
        yield "curl asks nobody of ours"
    for port, path in found:
        component = ports.get(port)
        known = component and (
            path == component.ready
            or (component.name in PATHS and path.startswith(PATHS[component.name]))
            or (component.name in ("api", "web") and f'"{path}"' in ROUTES)
        )
        if not known:
            yield f"nobody answers {port}{path}"
    for word in words:
        if word.startswith("query="):
            yield from logql.unknown(word.removeprefix("query="))


def _grep(words: list[str]) -> Iterator[str]:
    """Run what looks into the repository: it has to find something."""
    if any((ROOT / word).exists() for word in words[2:]):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"finds nothing: {' '.join(words)}"


def _file(words: list[str]) -> Iterator[str]:
    for word in words[1:]:
        if word.startswith(("deploy/", "alerts/", "tests/")) and not (ROOT / word).exists():
            yield f"no file {word}"


def _export(words: list[str]) -> Iterator[str]:
    for word in words[1:]:
        yield from _setting(word.partition("=")[0])


def _rest(words: list[str]) -> Iterator[str]:
    """Check what a command runs: ``time make up``."""
    yield from _wrong(words[1:])


def _terraform(words: list[str]) -> Iterator[str]:
    folder = ROOT / "deploy/terraform"
    outputs = (folder / "outputs.tf").read_text()
    plain = [word for word in words[1:] if not word.startswith("-")]
    for word in words[1:]:
        if word.startswith("-chdir=") and (ROOT / word.removeprefix("-chdir=")) != folder:
            yield f"no folder {word}"
    if plain[0] not in ("init", "apply", "output"):
        yield f"terraform {plain[0]}?"
    for name in plain[1:]:
        if not PLACEHOLDER.match(name) and f'output "{name}"' not in outputs:
            yield f"no output {name}"


def _ssh(words: list[str]) -> Iterator[str]:
    ports = {str(component.port) for component in COMPONENTS.values()}
    for port in re.findall(r"\b(\d{4,5})\b", " ".join(words)):
        if port not in ports:
            yield f"nobody listens on {port}"


def _any(_: list[str]) -> Iterator[str]:
    return iter(())


RULES: dict[str, Callable[[list[str]], Iterator[str]]] = {
    "make": _make, "docker": docker.wrong, "python": python.wrong, "tail": _tail, "cat": _any,
    "curl": _curl, "grep": _grep, "ls": _file, "git": _file, "export": _export, "time": _rest,
    "terraform": _terraform, "ssh": _ssh, **dict.fromkeys(scripts.SCRIPTS, scripts.wrong),
    **dict.fromkeys(("du", "top", "echo", "py-spy", "sleep", "openssl", "psql"), _any),
}  # fmt: skip
