"""`make help` tells of every target, and a machine that cannot do it is told in one line."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.parts import ROOT

MAKEFILE = ROOT / "Makefile"


# Without what an outer make tells an inner one: these tests run under `make test` as well.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--file", str(MAKEFILE), *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE.read_text(), re.MULTILINE)
    assert phony
    listed = [line.split()[0] for line in make("help").stdout.splitlines()]
    assert sorted(listed) == sorted(phony[1].split())
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
