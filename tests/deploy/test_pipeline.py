"""The pipeline: least permissions, pinned actions, and only what runs locally too."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.parts import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))

WRITES = {"build": {"packages"}, "release": {"contents"}, "codeql": {"security-events"}}


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_permitted_but_what_a_job_names(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for name, job in jobs(path).items():
        assert "permissions" in job, name
        writes = {key for key, value in job["permissions"].items() if value != "read"}
        assert writes == WRITES.get(name, set()), name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())
    assert used
    for action, comment in used:
        if not action.startswith("./"):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
            assert re.match(r" # v\d+\.\d+\.\d+$", comment), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_is_a_target_or_a_script_that_is_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for job in jobs(path).values():
        for step in job.get("steps", []):
            words = step.get("run", "").split()
            if not words:
                continue
            if words[0] == "make":
                assert {word for word in words[1:] if "=" not in word} <= targets
            else:
                assert (ROOT / words[0]).stat().st_mode & 0o111, words[0]


def test_nothing_is_deployed_that_was_not_scanned() -> None:
    found = jobs(ROOT / ".github/workflows/pipeline.yml")
    assert found["staging"]["needs"] == "scan" and found["production"]["needs"] == "staging"
    [scan] = [step for step in found["scan"]["steps"] if "trivy" in step["uses"]]
    assert scan["with"]["exit-code"] == "1"
    used = {step.get("uses", "").partition("@")[0] for step in found["codeql"]["steps"]}
    assert "github/codeql-action/analyze" in used


def test_all_programs_are_fetched_and_the_log_pipeline_has_to_be_tested() -> None:
    [pipeline] = [path for path in WORKFLOWS if path.name == "pipeline.yml"]
    runs = [step["run"].split() for step in jobs(pipeline)["test"]["steps"] if "run" in step]
    assert runs[0] == ["make", "install"]
    assert {"test", "STRICT=1"} <= set(runs[1])


def test_the_release_notes_can_be_told_without_releasing() -> None:
    done = subprocess.run(
        [str(ROOT / "deploy/tag-release.sh"), "--dry-run"],
        capture_output=True,
        text=True,
        check=True,
    )
    version = (ROOT / "VERSION").read_text().strip()
    assert done.stdout.startswith(f"v{version} ")
