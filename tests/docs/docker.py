"""Docker's commands on pages: the services, images, options and files that they name exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import yaml

from tests.parts import ROOT

STACKS = ("stack.yml", "deploy/stack.postgres.yml")
PLACEHOLDER = re.compile(r"[A-Z_]+$")
# sub-command → the options that it has and we use. Those in WITH_VALUE take a word more.
OPTIONS = {
    "compose up": "--build --detach --wait", "compose logs": "--follow --tail",
    "compose ps": "--all", "compose exec": "", "compose run": "--rm --volume",
    "compose restart": "", "compose stop": "", "compose start": "",
    "service logs": "--follow --tail", "service update": "--force --env-add",
    "service scale": "", "service ps": "--no-trunc", "service rollback": "",
    "stack services": "", "stack ps": "", "stack rm": "",
    "swarm init": "", "swarm join": "", "node update": "--label-add",
    "system df": "--verbose", "image prune": "--all", "stats": "--no-stream",
    "build": "--tag", "push": "", "ps": "--quiet --filter",
    "exec": "--interactive --tty -i -e", "run": "--rm --interactive --tty --volume",
}  # fmt: skip
WITH_VALUE = {"--tail", "--env-add", "--volume", "--label-add", "--tag", "--filter", "-e"}
SERVICES = {"exec", "run", "logs", "ps", "restart", "stop", "start", "up"}


@cache
def services(*files: str) -> set[str]:
    """Return the services of compose files."""
    return {name for text in _texts(files) for name in yaml.safe_load(text)["services"]}


def _texts(files: tuple[str, ...]) -> list[str]:
    return [(ROOT / file).read_text() for file in files]


def wrong(words: list[str]) -> Iterator[str]:
    """Yield what of a command of Docker does not exist."""
    words = words[1:]
    if words[:2] == ["compose", "--profile"]:
        if not re.search(rf"profiles: \[{words[2]}\]", _texts(("compose.yaml",))[0]):
            yield f"no profile {words[2]} in compose.yaml"
        words = ["compose", *words[3:]]
    name = " ".join(words[:2])
    name = name if name in OPTIONS else words[0]
    length = len(name.split())
    if name not in OPTIONS:
        yield f"no rule for docker {' '.join(words[:2])}"
        return
    plain, inner = [], False
    rest = iter(words[length:])
    for word in rest:
        if inner or not word.startswith("-"):
            plain.append(word)
            inner = name.endswith(("exec", "run"))  # what follows is what runs inside
        elif word not in OPTIONS[name].split():
            yield f"no rule for {word} of docker {name}"
        elif word in WITH_VALUE:
            next(rest)
    yield from _named(words[0], words[length - 1], plain)


def _named(what: str, verb: str, plain: list[str]) -> Iterator[str]:
    """Yield the services, images and files that do not exist."""
    if what == "compose" and verb in SERVICES:
        named = plain[:1] if verb in ("exec", "run") else plain
        for service in set(named) - services("compose.yaml"):
            yield f"no service {service} in compose.yaml"
    if what == "service":
        for word in plain:
            if word.partition("=")[0].removeprefix("minitwit_") not in services(*STACKS):
                yield f"no service {word} in the stack"
    if what == "build" and not (ROOT / plain[0] / "Dockerfile").is_file():
        yield f"no Dockerfile in {plain[0]}"
    if what == "run" and f"image: {plain[0]}\n" not in "".join(_texts(("compose.yaml", *STACKS))):
        yield f"{plain[0]} is not the image of a service"
    yield from _inside(plain[1:] if verb in ("exec", "run") else [])


# folder of the image or its mount → ours
FOLDERS = {"/backup/": "deploy/backup/", "/srv/": ""}


def _inside(words: list[str]) -> Iterator[str]:
    """Yield the files that a command inside a container names and that are not there."""
    text = " ".join(words)
    for folder, ours in FOLDERS.items():
        for file in re.findall(rf"(?<!\S){folder}(\S+)", text):
            if not (ROOT / ours / file).is_file():
                yield f"no {folder}{file}"
    made = (ROOT / "deploy/secrets.sh").read_text()
    for secret in re.findall(r"/run/secrets/(\w+)", text):
        if secret not in made:
            yield f"deploy/secrets.sh makes no {secret}"
