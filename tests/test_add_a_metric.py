"""docs/add-a-metric.md, followed as it stands in a checkout of its own, ends green."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import ROOT

PAGE = ROOT / "docs/add-a-metric.md"
# What of `make test` looks at metrics and panels: all of it would take as long again.
CHECKS = (
    "tests/dashboards/test_expressions.py", "tests/dashboards/test_panels.py",
    "tests/observability/instrument/test_metrics.py",
)  # fmt: skip
UNUSED = f"{CHECKS[0]}::test_every_metric_is_shown_or_alerted_on_or_declared_internal"


def run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip


def steps() -> list[list[tuple[str, str, str]]]:
    """Of each section: file, what stands there, what shall stand there."""
    found = []
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        file, parts = "", []
        for named, diff in re.findall(r"In `([\w/.]+)`|^```diff\n(.*?)^```", section, re.M | re.S):
            file = named or file
            if diff:
                parts.append((file, side(diff, " -"), side(diff, " +")))
        found.append(parts)
    return found


def side(diff: str, marks: str) -> str:
    """The lines of one side of a diff."""
    return "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in marks)


def follow(checkout: Path, parts: list[tuple[str, str, str]]) -> None:
    for file, old, new in parts:
        text = (checkout / file).read_text()
        assert text.count(old) == 1, f"{PAGE.name}: not once in {file}:\n{old}"
        (checkout / file).write_text(text.replace(old, new))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What git knows, as it is here."""
    known = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    target = tmp_path / "checkout"
    for name in filter(None, known.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target


def test_who_follows_the_page_ends_green(checkout: Path) -> None:
    declare, record, show, _ = steps()
    follow(checkout, declare)
    follow(checkout, record)
    unused = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", UNUSED)
    assert unused.returncode == 1, "a metric that nobody shows is not noticed"
    assert "minitwit_list_limit_messages" in unused.stdout
    follow(checkout, show)
    for package in ("dashboards", "alerts", "observability.stack.config.generate"):
        done = run(checkout, package)
        assert done.returncode == 0, done.stderr
    assert (
        "minitwit_list_limit_messages"
        in (checkout / "dashboards/generated/minitwit-business.json").read_text()
    )
    done = run(checkout, "ruff", "format", "--check", "app", "observability", "dashboards")
    assert done.returncode == 0, done.stdout
    done = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-x", *CHECKS)
    assert done.returncode == 0, done.stdout[-3000:]
