"""Python commands on pages: the module exists, its help names each option."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.parts import PATIENCE, ROOT

KNOWN = {"--help", "-s", "-q", "-x"}  # of argparse and of pytest
PARSER = {"simulator": "simulator.options"}  # where a module's options are read


def wrong(words: list[str]) -> Iterator[str]:
    """Yield what of ``python -m MODULE ...`` or ``python -c TEXT`` cannot be run."""
    if words[1] == "-c":
        try:
            compile(words[2], "<page>", "exec")
        except SyntaxError as error:
            yield f"{error}: {words[2]}"
    elif words[1] == "-m":
        module, *rest = words[2:]
        yield from _module(module, rest)
    else:
        yield f"no rule covers python {words[1]}"


def _module(module: str, words: list[str]) -> Iterator[str]:
    found = find_spec(module)
    if not found or not found.origin:
        yield f"no module {module}"
        return
    command = words[:1] if module == "app" and words else []
    help_text = helped(module, *command)
    for word in words:
        if word.startswith("-"):
            if word not in KNOWN and not re.search(rf"(?<!\S){word}\b", help_text):
                yield f"python -m {module} has no option {word}"
        elif word.startswith("tests/") and not (ROOT / word.partition("::")[0]).exists():
            yield f"no file {word}"
    if help_text.startswith("failed: "):
        yield f"python -m {module} {' '.join(command)}: {help_text}"


@cache
def helped(module: str, *command: str) -> str:
    """Return what ``--help`` prints, or why it fails; '' without options."""
    if not _parses(module):
        return ""
    done = subprocess.run(
        [sys.executable, "-m", module, *command, "--help"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"


def _parses(module: str) -> bool:
    """Return whether argparse reads a module's options: else ``--help`` starts it."""
    found = find_spec(PARSER.get(module, module))
    if found and found.submodule_search_locations:
        found = find_spec(f"{module}.__main__")
    file = Path(found.origin or "") if found else Path()
    return module != "pytest" and "argparse" in file.read_text()
