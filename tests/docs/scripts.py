"""Scripts of deploy/ on pages: they exist, and take these options and this many arguments."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from tests.parts import ROOT

SCRIPTS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "deploy").glob("*.sh")
    if os.access(path, os.X_OK)
)


def usages(script: str) -> set[tuple[frozenset[str], int]]:
    """Return options and number of arguments of each way to call it."""
    found = set()
    for line in (ROOT / script).read_text().splitlines():
        if not (line.startswith("#") or "usage:" in line):
            continue
        for call in re.findall(rf"{script}((?: (?:\[?--[a-z-]+\]?|[A-Z_]+|\|)(?![\w=]))*)", line):
            for way in call.split("|"):
                options = frozenset(re.findall(r"--[a-z-]+", way))
                found.add((options, len(re.findall(r"(?<!\S)[A-Z_]+", way))))
    return found


def wrong(words: list[str]) -> Iterator[str]:
    """Yield why a script of deploy/ cannot be called like this."""
    script, *rest = words
    options = {word for word in rest if word.startswith("--")}
    arguments = len(rest) - len(options)
    ways = usages(script)
    if not any(options <= known and arguments == number for known, number in ways):
        yield f"{script} is not called like this: {' '.join(rest)} (it says: {ways})"
