"""Pages that are followed literally: their edits, done in a checkout of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.parts import PATIENCE, ROOT

STEP = re.compile(
    r"(?:In|Write)\s+`([\w/.-]+)`|^(`{3,})(diff|yaml|markdown)\n(.*?)^\2$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` becomes ``new`` in a file; a file without ``old`` is new."""

    file: str
    old: str
    new: str

    def make(self, checkout: Path) -> None:
        """Change the file; AssertionError unless ``old`` stands there exactly once."""
        path = checkout / self.file
        text = path.read_text() if self.old else ""
        assert bool(self.old) == path.exists(), self.file
        assert not self.old or text.count(self.old) == 1, f"not once in {self.file}:\n{self.old}"
        path.write_text(text.replace(self.old, self.new) if self.old else self.new)


def sections(page: Path) -> list[list[Edit]]:
    """Return the edits of each section of a page."""
    found = []
    for section in re.split(r"^## (?=\d)", page.read_text(), flags=re.MULTILINE)[1:]:
        file, edits = "", []
        for named, _, language, text in STEP.findall(section):
            file = named or file
            if language == "diff":
                edits.append(Edit(file, side(text, " -"), side(text, " +")))
            elif language:
                edits.append(Edit(file, "", text))
        found.append(edits)
    return found


def side(diff: str, marks: str) -> str:
    """Return the lines of one side of a diff."""
    return "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in marks)


def copy(target: Path) -> Path:
    """Write what git knows, as it is here, to ``target``."""
    known = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, known.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run ``python -m ...`` in a checkout."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True, text=True, check=False, timeout=PATIENCE * 3,
    )  # fmt: skip


def generate(checkout: Path) -> None:
    """Do what ``make dashboards`` does."""
    stack = ("observability.stack.config.generate", "observability.stack.programs.digests")
    for package in ("dashboards", "alerts", *stack):
        done = run(checkout, package)
        assert done.returncode == 0, done.stderr
