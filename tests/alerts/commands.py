"""Checks commands of runbooks: their target, service, component or file exists."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import yaml

from observability.stack.components import COMPONENTS
from tests.drills.breaking import DRILLS_HERE
from tests.drills.table import DRILLS
from tests.parts import ROOT

SETTING = re.compile(r"^([A-Z_]+)=\S*\s+")
# Named options whose value is a word of its own.
WITH_VALUE = {"--tail", "--env-add", "--max-depth", "--user", "-n"}
KNOWN = {
    "C": set(COMPONENTS),
    "DRILL": {drill.name for drill in DRILLS},
    "FAULT": {drill.name for drill in DRILLS_HERE},
}
STACKS = ("stack.yml", "deploy/stack.postgres.yml")
LOGS = {f".run/logs/{name}.log" for name in (*COMPONENTS, "restarts", "supervisord")}
LOGS |= {f".run/logs/json/{name}.log" for name in ("api", "web")}


def wrong(command: str) -> list[str]:
    """Return the unknown parts of a command; None if it is not one of ours."""
    while found := SETTING.match(command):
        command = command[found.end() :]
    check = CHECKS.get(command.split()[0])
    if check is None:
        return [] if " " not in command else [f"what is {command.split()[0]}?"]
    shell = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True, check=False)
    return [*check(command.split()), *shell.stderr.splitlines()]


@cache
def services(*files: str) -> set[str]:
    """The services of compose files."""
    texts = [(ROOT / file).read_text() for file in files]
    return {name for text in texts for name in yaml.safe_load(text)["services"]}


def _make(words: list[str]) -> Iterator[str]:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals and word not in targets:
            yield f"no target {word}"
        if name in KNOWN and value not in KNOWN[name]:
            yield f"no {name}={value}"


def _docker(words: list[str]) -> Iterator[str]:
    plain = [
        word
        for before, word in pairwise(words)
        if not word.startswith("-") and before not in WITH_VALUE
    ]
    what, verb, *rest = [*plain, ""]
    rest = [word for word in rest if word]
    if what == "compose" and rest and rest[0] not in services("compose.yaml"):
        yield f"no service {rest[0]} in compose.yaml"
    if what == "service":
        for word in rest:
            name = word.partition("=")[0].removeprefix("minitwit_")
            if name not in services(*STACKS):
                yield f"no service {word} in the stack"
    for script in re.findall(r" /backup/(\S+)", " ".join(words)):
        if not (ROOT / "deploy/backup" / script).is_file():
            yield f"no {script} in {what} {verb}"


def _tail(words: list[str]) -> Iterator[str]:
    yield from (f"no log {word}" for word in words if "/" in word and word not in LOGS)


def _curl(words: list[str]) -> Iterator[str]:
    ports = {str(component.port): component for component in COMPONENTS.values() if component.port}
    for port, path in re.findall(r"127\.0\.0\.1:(\d+)(/\S*)", " ".join(words)):
        if port not in ports or path != ports[port].ready:
            yield f"nobody answers {port}{path}"


def _file(words: list[str]) -> Iterator[str]:
    for word in words:
        if word.startswith(("deploy/", "alerts/", "tests/")) and not (ROOT / word).exists():
            yield f"no file {word}"


def _any(_: list[str]) -> Iterator[str]:
    return iter(())


Check = Callable[[list[str]], Iterator[str]]
SCRIPTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy").glob("*.sh"))
CHECKS: dict[str, Check] = {
    "make": _make, "docker": _docker, "tail": _tail, "cat": _tail, "curl": _curl,
    "ls": _file, "git": _file, "du": _any, "top": _any, "echo": _any, "py-spy": _any,
    **dict.fromkeys(SCRIPTS, _file),
}  # fmt: skip
