"""The list of `make help` is complete; an unsuitable machine is told in one line."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.parts import PATIENCE, ROOT

MAKEFILE = ROOT / "Makefile"


# Without what an outer make tells an inner one: these tests run under `make test` as well.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def make(
    *arguments: str, folder: Path = ROOT, exported: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--file", str(MAKEFILE), *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **(exported or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def test_help_lists_every_target() -> None:
    lines = make("help").stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert [line for line in lines if line and line[0] != " "], "the targets are in groups"
    assert len(listed) == len(set(listed))
    targets = set(re.findall(r"^([a-z-]+):(?!=)", MAKEFILE.read_text(), re.MULTILINE))
    assert targets == set(listed)


def test_an_old_python_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/stack.txt").touch()
    done = make("up", f"PYTHON={old}", folder=tmp_path)
    assert done.returncode == 2
    assert "MiniTwit needs Python 3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr


def test_a_python_without_venv_is_named(tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n')
    bare.chmod(0o755)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/stack.txt").touch()
    done = make("up", f"PYTHON={bare}", folder=tmp_path)
    assert done.returncode == 2
    assert "python3-venv" in done.stderr


def test_python_is_told_nothing_by_the_shell() -> None:
    shell = {"PYTHONPATH": "/other", "PYTHONSAFEPATH": "1", "PYTHONHOME": "/x", "PIP_USER": "1"}
    done = make("--eval", "told: ; @env", "told", exported={**shell, "RUN_DIR": "/mine"})
    assert done.returncode == 0, done.stderr
    told = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    assert not [name for name in told if name.startswith("PYTHON") or name in shell]
    assert told["RUN_DIR"] == "/mine"


def test_a_component_that_is_not_named_is_asked_for() -> None:
    done = make("--dry-run", "restart")
    assert done.returncode == 2
    assert "make restart C=api" in done.stderr


def test_scripts_keep_their_line_ends_whatever_git_is_told() -> None:
    command = [
        "git",
        "check-attr",
        "eol",
        "--",
        "promtail/start.sh",
        "Makefile",
        "deploy/steps/common.sh",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.rpartition(" ")[2] for line in done.stdout.splitlines()] == ["lf"] * 3
