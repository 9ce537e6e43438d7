"""Checks docs/security.md: every risk has a layer, and its tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.parts import ROOT

PAGE = (ROOT / "docs/security.md").read_text()
OUTSIDE = ("tests/drills/", "tests/bench/", "tests/soak/")  # `make test` does not run them
BASELINES = {"yes", "no", "in part", "not applicable"}
# Pinned by version alone; the file says why.
PINNING = ("compose.yaml", "stack.yml", "Dockerfile", "deploy/irc-server/Dockerfile")


def table(heading: str) -> list[list[str]]:
    """The rows below a heading, without the head of the table."""
    section = PAGE.partition(f"\n{heading}\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


RISKS = table("## Risks and what is done about them")


@cache
def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)
            and n.name.startswith("test_")}  # fmt: skip


def test_there_are_risks() -> None:
    assert len(RISKS) > 35
    assert len({row[0] for row in RISKS}) == len(RISKS)


@pytest.mark.parametrize("row", RISKS, ids=lambda row: row[0])
def test_a_risk_names_its_layer_and_tests_that_exist(row: list[str]) -> None:
    _, layer, mitigation, proof = row
    assert layer and mitigation
    named = re.findall(r"`([^`]+)`", proof)
    assert named and ", ".join(f"`{name}`" for name in named) == proof
    for name in named:
        file, _, function = name.partition("::")
        assert not file.startswith(OUTSIDE), file
        assert functions_of(ROOT / file) >= ({function} if function else set())
        assert functions_of(ROOT / file)


@pytest.mark.parametrize(
    "heading", ["### CIS Docker Benchmark", "### OWASP ASVS, level 2", "### Mozilla Observatory"]
)
def test_a_baseline_says_of_each_item_whether_it_is_met_and_how(heading: str) -> None:
    rows = table(heading)
    assert len(rows) > 5
    for row in rows:
        _, met, reason = row
        assert met in BASELINES
        assert reason, row


def test_the_providers_are_locked_or_the_file_says_why_not() -> None:
    folder = ROOT / "deploy/terraform"
    lock = ".terraform.lock.hcl"
    assert (folder / lock).exists() or lock in (folder / "versions.tf").read_text()


@pytest.mark.parametrize("file", PINNING)
def test_an_image_is_pinned_by_digest_or_the_file_says_why_not(file: str) -> None:
    text = (ROOT / file).read_text()
    images = re.findall(r"^\s*(?:image:|FROM|ARG \w+=)\s*(\S+:\S+)", text, re.MULTILINE)
    assert all("@sha256:" in image for image in images) or "digest" in text
